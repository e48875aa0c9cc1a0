// Package route names the route that answers a request, for whoever observes
// requests: a pattern has no file's name in it, and there are as many as routes.
package route

import "github.com/labstack/echo/v4"

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
