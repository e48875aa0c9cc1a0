package guard

import (
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/object"
	"cloudstorage/app/web/audit"
)

// admittedKey is where Audit finds who was admitted, and to what.
const admittedKey = "guard.admitted"

// admitted is a request that may change something.
type admitted struct {
	access
	caller string
	key    object.Key
}

// Audit writes what the exercise's routes changed, as the API does for its own.
// It stands inside of Exercise, which knows who asks.
func Audit(log *slog.Logger) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			err := next(c)
			a, known := c.Get(admittedKey).(admitted)
			if err != nil || !known || c.Request().Method != http.MethodGet {
				return err
			}
			h := c.Response().Header()
			var more []slog.Attr
			if expires := h.Get("X-Expires-At"); expires != "" {
				more = append(more, slog.String("expires", expires))
			}
			audit.Write(c.Request().Context(), log, audit.Change{
				Who: a.caller, Did: a.did, Key: a.key, Version: h.Get("X-Version-Id"), RequestID: h.Get("X-Request-Id"),
			}, more...)
			return nil
		}
	}
}
