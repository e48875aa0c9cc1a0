// Package guard decides which of the exercise's routes a server has, and who may
// use them: the routes themselves know of neither.
package guard

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/settings/apisettings"
	"cloudstorage/app/web"
	"cloudstorage/app/web/exercise"
)

// Exercise stands before the exercise's routes.
type Exercise struct {
	Served apisettings.Routes
	// Authenticate tells who sends a request, as auth.Authenticator does.
	Authenticate func(ctx context.Context, headers []string, now time.Time) (auth.Caller, error)
	// Charge charges the caller for one request, as limit.Limiter does. Who is not
	// known is a caller without an id.
	Charge func(r *http.Request, caller auth.Caller, now time.Time) error
	Now    func() time.Time
}

// access is what a route needs.
type access struct {
	verb   auth.Verb
	prefix string // of the path, before the file's name; "" for the list
	did    string // what the audit says of it; "" changes nothing
}

// routes are the exercise's, by the router's pattern, but for / which tells
// nobody anything.
func routes() map[string]access {
	return map[string]access{
		exercise.ListPath:           {verb: auth.List},
		exercise.DownloadPath + "*": {verb: auth.Read, prefix: exercise.DownloadPath},
		exercise.UploadPath + "*":   {verb: auth.Write, prefix: exercise.UploadPath, did: "file.sign-put"},
		exercise.DeletePath + "*":   {verb: auth.Delete, prefix: exercise.DeletePath, did: "file.delete"},
	}
}

// Changing are the patterns of the routes whose GET changes something.
func Changing() []string {
	var changing []string
	for pattern, route := range routes() {
		if route.did != "" {
			changing = append(changing, pattern)
		}
	}
	return changing
}

// Middleware lets through what is served to who may.
func (g Exercise) Middleware() echo.MiddlewareFunc {
	guarded := routes()
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if route, found := guarded[c.Path()]; found {
				if err := g.admit(c, route); err != nil {
					return err
				}
			}
			return next(c)
		}
	}
}

// admit returns what is answered to who may not, nil to who may.
func (g Exercise) admit(c echo.Context, route access) error {
	if g.Served == apisettings.NoRoutes || g.Served == apisettings.ReadRoutes && route.did != "" {
		return &web.Error{Status: http.StatusNotFound, Message: "this server does not serve this route: use /v1, or set STORAGE_EXERCISE_ROUTES"}
	}
	r, now := c.Request(), g.Now()
	caller, unknown := g.Authenticate(r.Context(), r.Header["Authorization"], now)
	if unknown != nil {
		caller = auth.Caller{}
	}
	if err := g.Charge(r, caller, now); err != nil {
		return err
	}
	if unknown != nil {
		return refusal(c, unknown)
	}
	var key object.Key
	if route.prefix != "" {
		var err error
		if key, err = web.Key(r, route.prefix); err != nil {
			return err
		}
	}
	if err := caller.May(route.verb, string(key)); err != nil {
		return refusal(c, err)
	}
	if route.did != "" {
		c.Set(admittedKey, admitted{route, caller.ID, key})
	}
	return nil
}

// refusal is the answer to an error of package auth.
func refusal(c echo.Context, err error) error {
	if challenge := auth.Challenge(err); challenge != "" {
		c.Response().Header().Set("WWW-Authenticate", challenge)
	}
	var invalid *auth.InvalidError
	var forbidden *auth.ForbiddenError
	var unavailable *auth.UnavailableError
	switch {
	case errors.Is(err, auth.ErrMissing):
		return &web.Error{Status: http.StatusUnauthorized, Message: err.Error()}
	case errors.As(err, &invalid):
		return &web.Error{Status: http.StatusUnauthorized, Message: invalid.Reason, Err: invalid.Err}
	case errors.As(err, &forbidden):
		return &web.Error{Status: http.StatusForbidden, Message: forbidden.Error()}
	case errors.As(err, &unavailable):
		return &web.Error{Status: http.StatusServiceUnavailable, Message: unavailable.Message(), Err: unavailable.Err}
	}
	return err
}
