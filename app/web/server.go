// Package web serves HTTP: what every route shares (health, request ids, the
// access log, errors as JSON, limits, draining). The routes themselves live in
// the packages below it.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/settings"
)

// The limits of a connection. There is no WriteTimeout: a handler bounds its
// own calls, and a slow reader of a long list is not an error.
const (
	readHeaderTimeout = 10 * time.Second // a client that dribbles its headers holds a connection, no more
	readTimeout       = 30 * time.Second // no route reads a body: one that is sent anyway may not hold a connection
	maxHeaderBytes    = 16 << 10         // a key of 1,024 bytes takes 3,072 when percent-encoded; cookies and proxies take the rest
	readyTimeout      = 2 * time.Second  // a probe wants an answer, not the truth at any price
)

// Config is what a Server needs.
type Config struct {
	Log          *slog.Logger
	Ready        func(context.Context) error // asks what the routes depend on
	DrainTimeout time.Duration               // how long requests in flight may take after the stop
}

// Server is the HTTP server. Add routes with Get and Mount, then Serve.
type Server struct {
	cfg         Config
	echo        *echo.Echo
	areas       []Area
	middlewares []echo.MiddlewareFunc
	inner       echo.HandlerFunc // the middlewares around the route's handler
	draining    atomic.Bool
	connections atomic.Int64
}

// New returns a server with the health and readiness routes.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg, echo: echo.New(), inner: routed}
	s.echo.HTTPErrorHandler = s.answerError
	s.echo.Use(func(echo.HandlerFunc) echo.HandlerFunc { return s.observe })
	s.Get(settings.HealthPath, func(c echo.Context) error { return Answer(c, "alive", nil) })
	s.Get(settings.ReadyPath, s.ready)
	return s
}

// Get adds a route that answers GET and HEAD; its handler tells them apart
// where GET has a side effect. A path may end in * for the rest, see Key.
func (s *Server) Get(path string, h echo.HandlerFunc) {
	s.echo.GET(path, h)
	s.echo.HEAD(path, h)
	s.echo.OPTIONS(path, echo.MethodNotAllowedHandler) // echo would answer 204 by itself
}

// Mount gives everything below an area's path to its handler.
func (s *Server) Mount(a Area) {
	s.areas = append(s.areas, a)
	s.echo.RouteNotFound(a.Path, a.Handle)
	s.echo.RouteNotFound(a.Path+"/*", a.Handle)
}

// Use puts a middleware around every route, inside of what observes them: its
// errors are answered and logged like a handler's. The first one is outermost.
// The chain is made here: echo would make it for each request.
func (s *Server) Use(m echo.MiddlewareFunc) {
	s.middlewares = append(s.middlewares, m)
	s.inner = routed
	for _, m := range slices.Backward(s.middlewares) {
		s.inner = m(s.inner)
	}
}

// routed calls the handler that echo found.
func routed(c echo.Context) error { return c.Handler()(c) }

// ServeHTTP lets tests call the server without a connection.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, r) }

// Serve serves on l until ctx is done, then drains: it reports not ready, closes
// each connection after its answer, soon takes no new one, and waits for the
// requests in flight. It returns nil when all of them were answered in time.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		IdleTimeout:       settings.IdleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelWarn),
		ConnState:         s.countConnections,

		DisableGeneralOptionsHandler: true, // OPTIONS * is a route that we don't have
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}

	drain, cancel := context.WithTimeout(context.Background(), s.cfg.DrainTimeout)
	defer cancel()
	s.draining.Store(true)
	s.cfg.Log.Info("draining", "timeout", s.cfg.DrainTimeout.String())
	s.giveNotice()
	if err := server.Shutdown(drain); err != nil {
		return errors.Join(fmt.Errorf("drain for %s: requests were cut: %w", s.cfg.DrainTimeout, err), server.Close())
	}
	return nil
}

// giveNotice serves on for a tenth of the drain time, while anyone is connected:
// once net/http shuts down, it drops what arrives on an open connection, and a
// load balancer does not retry that.
func (s *Server) giveNotice() {
	end := time.After(s.cfg.DrainTimeout / 10)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for s.connections.Load() > 0 {
		select {
		case <-end:
			return
		case <-tick.C:
		}
	}
}

// countConnections keeps the number of open connections.
func (s *Server) countConnections(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.connections.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.connections.Add(-1)
	}
}

// ready answers 200 while the server takes requests and what they depend on
// answers. The load balancer does not ask it: an outage of S3 must not make it
// replace every instance.
func (s *Server) ready(c echo.Context) error {
	if s.draining.Load() {
		return &Error{Status: http.StatusServiceUnavailable, Message: "draining"}
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), readyTimeout)
	defer cancel()
	if err := s.cfg.Ready(ctx); err != nil {
		return &Error{Status: http.StatusServiceUnavailable, Message: "the storage cannot be used now", Err: err}
	}
	return Answer(c, "ready", nil)
}
