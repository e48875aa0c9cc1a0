package daemontest

import (
	"context"
	"log/slog"
	"time"

	"cloudstorage/app/baked"
	"cloudstorage/app/daemon"
	"cloudstorage/app/s3lean"
	"cloudstorage/app/settings"
	"cloudstorage/app/state"
	"cloudstorage/app/web"
	"cloudstorage/app/web/exercise"
)

// Baked is the server that is built from source, which is no program of package
// daemon.
func Baked() daemon.Program { return BakedTick(time.Tick(state.RereadEvery)) }

// BakedTick is Baked whose keys are reread at each tick.
func BakedTick(reread <-chan time.Time) daemon.Program {
	return daemon.Program{Load: func(getenv func(string) string) (slog.Level, func(context.Context, *slog.Logger) error, error) {
		return slog.LevelInfo, func(ctx context.Context, log *slog.Logger) error { return baked.Serve(ctx, getenv, log, reread) }, nil
	}}
}

// Exercise is a server with the exercise's routes alone, as there were before
// /v1.
func Exercise() daemon.Program {
	return daemon.Program{Load: func(getenv func(string) string) (slog.Level, func(context.Context, *slog.Logger) error, error) {
		cfg, err := settings.Load(getenv)
		return cfg.LogLevel, func(ctx context.Context, log *slog.Logger) error {
			store, err := s3lean.Open(ctx, s3lean.Config{
				Bucket: cfg.Bucket, Region: cfg.Region, Endpoint: cfg.Endpoint,
				AccessKeyID: getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"),
			})
			if err != nil {
				return err
			}
			server := web.New(web.Config{Log: log, Ready: store.Ready, DrainTimeout: cfg.DrainTimeout})
			exercise.API{Store: store, Bucket: cfg.Bucket, TTL: cfg.URLTTL}.Register(server)
			return daemon.Serve(ctx, server, cfg, log)
		}, err
	}}
}
