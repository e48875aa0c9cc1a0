// Package service is the whole server: it puts together the stores, the API's own
// state, who may call, what stands around every route, and the routes.
package service

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"cloudstorage/app/clock"
	"cloudstorage/app/daemon"
	"cloudstorage/app/link"
	"cloudstorage/app/s3store"
	"cloudstorage/app/s3store/s3file"
	"cloudstorage/app/s3store/s3history"
	"cloudstorage/app/s3store/s3sign"
	"cloudstorage/app/s3store/s3upload"
	"cloudstorage/app/settings/apisettings"
	"cloudstorage/app/state"
	"cloudstorage/app/web"
	"cloudstorage/app/web/apidoc"
	"cloudstorage/app/web/exercise"
	"cloudstorage/app/web/guard"
	"cloudstorage/app/web/limit"
	v1 "cloudstorage/app/web/v1"
)

// Program is the whole server as a program.
func Program() daemon.Program { return program(time.Tick(state.RereadEvery)) }

// program rereads the keyring when a test wants it to.
func program(reread <-chan time.Time) daemon.Program {
	return daemon.Program{
		Help: help,
		Load: func(getenv func(string) string) (slog.Level, func(context.Context, *slog.Logger) error, error) {
			cfg, err := apisettings.Load(getenv)
			s := service{cfg: cfg, getenv: getenv, reread: reread}
			return cfg.LogLevel, s.serve, err
		},
	}
}

// service is a server with its settings.
type service struct {
	cfg    apisettings.Settings
	getenv func(string) string
	reread <-chan time.Time // when to read the keyring again
	clock  *clock.Clock     // once it serves
}

// store is all that the store can do.
type store struct {
	*s3sign.Store
	s3file.Files
	s3history.History
	s3upload.Uploads
}

func newStore(s *s3store.Store) store {
	signing := s3sign.New(s)
	return store{signing, s3file.Files{Store: signing}, s3history.New(s), s3upload.New(signing)}
}

// start runs something beside the server; its context is done when the server
// has drained.
type start func(run func(context.Context))

// serve serves until ctx is done. It returns when what it started has ended.
func (s service) serve(ctx context.Context, log *slog.Logger) error {
	var tasks sync.WaitGroup
	defer tasks.Wait()
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	beside := func(run func(context.Context)) { tasks.Go(func() { run(running) }) }

	s.clock = clock.New(log)
	ask, err := s3store.Time(ctx, s.bucket(s.cfg.Bucket))
	if err != nil {
		return err
	}
	s.clock.Compare(ctx, ask) // the first URL is good, too
	beside(func(ctx context.Context) { s.clock.Follow(ctx, ask, time.Tick(clock.Every)) })
	bucket, err := s3store.Open(ctx, s.bucket(s.cfg.Bucket))
	if err != nil {
		return err
	}
	own, err := s.openState(ctx, beside, log)
	if err != nil {
		return err
	}
	files := newStore(bucket)
	server := web.New(web.Config{Log: log, Ready: files.Ready, DrainTimeout: s.cfg.DrainTimeout})
	limiter := limit.New(s.cfg.RateLimit)
	if err := s.surround(ctx, server, own.who, limiter, beside, log); err != nil {
		return err
	}
	changes := slog.New(always{log.Handler()})
	server.Use(guard.Audit(changes))
	api := &v1.API{
		Store:   files,
		Links:   link.New(own.sealer, own.revocations, s.cfg.MaxLinkTTL),
		Sealer:  own.sealer,
		Who:     own.who,
		Charge:  limiter.Charge,
		TTL:     s.cfg.URLTTL,
		MaxTTL:  s.cfg.MaxURLTTL,
		MaxLink: s.cfg.MaxLinkTTL,
		MaxBody: s.cfg.MaxBody,
		Now:     s.clock.Now,
		Audit:   changes,
	}
	api.Register(server)
	apidoc.Register(server)
	exercise.API{Store: files, Bucket: s.cfg.Bucket, TTL: s.cfg.URLTTL}.Register(server)
	return daemon.Serve(ctx, server, s.cfg.Settings, log)
}

// always logs whatever the log's level is: who wants less noise does not want to
// lose track of who deleted what.
type always struct{ slog.Handler }

func (always) Enabled(context.Context, slog.Level) bool { return true }

// bucket is how a bucket is opened.
func (s service) bucket(name string) s3store.Config {
	return s3store.Config{
		Bucket:          name,
		Region:          s.cfg.Region,
		Endpoint:        s.cfg.Endpoint,
		AccessKeyID:     s.getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: s.getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    s.getenv("AWS_SESSION_TOKEN"),
		Now:             s.clock.Now,
	}
}
