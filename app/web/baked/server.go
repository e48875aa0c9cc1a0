// Package baked is the server that fits into user-data: the exercise's routes,
// and files below /v1. What it answers is what the whole server answers, in
// fewer words; tests compare the two.
package baked

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/settings"
	"cloudstorage/app/settings/apisettings"
	"cloudstorage/app/web/problem"
)

const (
	readTimeout  = 30 * time.Second // a whole request: no route reads a large body
	readyTimeout = 2 * time.Second
	maxHeader    = 16 << 10
	prefix       = "/v1"
)

// Server is the server.
type Server struct {
	Store  Store
	Bucket string              // its name, for the messages
	Keys   func() auth.Keyring // who may call; nil is anyone
	Routes apisettings.Routes  // of the exercise
	TTL    time.Duration       // how long a presigned URL lives
	MaxTTL time.Duration       // how long it may be asked to live
	Drain  time.Duration       // how long requests in flight may take after the stop
	Log    *slog.Logger

	draining atomic.Bool
}

// call is one request.
type call struct {
	*Server
	w      *echo.Response
	r      *http.Request
	caller auth.Caller
}

// Serve serves on l until ctx is done, then drains: it reports not ready, closes
// each connection after its answer, soon takes no new one, and waits for the
// requests in flight.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: readTimeout / 3, ReadTimeout: readTimeout, IdleTimeout: settings.IdleTimeout,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn), DisableGeneralOptionsHandler: true,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.draining.Store(true)
	s.Log.Info("draining", "timeout", s.Drain.String())
	drain, cancel := context.WithTimeout(context.Background(), s.Drain)
	defer cancel()
	// net/http drops what arrives on an open connection once it shuts down, and
	// a load balancer does not retry that: serve on, for a tenth of the time.
	time.Sleep(s.Drain / 10)
	if err := server.Shutdown(drain); err != nil {
		return errors.Join(fmt.Errorf("requests were cut: %w", err), server.Close())
	}
	return nil
}

// Handler serves all routes.
func (s *Server) Handler() http.Handler {
	e := echo.New()
	// It has no routes: they would name methods, and leave all others unanswered.
	e.HTTPErrorHandler = func(_ error, c echo.Context) {
		(&call{Server: s, w: c.Response(), r: c.Request()}).observe()
	}
	return e
}

// observe gives each request an id, turns its error into an answer, and writes its one line of log: no query string, since it may hold a signature.
func (c *call) observe() {
	start, id := time.Now(), c.r.Header.Get("X-Request-Id")
	if !sane.MatchString(id) {
		id = rand.Text()
	}
	c.set("X-Request-Id", id)
	if c.draining.Load() {
		c.set("Connection", "close")
	}
	err := c.route()
	if err != nil && !c.w.Committed {
		c.fail(err)
	}
	attrs := []any{"request_id", id, "method", c.r.Method, "path", c.r.URL.Path, "status", c.w.Status, "bytes", c.w.Size,
		"duration", time.Since(start), "remote", c.r.RemoteAddr, "caller", c.caller.ID}
	level := slog.LevelInfo
	switch {
	case c.w.Status >= http.StatusInternalServerError && c.r.Context().Err() == nil:
		level = slog.LevelError
	case c.r.URL.Path == settings.HealthPath || c.r.URL.Path == settings.ReadyPath:
		level = slog.LevelDebug // every few seconds, from every balancer
	}
	if err != nil {
		attrs = append(attrs, "error", err.Error(), "code", object.CodeOf(err))
	}
	c.Log.Log(c.r.Context(), level, "request", attrs...)
}

// sane is a caller's request id that can be logged and answered as it is.
var sane = regexp.MustCompile(`^[\w.-]{1,64}$`)

func (c *call) route() error {
	if http.NewCrossOriginProtection().Check(c.r) != nil {
		return problem.New(problem.Forbidden, "a page of another site may not do this")
	}
	if strings.HasPrefix(c.r.URL.Path, prefix+"/") {
		return c.files()
	}
	return c.exercise()
}

// ready answers 200 while the server takes requests and the bucket answers.
func (c *call) ready() error {
	ctx, cancel := context.WithTimeout(c.r.Context(), readyTimeout)
	defer cancel()
	if err := c.Store.Ready(ctx); err != nil || c.draining.Load() {
		return &problem.Error{Kind: problem.Unavailable, Detail: "the storage cannot be used now", Err: err}
	}
	return c.message("ready", nil)
}

// fail answers an error: below /v1 with a problem, else in the exercise's shape.
func (c *call) fail(err error) {
	kind, detail := problem.Internal, "internal error: the operator finds it in the log under this answer's X-Request-Id"
	var own *problem.Error
	var stored *object.Error
	var forbidden *auth.ForbiddenError
	var invalid *auth.InvalidError
	switch {
	case errors.As(err, &own):
		kind, detail = own.Kind, own.Detail
		for name := range own.Header {
			c.set(name, own.Header.Get(name))
		}
	case errors.As(err, &stored):
		kind, detail = problem.OfCode(stored.Code), stored.Message
	case errors.As(err, &forbidden):
		kind, detail = problem.Forbidden, err.Error()
	case errors.As(err, &invalid), errors.Is(err, auth.ErrMissing):
		kind, detail = problem.Unauthenticated, err.Error()
	}
	c.set("WWW-Authenticate", auth.Challenge(err))
	if kind == problem.Unavailable {
		c.set("Retry-After", "5")
	}
	if strings.HasPrefix(c.r.URL.Path, prefix+"/") {
		_ = c.answer(kind.Status, problem.ContentType, problem.Details{Type: kind.Type(), Title: kind.Title, Status: kind.Status, Detail: detail, RequestID: c.w.Header().Get("X-Request-Id")})
	} else {
		_ = c.answer(kind.Status, typeJSON, body{kind.Status, detail, nil})
	}
}

const typeJSON = "application/json"

// answer answers with JSON that nobody keeps: it may hold a URL that is as good as
// a key.
func (c *call) answer(status int, contentType string, v any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // a name is written as its user means it
	_ = encoder.Encode(v)        // all that is answered has a form
	c.set("Content-Type", contentType, "Content-Length", strconv.Itoa(text.Len()))
	c.begin(status, "")
	_, err := c.w.Write(text.Bytes())
	return err
}

// begin sends the status and the fields; keep says who may keep the answer: "" is
// nobody.
func (c *call) begin(status int, keep string) {
	c.set("Cache-Control", cmp.Or(keep, "no-store"), "Referrer-Policy", "no-referrer", "X-Content-Type-Options", "nosniff")
	c.w.WriteHeader(status)
}

// set sets fields of the answer, but for those without a value.
func (c *call) set(fields ...string) {
	for i := 0; i < len(fields); i += 2 {
		if fields[i+1] != "" {
			c.w.Header().Set(fields[i], fields[i+1])
		}
	}
}
