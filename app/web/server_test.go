package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/web"
	"cloudstorage/app/web/webtest"
)

// logbook is a log that tells when it has a line that contains a word.
type logbook struct {
	mu    sync.Mutex
	lines bytes.Buffer
	wait  string
	seen  chan struct{}
}

func newLogbook(wait string) *logbook { return &logbook{wait: wait, seen: make(chan struct{})} }

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wait != "" && strings.Contains(string(p), l.wait) {
		l.wait = ""
		close(l.seen)
	}
	return l.lines.Write(p)
}

func (l *logbook) records(t *testing.T) []map[string]any {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var records []map[string]any
	for line := range strings.Lines(l.lines.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		records = append(records, record)
	}
	return records
}

func newServer(log io.Writer, ready func(context.Context) error, drain time.Duration) *web.Server {
	return web.New(web.Config{
		Log:          slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Ready:        ready,
		DrainTimeout: drain,
	})
}

func isReady(context.Context) error { return nil }

func get(s *web.Server, target string, header ...string) *httptest.ResponseRecorder {
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	s.ServeHTTP(w, r)
	return w
}

func TestHealthKnowsNothingOfTheStoreAndReadinessDoes(t *testing.T) {
	t.Parallel()
	log := newLogbook("")
	s := newServer(log, func(context.Context) error { return errors.New("s3:ListBucket: no answer") }, time.Minute)
	if w := get(s, "/healthz"); w.Code != http.StatusOK {
		t.Errorf("healthz: %d %s", w.Code, w.Body)
	}
	w := get(s, "/readyz")
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "s3:") {
		t.Errorf("readyz: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if last := log.records(t)[1]; !strings.Contains(fmt.Sprint(last["error"]), "s3:ListBucket") {
		t.Errorf("the log does not say why: %v", last)
	}
	if w := get(newServer(io.Discard, isReady, time.Minute), "/readyz"); w.Code != http.StatusOK {
		t.Errorf("readyz of a ready server: %d %s", w.Code, w.Body)
	}
}

func TestReadinessDoesNotWaitForAHangingStore(t *testing.T) {
	t.Parallel()
	s := newServer(io.Discard, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, time.Minute)
	start := time.Now()
	if w := get(s, "/readyz"); w.Code != http.StatusServiceUnavailable || time.Since(start) > 10*time.Second {
		t.Errorf("readyz: %d after %s", w.Code, time.Since(start))
	}
}

func TestSaneRequestIDsAreKeptAndOthersReplaced(t *testing.T) {
	t.Parallel()
	for id, kept := range map[string]bool{
		"abc-DEF_1.2": true, strings.Repeat("a", 64): true,
		"": false, strings.Repeat("a", 65): false, "a b": false, "a\"b": false, "é": false, "<script>": false,
	} {
		log := newLogbook("")
		w := get(newServer(log, isReady, time.Minute), "/healthz", "X-Request-Id", id)
		answered := w.Header().Get("X-Request-Id")
		if kept != (answered == id) || answered == "" {
			t.Errorf("id %q was answered as %q", id, answered)
		}
		if logged := log.records(t)[0]["request_id"]; logged != answered {
			t.Errorf("id %q was logged as %q", answered, logged)
		}
	}
}

func TestAPanicIsA500AndOneLogLineWithItsStack(t *testing.T) {
	t.Parallel()
	log := newLogbook("")
	s := newServer(log, isReady, time.Minute)
	s.Get("/panic", func(echo.Context) error { panic("secret detail") })
	w := get(s, "/panic")
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") || !strings.HasPrefix(w.Body.String(), `{"status":500,"message":"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	records := log.records(t)
	if len(records) != 1 || records[0]["level"] != "ERROR" || records[0]["error"] != "panic: secret detail" ||
		!strings.Contains(fmt.Sprint(records[0]["stack"]), "TestAPanicIsA500") {
		t.Errorf("logged %v", records)
	}
}

func TestAPanicInTheMiddleOfAnAnswerCutsIt(t *testing.T) {
	t.Parallel()
	s := newServer(io.Discard, isReady, time.Minute)
	s.Get("/panic", func(c echo.Context) error {
		if _, err := c.Response().Write([]byte("half")); err != nil {
			return err
		}
		c.Response().Flush()
		panic("for the test")
	})
	listener := httptest.NewServer(s)
	t.Cleanup(listener.Close)
	answer, err := http.Get(listener.URL + "/panic")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err == nil {
		t.Errorf("%q looks whole", body)
	}
}

func TestTheAccessLogHasNoQuery(t *testing.T) {
	t.Parallel()
	log := newLogbook("")
	s := newServer(log, isReady, time.Minute)
	get(s, "/nothing/here?X-Amz-Signature=deadbeef")
	record := log.records(t)[0]
	for name, want := range map[string]any{"method": "GET", "path": "/nothing/here", "status": 404.0, "level": "INFO", "msg": "request"} {
		if record[name] != want {
			t.Errorf("%s is %v, want %v", name, record[name], want)
		}
	}
	if strings.Contains(fmt.Sprint(record), "deadbeef") {
		t.Errorf("the log holds the query: %v", record)
	}
}

// serve starts s on a free port; stop tells it to drain.
func serve(t *testing.T, s *web.Server) (address string, stop func(), done <-chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	return l.Addr().String(), cancel, ended
}

func TestDrainFinishesRequestsInFlightAndIsNotReady(t *testing.T) {
	t.Parallel()
	log := newLogbook(`"msg":"draining"`)
	s := newServer(log, isReady, 10*time.Minute)
	started, finish := make(chan struct{}), make(chan struct{})
	s.Get("/slow", func(c echo.Context) error {
		close(started)
		<-finish
		return web.Answer(c, "slow but whole", nil)
	})
	address, stop, done := serve(t, s)

	// A balancer's connection, whose next request is half sent when the drain begins.
	probe := webtest.Dial(t, address)
	send(t, probe, "GET /readyz HTTP/1.1\r\n")
	slow := webtest.Dial(t, address)
	send(t, slow, "GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
	<-started
	stop()
	<-log.seen

	send(t, probe, "Host: localhost\r\n\r\n")
	if answer := webtest.Read(t, probe, "GET"); answer.Status != http.StatusServiceUnavailable || !strings.Contains(answer.Body, "draining") {
		t.Errorf("readyz while draining: %q", answer.Raw)
	}
	if answer := webtest.Do(t, address, "GET", "/healthz"); answer.Status != http.StatusOK {
		t.Errorf("healthz while draining: %q", answer.Raw)
	}
	select {
	case err := <-done:
		t.Fatalf("the server ended with a request in flight: %v", err)
	default:
	}
	close(finish)
	// The connection closes by itself: keep-alives are off.
	if answer := webtest.Read(t, slow, "GET"); answer.Status != http.StatusOK || !strings.Contains(answer.Body, "slow but whole") {
		t.Errorf("the request in flight: %q", answer.Raw)
	}
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if conn, err := net.Dial("tcp", address); err == nil {
		_ = conn.Close()
		t.Error("a drained server takes connections")
	}
}

func TestDrainCutsRequestsAfterItsTimeout(t *testing.T) {
	t.Parallel()
	s := newServer(io.Discard, isReady, 10*time.Millisecond)
	started := make(chan struct{})
	ended := make(chan struct{})
	s.Get("/endless", func(c echo.Context) error {
		close(started)
		<-c.Request().Context().Done()
		close(ended)
		return nil
	})
	address, stop, done := serve(t, s)
	send(t, webtest.Dial(t, address), "GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
	<-started
	stop()
	if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Serve: %v, want it to say that requests were cut", err)
	}
	<-ended
}

func send(t *testing.T, conn net.Conn, s string) {
	t.Helper()
	if _, err := io.WriteString(conn, s); err != nil {
		t.Fatal(err)
	}
}
