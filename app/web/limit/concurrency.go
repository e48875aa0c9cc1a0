package limit

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/settings"
	"cloudstorage/app/web"
)

// busyWait is what a client is told to wait when the server is full: most
// requests take milliseconds.
const busyWait = time.Second

// Concurrency answers at most n requests at once, 1 or more; -1 is any number. One more is
// refused at once, since a queue would only make everybody wait. The probes are
// let in: a full server is alive.
func Concurrency(n int) echo.MiddlewareFunc {
	if n < 0 {
		return func(next echo.HandlerFunc) echo.HandlerFunc { return next }
	}
	places := make(chan struct{}, n)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if path := c.Request().URL.Path; path == settings.HealthPath || path == settings.ReadyPath {
				return next(c)
			}
			select {
			case places <- struct{}{}:
			default:
				return &web.Error{Status: http.StatusServiceUnavailable, RetryAfter: busyWait, Message: "the server is busy: try again in a second"}
			}
			defer func() { <-places }()
			return next(c)
		}
	}
}
