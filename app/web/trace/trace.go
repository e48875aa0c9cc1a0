// Package trace sends a span of each request to an OpenTelemetry collector. A
// span names the route and how it ended, and nothing that a caller sent but its
// trace: no path, no query, no address.
package trace

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"cloudstorage/app/web"
	"cloudstorage/app/web/route"
)

// FlushTimeout is how long a server that stops may wait for its last spans to
// be sent: they are not worth a kill.
const FlushTimeout = 5 * time.Second

// path of traces below an endpoint.
// Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp-request
const path = "/v1/traces"

// Tracing sends spans in the background until Close.
type Tracing struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

// Start sends spans to an OTLP endpoint, such as http://127.0.0.1:4318. What
// OpenTelemetry's own environment variables say beside it (headers, sampling,
// attributes of the service) holds. A collector that does not answer is logged
// and costs the spans.
func Start(ctx context.Context, endpoint, version string, log *slog.Logger) (*Tracing, error) {
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(strings.TrimSuffix(endpoint, "/")+path))
	if err != nil {
		return nil, fmt.Errorf("send traces to %s: %w", endpoint, err)
	}
	// The later ones win.
	service, err := resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", "storaged"), attribute.String("service.version", version)),
		resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("name the service in traces: %w", err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(logged{exporter, log}), sdktrace.WithResource(service))
	return &Tracing{provider: provider, tracer: provider.Tracer("cloudstorage/app/web/trace")}, nil
}

// Close sends what is left, for as long as timeout.
func (t *Tracing) Close(timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("send the last traces: %w", err)
	}
	return nil
}

// Middleware makes a span of every request, within the caller's trace if it
// names one (https://www.w3.org/TR/trace-context/), and puts the trace into the
// log. The names are those of
// https://opentelemetry.io/docs/specs/semconv/http/http-spans/.
func (t *Tracing) Middleware() echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			method := route.Method(c)
			name := method
			if method == route.OtherMethod {
				name = "HTTP"
			}
			ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
			ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attribute.String("http.request.method", method)))
			c.SetRequest(r.WithContext(ctx))
			web.Note(c, slog.String("trace_id", span.SpanContext().TraceID().String()))

			status := http.StatusInternalServerError // of a panic, which is answered farther out
			defer func() {
				span.SetName(name + " " + route.Of(c))
				span.SetAttributes(attribute.String("http.route", route.Of(c)), attribute.Int("http.response.status_code", status))
				if status >= http.StatusInternalServerError {
					span.SetStatus(codes.Error, "")
				}
				span.End()
			}()
			var err error
			status, err = route.Answer(c, next)
			return err
		}
	}
}

// logged is an exporter whose failures go to the log: the SDK would print them
// in a shape of its own.
type logged struct {
	sdktrace.SpanExporter
	log *slog.Logger
}

func (l logged) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if err := l.SpanExporter.ExportSpans(ctx, spans); err != nil {
		l.log.WarnContext(ctx, "traces were not sent", "spans", len(spans), "error", err.Error())
	}
	return nil
}
