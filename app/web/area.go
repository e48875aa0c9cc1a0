package web

import (
	"strings"

	"github.com/labstack/echo/v4"
)

// Area is a part of the server that routes by itself and has its own shape of
// errors.
type Area struct {
	Path   string // such as /v1: itself and everything below it, whatever the method
	Handle echo.HandlerFunc
	Fail   func(error, echo.Context) // answers an error, of Handle or of a middleware
	Secret []string                  // paths whose rest is as good as a key: no log gets it
}

// holds says whether path is in the area.
func (a Area) holds(path string) bool {
	rest, found := strings.CutPrefix(path, a.Path)
	return found && (rest == "" || rest[0] == '/')
}

// loggable is path without what is secret in it.
func (s *Server) loggable(path string) string {
	for _, area := range s.areas {
		for _, before := range area.Secret {
			if strings.HasPrefix(path, before) {
				return before + "…"
			}
		}
	}
	return path
}
