package trace_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"cloudstorage/app/web"
	"cloudstorage/app/web/route"
	"cloudstorage/app/web/trace"
)

// receiver is an OTLP collector that keeps what it is sent.
type receiver struct {
	URL string

	mu    sync.Mutex
	raw   bytes.Buffer
	spans map[string]*otlp.Span // by name
	about string                // the service
}

func collect(t *testing.T) *receiver {
	t.Helper()
	c := &receiver{spans: map[string]*otlp.Span{}}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var sent collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &sent)
		}
		if err != nil || r.URL.Path != "/otlp/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("%s %s: %v", r.URL, r.Header, err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.raw.Write(body)
		for _, resource := range sent.ResourceSpans {
			c.about = resource.Resource.String()
			for _, scope := range resource.ScopeSpans {
				for _, span := range scope.Spans {
					c.spans[span.Name] = span
				}
			}
		}
	}))
	t.Cleanup(server.Close)
	c.URL = server.URL + "/otlp"
	return c
}

func tracing(t *testing.T, endpoint string, log io.Writer) *trace.Tracing {
	t.Helper()
	tr, err := trace.Start(t.Context(), endpoint, "v1.2.3", slog.New(slog.NewJSONHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// newServer has routes that end in each way.
func newServer(tr *trace.Tracing, log io.Writer) *web.Server {
	s := web.New(web.Config{Log: slog.New(slog.NewJSONHandler(log, nil)), Ready: func(context.Context) error { return nil }, DrainTimeout: time.Minute})
	s.Use(tr.Middleware())
	s.Mount(web.Area{
		Path: "/v1",
		Handle: func(c echo.Context) error {
			route.Set(c, "/v1/files/{key...}")
			return &web.Error{Status: http.StatusForbidden, Message: "not you"}
		},
		Fail: func(_ error, c echo.Context) { _ = c.NoContent(http.StatusForbidden) },
	})
	s.Get("/download/*", func(c echo.Context) error { return web.Answer(c, "signed", nil) })
	s.Get("/panic", func(echo.Context) error { panic("for the test") })
	return s
}

func do(s *web.Server, method, target string, fields ...string) {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	s.ServeHTTP(httptest.NewRecorder(), r)
}

// attribute returns a span's, as text.
func attribute(span *otlp.Span, key string) string {
	for _, a := range span.GetAttributes() {
		if a.Key == key {
			return a.Value.String()
		}
	}
	return ""
}

func TestASpanTellsHowARequestEndedAndNothingSecret(t *testing.T) {
	t.Parallel()
	const traceID, parentID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	c := collect(t)
	var log bytes.Buffer
	tr := tracing(t, c.URL, &log)
	s := newServer(tr, &log)
	do(s, http.MethodGet, "/download/secret?secret=1", "Traceparent", "00-"+traceID+"-"+parentID+"-01", "Authorization", "Bearer secret", "X-Request-Id", "secret")
	do(s, http.MethodPut, "/v1/files/secret")
	do(s, http.MethodGet, "/panic")
	do(s, "SECRET", "/secret")
	if err := tr.Close(time.Minute); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		status string
		code   otlp.Status_StatusCode
	}{
		"GET /download/*":        {"200", otlp.Status_STATUS_CODE_UNSET},
		"PUT /v1/files/{key...}": {"403", otlp.Status_STATUS_CODE_UNSET},
		"GET /panic":             {"500", otlp.Status_STATUS_CODE_ERROR},
		"HTTP unmatched":         {"404", otlp.Status_STATUS_CODE_UNSET},
	} {
		span := c.spans[name]
		if span == nil {
			t.Errorf("no span %s", name)
			continue
		}
		_, pattern, _ := strings.Cut(name, " ")
		if !strings.Contains(attribute(span, "http.response.status_code"), want.status) || !strings.Contains(attribute(span, "http.route"), pattern) ||
			span.GetStatus().GetCode() != want.code || span.Kind != otlp.Span_SPAN_KIND_SERVER || span.EndTimeUnixNano < span.StartTimeUnixNano {
			t.Errorf("%s: %v", name, span)
		}
	}
	if span := c.spans["GET /download/*"]; hex.EncodeToString(span.GetTraceId()) != traceID || hex.EncodeToString(span.GetParentSpanId()) != parentID {
		t.Errorf("not in the caller's trace: %v", span)
	}
	if span := c.spans["GET /panic"]; len(span.GetParentSpanId()) > 0 || hex.EncodeToString(span.GetTraceId()) == traceID {
		t.Errorf("in somebody else's trace: %v", span)
	}
	if got := strings.ToLower(c.raw.String()); strings.Contains(got, "secret") {
		t.Errorf("what a caller sent is in the traces: %q", got)
	}
	if !strings.Contains(c.about, "storaged") || !strings.Contains(c.about, "v1.2.3") {
		t.Errorf("the service is %s", c.about)
	}
	if !strings.Contains(log.String(), `"trace_id":"`+traceID+`"`) {
		t.Errorf("the log does not name the trace: %s", &log)
	}
}

func TestATraceThatNobodyKeepsSendsNoSpan(t *testing.T) {
	t.Parallel()
	c := collect(t)
	tr := tracing(t, c.URL, io.Discard)
	do(newServer(tr, io.Discard), http.MethodGet, "/download/a", "Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")
	if err := tr.Close(time.Minute); err != nil {
		t.Fatal(err)
	}
	if len(c.spans) > 0 {
		t.Errorf("%v", c.spans)
	}
}

func TestACollectorThatRefusesIsLogged(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	var log bytes.Buffer
	tr := tracing(t, server.URL, &log)
	do(newServer(tr, io.Discard), http.MethodGet, "/download/a")
	if err := tr.Close(time.Minute); err != nil {
		t.Fatal(err)
	}
	if got := log.String(); !strings.Contains(got, `"level":"WARN"`) || !strings.Contains(got, "404") {
		t.Errorf("log: %s", got)
	}
}

func TestACollectorThatHangsDoesNotHoldTheServer(t *testing.T) {
	t.Parallel()
	asked, release := make(chan struct{}, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-release
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	tr := tracing(t, server.URL, io.Discard)
	do(newServer(tr, io.Discard), http.MethodGet, "/download/a")
	start := time.Now()
	if err := tr.Close(100 * time.Millisecond); err == nil {
		t.Error("the last span was lost in silence")
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("closing took %s", took)
	}
	<-asked
}
