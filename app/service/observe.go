package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"cloudstorage/app/daemon"
	"cloudstorage/app/web"
	"cloudstorage/app/web/metrics"
	"cloudstorage/app/web/trace"
)

// metricsPath is where Prometheus asks unless it is told otherwise.
const metricsPath = "/metrics"

// metricsTimeout bounds an exchange with Prometheus, whose own limit is 10 s.
// Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#configuration-file
const metricsTimeout = 10 * time.Second

// observe lets traces and metrics see all requests, where the settings ask for
// them.
func (s service) observe(ctx context.Context, server *web.Server, beside start, log *slog.Logger) error {
	if s.cfg.Traces != "" {
		tracing, err := trace.Start(ctx, s.cfg.Traces, daemon.Version(), log)
		if err != nil {
			return err
		}
		server.Use(tracing.Middleware())
		beside(func(ctx context.Context) {
			<-ctx.Done()
			if err := tracing.Close(trace.FlushTimeout); err != nil {
				log.Warn("traces end", "error", err.Error())
			}
		})
	}
	if s.cfg.MetricsAddress != "" {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.cfg.MetricsAddress)
		if err != nil {
			return fmt.Errorf("listen for Prometheus on %s: %w", s.cfg.MetricsAddress, err)
		}
		log.Info("metrics", "address", l.Addr().String(), "path", metricsPath)
		m := metrics.New()
		server.Use(m.Middleware())
		beside(func(ctx context.Context) { serveMetrics(ctx, l, m.Handler(), log) })
	}
	return nil
}

// serveMetrics answers Prometheus on a port of its own until ctx is done.
func serveMetrics(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) {
	mux := http.NewServeMux()
	mux.Handle("GET "+metricsPath, h)
	server := &http.Server{Handler: mux, ReadTimeout: metricsTimeout, WriteTimeout: metricsTimeout, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics are no longer served", "error", err.Error())
		}
	}()
	<-ctx.Done()
	_ = server.Close() // a scrape that is cut is taken again
	<-ended
}
