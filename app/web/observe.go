package web

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/object"
	"cloudstorage/app/settings"
)

const (
	requestIDHeader = "X-Request-Id"
	maxRequestID    = 64
)

// observe gives each request an id, turns its error or panic into an answer,
// and writes its one line of log: no query string, since it may hold a
// signature.
func (s *Server) observe(c echo.Context) error {
	r, start := c.Request(), time.Now()
	id := r.Header.Get(requestIDHeader)
	if !saneID(id) {
		id = rand.Text()
	}
	c.Response().Header().Set(requestIDHeader, id)
	c.Response().Before(func() {
		if s.draining.Load() {
			c.Response().Header().Set("Connection", "close")
		}
	})

	err := recovered(c, s.inner)
	begun := c.Response().Committed
	if err != nil {
		c.Error(err)
	}
	attrs := []slog.Attr{
		slog.String("request_id", id),
		slog.String("method", r.Method),
		slog.String("path", s.loggable(r.URL.Path)),
		slog.Int("status", c.Response().Status),
		slog.Int64("bytes", c.Response().Size),
		slog.Duration("duration", time.Since(start)),
		slog.String("remote", r.RemoteAddr),
	}
	noted, _ := c.Get(noteKey).([]slog.Attr)
	attrs = append(attrs, noted...)
	level := slog.LevelInfo
	switch {
	case c.Response().Status >= http.StatusInternalServerError && r.Context().Err() == nil:
		level = slog.LevelError
	case r.URL.Path == settings.HealthPath || r.URL.Path == settings.ReadyPath:
		level = slog.LevelDebug // every few seconds, from every balancer
	}
	if err != nil {
		// An object.Error's text begins with the action that failed.
		attrs = append(attrs, slog.String("error", err.Error()), slog.String("code", string(object.CodeOf(err))))
	}
	var p *panicError
	if errors.As(err, &p) {
		attrs = append(attrs, slog.String("stack", string(p.stack)))
	}
	s.log(r.Context(), level, attrs)
	if p != nil && begun {
		panic(http.ErrAbortHandler) // half an answer must not look whole
	}
	return nil
}

// log writes the line of a request, whose place in the source nobody asks for.
func (s *Server) log(ctx context.Context, level slog.Level, attrs []slog.Attr) {
	if h := s.cfg.Log.Handler(); h.Enabled(ctx, level) {
		record := slog.NewRecord(time.Now(), level, "request", 0)
		record.AddAttrs(attrs...)
		_ = h.Handle(ctx, record) // a log that cannot be written can't be told of it
	}
}

// noteKey is where notes wait for the log.
const noteKey = "note"

// Note adds to the request's line of log.
func Note(c echo.Context, attrs ...slog.Attr) {
	noted, _ := c.Get(noteKey).([]slog.Attr)
	c.Set(noteKey, append(noted, attrs...))
}

// saneID says whether a caller's request id can be logged and answered as it is.
func saneID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// panicError is a recovered panic.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// recovered calls next and returns its panic as an error, but for the one that
// tells net/http to cut the connection.
func recovered(c echo.Context, next echo.HandlerFunc) (err error) {
	defer func() {
		v := recover()
		if cut, ok := v.(error); ok && errors.Is(cut, http.ErrAbortHandler) {
			panic(v)
		}
		if v != nil {
			err = &panicError{v, debug.Stack()}
		}
	}()
	return next(c)
}
