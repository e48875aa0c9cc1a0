// Package browser decides what pages of other sites may make a browser do. What
// is no browser sends none of the fields that it looks at, and is let through.
package browser

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// What named sites may send, and may see, beyond what every site may.
// Source: https://fetch.spec.whatwg.org/#http-cors-protocol
var (
	allowedMethods = strings.Join([]string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete}, ", ")
	allowedFields  = "Authorization, Content-Digest, Content-Type, If-Match, If-Modified-Since, If-None-Match, If-Range, If-Unmodified-Since, Range, Traceparent, Tracestate, X-Request-Id"
	exposedFields  = "Accept-Ranges, Allow, Content-Disposition, Content-Range, ETag, Link, Location, Retry-After, WWW-Authenticate, X-Checksum-Sha256, X-Request-Id, X-Version-Id"
)

// maxAge is how long a preflight's answer is kept, in seconds: the most that
// Chromium takes.
// Source: https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Access-Control-Max-Age
const maxAge = "7200"

// CORS lets pages of the named origins call what is at path and below it, and
// read the answers. Cookies are never asked for: a page sends a key. A page of
// another origin gets what a program gets, and its browser keeps that from it.
func CORS(path string, origins []string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r, h := c.Request(), c.Response().Header()
			if rest, found := strings.CutPrefix(r.URL.Path, path); len(origins) == 0 || !found || rest != "" && rest[0] != '/' {
				return next(c)
			}
			h.Add("Vary", "Origin") // whoever asks: a cache answers the next one
			origin := r.Header.Get("Origin")
			if !slices.Contains(origins, origin) {
				return next(c)
			}
			h.Set("Access-Control-Allow-Origin", origin)
			if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
				h.Set("Access-Control-Allow-Methods", allowedMethods)
				h.Set("Access-Control-Allow-Headers", allowedFields)
				h.Set("Access-Control-Max-Age", maxAge)
				return c.NoContent(http.StatusNoContent)
			}
			h.Set("Access-Control-Expose-Headers", exposedFields)
			return next(c)
		}
	}
}
