// Package metrics counts requests for Prometheus. Its labels are patterns, known
// methods and classes of status: whatever clients send, there are no more series
// than routes allow.
package metrics

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"cloudstorage/app/web/route"
)

// Metrics are the server's, and the process's.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
	received prometheus.Counter
	sent     prometheus.Counter
}

// New returns metrics with a registry of their own.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_server_requests_total", Help: "Requests that were answered.",
		}, []string{"route", "method", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_server_request_duration_seconds", Help: "How long requests took, to the end of the answer.",
			// From signing, which asks nobody, to streaming a large file.
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300},
		}, []string{"route", "method"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "http_server_requests_in_flight", Help: "Requests that are being answered.",
		}),
		received: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "http_server_received_bytes_total", Help: "Bytes of requests' bodies that were read.",
		}),
		sent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "http_server_sent_bytes_total", Help: "Bytes of answers' bodies.",
		}),
	}
	m.registry.MustRegister(m.requests, m.duration, m.inFlight, m.received, m.sent,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers Prometheus. It tells about all callers, so it belongs on a
// port that callers do not reach.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Middleware counts every request.
func (m *Metrics) Middleware() echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			start := time.Now()
			m.inFlight.Inc()
			if r := c.Request(); r.Body != nil && r.Body != http.NoBody {
				// On a copy: net/http looks at the type of its own request's body.
				r = r.WithContext(r.Context())
				r.Body = counted{r.Body, m.received}
				c.SetRequest(r)
			}
			status := http.StatusInternalServerError // of a panic, which is answered farther out
			defer func() {
				m.inFlight.Dec()
				pattern, method := route.Of(c), route.Method(c)
				m.requests.WithLabelValues(pattern, method, strconv.Itoa(status/100)+"xx").Inc()
				m.duration.WithLabelValues(pattern, method).Observe(time.Since(start).Seconds())
				m.sent.Add(float64(c.Response().Size))
			}()
			var err error
			status, err = route.Answer(c, next)
			return err
		}
	}
}

// counted is a body that is counted as it is read.
type counted struct {
	io.ReadCloser
	bytes prometheus.Counter
}

func (b counted) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.bytes.Add(float64(n))
	return n, err
}
