// Package route names the kinds of requests for whoever observes them: a pattern
// has no file's name in it, and there are only as many names as routes.
package route

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// Unmatched stands for all that no route answers.
const Unmatched = "unmatched"

const contextKey = "route"

// Set names the route of a request that an area routed by itself, such as
// /v1/files/{key...}. Pattern must be one of a fixed set.
func Set(c echo.Context, pattern string) { c.Set(contextKey, pattern) }

// Of returns what Set was given, or else the pattern of the router.
func Of(c echo.Context) string {
	if pattern, ok := c.Get(contextKey).(string); ok {
		return pattern
	}
	if c.Path() == "" {
		return Unmatched
	}
	return c.Path()
}

// Answer calls what answers the request and answers its error at once, so that
// the status is known.
func Answer(c echo.Context, next echo.HandlerFunc) (status int, err error) {
	if err = next(c); err != nil {
		c.Error(err)
	}
	return c.Response().Status, err
}

// OtherMethod stands for the methods that clients make up, as OpenTelemetry
// calls them.
// Source: https://opentelemetry.io/docs/specs/semconv/http/http-spans/
const OtherMethod = "_OTHER"

// Method returns the request's method, or OtherMethod.
func Method(c echo.Context) string {
	switch method := c.Request().Method; method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return OtherMethod
}
