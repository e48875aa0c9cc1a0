package browser

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/web"
)

// CrossSite refuses what pages of other sites make a browser write, by any
// method but GET, HEAD and OPTIONS, unless they are of a named origin: where
// access is open, a network that only its own people reach is no protection from
// the pages that they look at.
func CrossSite(origins []string) (echo.MiddlewareFunc, error) {
	protection := http.NewCrossOriginProtection()
	for _, origin := range origins {
		if err := protection.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("trust the origin %q: %w", origin, err)
		}
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := protection.Check(c.Request()); err != nil {
				return &web.Error{Status: http.StatusForbidden, Message: "a page of another site may not do this: name its origin in STORAGE_WEB_ORIGINS if it shall", Err: err}
			}
			return next(c)
		}
	}, nil
}
