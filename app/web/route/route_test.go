package route_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/web/route"
)

func TestARouteIsAPatternWhateverIsAsked(t *testing.T) {
	t.Parallel()
	e := echo.New()
	var got string
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			err := next(c)
			got = route.Of(c)
			return err
		}
	})
	e.GET("/download/*", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	e.RouteNotFound("/v1/*", func(c echo.Context) error {
		if c.Request().URL.Path == "/v1/files/secret" {
			route.Set(c, "/v1/files/{key...}")
		}
		return c.NoContent(http.StatusOK)
	})
	for _, tt := range []struct{ method, target, want string }{
		{http.MethodGet, "/download/secret", "/download/*"},
		{http.MethodGet, "/v1/files/secret", "/v1/files/{key...}"},
		{http.MethodGet, "/v1/secret", "/v1/*"},
		{http.MethodPost, "/download/secret", "/download/*"},
		{http.MethodGet, "/secret", route.Unmatched},
		{http.MethodGet, "/download", route.Unmatched},
	} {
		e.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(tt.method, tt.target, nil))
		if got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.method, tt.target, got, tt.want)
		}
	}
}

func TestAMethodThatClientsMakeUpIsOther(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]string{"GET": "GET", "DELETE": "DELETE", "OPTIONS": "OPTIONS", "BREW": "_OTHER", "get": "_OTHER"} {
		if got := route.Method(echo.New().NewContext(httptest.NewRequest(method, "/", nil), nil)); got != want {
			t.Errorf("%s: %s, want %s", method, got, want)
		}
	}
}
