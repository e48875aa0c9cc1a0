package metrics_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/web"
	"cloudstorage/app/web/metrics"
	"cloudstorage/app/web/route"
)

// newServer counts an area that echoes bodies, and a few routes.
func newServer(m *metrics.Metrics) *web.Server {
	s := web.New(web.Config{Log: slog.New(slog.DiscardHandler), Ready: func(context.Context) error { return nil }, DrainTimeout: time.Minute})
	s.Use(m.Middleware())
	s.Mount(web.Area{
		Path: "/v1",
		Handle: func(c echo.Context) error {
			route.Set(c, "/v1/files/{key...}")
			_, err := io.Copy(c.Response(), c.Request().Body)
			return err
		},
		Fail: func(_ error, c echo.Context) { _ = c.NoContent(http.StatusForbidden) },
	})
	s.Get("/download/*", func(c echo.Context) error { return web.Answer(c, "signed", nil) })
	s.Get("/busy", func(echo.Context) error {
		return &web.Error{Status: http.StatusServiceUnavailable, Message: "busy"}
	})
	s.Get("/panic", func(echo.Context) error { panic("for the test") })
	s.Get("/scrape", func(c echo.Context) error { return c.String(http.StatusOK, scrape(m)) })
	return s
}

func do(s *web.Server, method, target, body string) string {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
	return w.Body.String()
}

func scrape(m *metrics.Metrics) string {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

func TestRequestsAreCountedByRouteMethodAndClassOfStatus(t *testing.T) {
	t.Parallel()
	m := metrics.New()
	s := newServer(m)
	do(s, http.MethodPut, "/v1/files/secret", "12345")
	do(s, http.MethodPut, "/v1/files/other-secret", "678")
	answered := len(do(s, http.MethodGet, "/download/secret?secret=1", ""))
	answered += len(do(s, http.MethodGet, "/busy", ""))
	answered += len(do(s, http.MethodGet, "/secret", ""))
	do(s, http.MethodGet, "/panic", "")
	got := scrape(m)
	for _, line := range []string{
		`http_server_requests_total{method="PUT",route="/v1/files/{key...}",status="2xx"} 2`,
		`http_server_requests_total{method="GET",route="/download/*",status="2xx"} 1`,
		`http_server_requests_total{method="GET",route="/busy",status="5xx"} 1`,
		`http_server_requests_total{method="GET",route="/panic",status="5xx"} 1`,
		`http_server_requests_total{method="GET",route="unmatched",status="4xx"} 1`,
		`http_server_request_duration_seconds_count{method="PUT",route="/v1/files/{key...}"} 2`,
		`http_server_requests_in_flight 0`,
		`http_server_received_bytes_total 8`,
		fmt.Sprintf(`http_server_sent_bytes_total %d`, answered+8),
	} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
	for _, name := range []string{"go_goroutines", "process_start_time_seconds"} {
		if !strings.Contains(got, "\n"+name+" ") {
			t.Errorf("nothing about %s", name)
		}
	}
	if strings.Contains(got, "secret") {
		t.Error("a path is in the metrics")
	}
}

func TestARequestIsInFlightWhileItIsAnswered(t *testing.T) {
	t.Parallel()
	if got := do(newServer(metrics.New()), http.MethodGet, "/scrape", ""); !strings.Contains(got, "http_server_requests_in_flight 1\n") {
		t.Error(got)
	}
}

func TestWhatClientsMakeUpMakesNoSeries(t *testing.T) {
	t.Parallel()
	m := metrics.New()
	s := newServer(m)
	do(s, http.MethodGet, "/download/a", "")
	do(s, http.MethodGet, "/a", "")
	do(s, "BREW", "/a", "")
	do(s, "BREW", "/v1/a", "")
	do(s, "BREW", "/download/a", "")
	before := strings.Count(scrape(m), "http_server_")
	for i := range 100 {
		do(s, http.MethodGet, fmt.Sprintf("/download/a%d", i), "")
		do(s, http.MethodGet, fmt.Sprintf("/a%d/b", i), "")
		do(s, fmt.Sprintf("BREW%d", i), "/a", "")
		do(s, fmt.Sprintf("BREW%d", i), fmt.Sprintf("/v1/%d", i), "")
		do(s, fmt.Sprintf("BREW%d", i), "/download/a", "")
	}
	if after := strings.Count(scrape(m), "http_server_"); after != before {
		t.Errorf("%d lines, before %d", after, before)
	}
}
