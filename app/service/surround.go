package service

import (
	"context"
	"log/slog"

	"cloudstorage/app/auth"
	"cloudstorage/app/web"
	"cloudstorage/app/web/browser"
	"cloudstorage/app/web/clientip"
	"cloudstorage/app/web/guard"
	"cloudstorage/app/web/limit"
	"cloudstorage/app/web/slow"
	v1 "cloudstorage/app/web/v1"
)

// surround puts what stands around every route into its order: how long a client
// is waited for, what sees all requests, then whether there is room for one more, then what a browser may do,
// then who may use the exercise's routes. The API asks that by itself.
func (s service) surround(ctx context.Context, server *web.Server, who auth.Authenticator, limiter *limit.Limiter, beside start, log *slog.Logger) error {
	crossSite, err := browser.CrossSite(s.cfg.WebOrigins)
	if err != nil {
		return err
	}
	server.Use(slow.Middleware(slow.Default())) // first: what the others refuse is written in time, too
	server.Use(clientip.Middleware(s.cfg.TrustedProxies))
	if err := s.observe(ctx, server, beside, log); err != nil {
		return err
	}
	server.Use(browser.CORS(v1.Path, s.cfg.WebOrigins)) // a page can read that it has to wait
	server.Use(limit.Concurrency(s.cfg.MaxConcurrency))
	server.Use(limit.Addresses(s.cfg.RateLimit))
	server.Use(crossSite)
	server.Use(browser.NavigationOnly(guard.Changing()...))
	server.Use(guard.Exercise{Served: s.cfg.ExerciseRoutes, Authenticate: who.Authenticate, Charge: limiter.Charge, Now: s.clock.Now}.Middleware())
	return nil
}
