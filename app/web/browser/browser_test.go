package browser_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/web"
	"cloudstorage/app/web/browser"
)

const page = "https://files.example.org"

// newServer has an area /v1, which refuses /v1/refused, and a route /delete/.
func newServer(use ...echo.MiddlewareFunc) *web.Server {
	s := web.New(web.Config{Log: slog.New(slog.DiscardHandler), Ready: func(context.Context) error { return nil }, DrainTimeout: time.Minute})
	for _, m := range use {
		s.Use(m)
	}
	s.Mount(web.Area{
		Path: "/v1",
		Handle: func(c echo.Context) error {
			if c.Request().Method == http.MethodOptions {
				return c.NoContent(http.StatusMethodNotAllowed)
			}
			if c.Request().URL.Path == "/v1/refused" {
				return &web.Error{Status: http.StatusNotFound, Message: "nothing"}
			}
			return c.NoContent(http.StatusOK)
		},
		Fail: func(_ error, c echo.Context) { _ = c.NoContent(http.StatusForbidden) },
	})
	s.Get("/delete/*", func(c echo.Context) error { return web.Answer(c, "deleted", nil) })
	s.Get("/list_files", func(c echo.Context) error { return web.Answer(c, "listed", nil) })
	return s
}

// ask sends a request with fields, which are "Name: value".
func ask(s *web.Server, method, target string, fields ...string) *httptest.ResponseRecorder {
	w, r := httptest.NewRecorder(), httptest.NewRequest(method, "http://storage.example.org"+target, nil)
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Add(name, value)
	}
	s.ServeHTTP(w, r)
	return w
}

// names are a comma-separated field's items.
func names(w *httptest.ResponseRecorder, field string) map[string]bool {
	items := map[string]bool{}
	for item := range strings.SplitSeq(w.Header().Get(field), ", ") {
		items[item] = true
	}
	return items
}

func TestANamedSitesPagesMayCallAndReadTheAnswers(t *testing.T) {
	t.Parallel()
	s := newServer(browser.CORS("/v1", []string{"https://other.example.org", page}))
	w := ask(s, http.MethodOptions, "/v1/files/a", "Origin: "+page, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: authorization,content-type")
	if w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Origin") != page || w.Header().Get("Access-Control-Max-Age") != "7200" {
		t.Errorf("preflight: %d %v", w.Code, w.Header())
	}
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE"} {
		if !names(w, "Access-Control-Allow-Methods")[method] {
			t.Errorf("%s is not allowed", method)
		}
	}
	for _, field := range []string{"Authorization", "Content-Type", "If-Match", "If-None-Match", "Range", "Content-Digest"} {
		if !names(w, "Access-Control-Allow-Headers")[field] {
			t.Errorf("%s is not allowed", field)
		}
	}
	for _, target := range []string{"/v1", "/v1/files/a", "/v1/refused"} { // a page must see why, too
		w := ask(s, http.MethodGet, target, "Origin: "+page)
		if w.Header().Get("Access-Control-Allow-Origin") != page || w.Header().Get("Vary") != "Origin" {
			t.Errorf("%s: %v", target, w.Header())
		}
		for _, field := range []string{"ETag", "Link", "Location", "Content-Range", "Retry-After", "X-Request-Id"} {
			if !names(w, "Access-Control-Expose-Headers")[field] {
				t.Errorf("%s: %s is not exposed", target, field)
			}
		}
	}
}

func TestAnyOtherSitesPageGetsWhatAProgramGets(t *testing.T) {
	t.Parallel()
	named, none := newServer(browser.CORS("/v1", []string{page})), newServer(browser.CORS("/v1", nil))
	for name, tt := range map[string]struct {
		server *web.Server
		origin string
		target string
		vary   string
	}{
		"another site":         {named, "https://evil.example.org", "/v1/files", "Origin"},
		"a site's other port":  {named, page + ":8443", "/v1/files", "Origin"},
		"a longer name":        {named, page + ".evil.example", "/v1/files", "Origin"},
		"no site in plain":     {named, "null", "/v1/files", "Origin"},
		"a program":            {named, "", "/v1/files", "Origin"},
		"the exercise's route": {named, page, "/list_files", ""},
		"beside the area":      {named, page, "/v1x", ""},
		"where none are named": {none, page, "/v1/files", ""},
	} {
		var fields []string
		if tt.origin != "" {
			fields = []string{"Origin: " + tt.origin}
		}
		for method, fields := range map[string][]string{
			http.MethodGet:     fields,
			http.MethodOptions: append(fields, "Access-Control-Request-Method: PUT"),
		} {
			w := ask(tt.server, method, tt.target, fields...)
			for field := range w.Header() {
				if strings.HasPrefix(field, "Access-Control-") {
					t.Errorf("%s: %s: %s", name, method, field)
				}
			}
			if w.Code == http.StatusNoContent || w.Header().Get("Vary") != tt.vary {
				t.Errorf("%s: %s: %d, Vary %q", name, method, w.Code, w.Header().Get("Vary"))
			}
		}
	}
}

func TestOptionsThatIsNoPreflightIsTheRoutes(t *testing.T) {
	t.Parallel()
	w := ask(newServer(browser.CORS("/v1", []string{page})), http.MethodOptions, "/v1/files", "Origin: "+page)
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("%d", w.Code)
	}
}

func TestWhatOtherSitesWriteIsRefused(t *testing.T) {
	t.Parallel()
	protection, err := browser.CrossSite([]string{page})
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(protection)
	for name, tt := range map[string]struct {
		method string
		fields []string
		status int
	}{
		"a program":               {http.MethodPost, nil, 200},
		"another site's form":     {http.MethodPost, []string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.example.org"}, 403},
		"a neighbour's form":      {http.MethodPost, []string{"Sec-Fetch-Site: same-site", "Origin: https://evil.example.org"}, 403},
		"over plain HTTP":         {http.MethodPost, []string{"Origin: http://evil.example.org"}, 403},
		"a sandboxed frame":       {http.MethodPost, []string{"Origin: null"}, 403},
		"a named site":            {http.MethodPost, []string{"Sec-Fetch-Site: cross-site", "Origin: " + page}, 200},
		"a page of this server":   {http.MethodPost, []string{"Sec-Fetch-Site: same-origin", "Origin: http://storage.example.org"}, 200},
		"it in an older browser":  {http.MethodPost, []string{"Origin: http://storage.example.org"}, 200},
		"another site that reads": {http.MethodGet, []string{"Sec-Fetch-Site: cross-site"}, 200},
		"another site's DELETE":   {http.MethodDelete, []string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.example.org"}, 403},
	} {
		if w := ask(s, tt.method, "/v1/copies", tt.fields...); w.Code != tt.status {
			t.Errorf("%s: %d, want %d", name, w.Code, tt.status)
		}
	}
}

func TestAnOriginThatIsNoneIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := browser.CrossSite([]string{"files.example.org"}); err == nil || !strings.Contains(err.Error(), "files.example.org") {
		t.Error(err)
	}
}

func TestAChangingGETIsOnlyForPagesThatUsersOpen(t *testing.T) {
	t.Parallel()
	s := newServer(browser.NavigationOnly("/delete/*"))
	navigation := func(site string, more ...string) []string {
		return append([]string{"Sec-Fetch-Site: " + site, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}, more...)
	}
	for name, tt := range map[string]struct {
		fields []string
		open   bool
	}{
		"curl":                            {nil, true},
		"Node's fetch":                    {[]string{"Sec-Fetch-Mode: cors"}, true},
		"a typed address":                 {navigation("none", "Sec-Fetch-User: ?1"), true},
		"a bookmark or a restored tab":    {navigation("none"), true},
		"a link of this server":           {navigation("same-origin"), true},
		"a typed address in plain HTTP":   {[]string{"Accept: text/html"}, true},
		"another site's link":             {navigation("cross-site", "Sec-Fetch-User: ?1"), false},
		"a neighbour's link":              {navigation("same-site"), false},
		"a site that is no site":          {navigation("what-comes-next"), false},
		"an image":                        {[]string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"}, false},
		"an image of this server":         {[]string{"Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"}, false},
		"a frame":                         {[]string{"Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"}, false},
		"a script":                        {[]string{"Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"}, false},
		"an extension":                    {[]string{"Sec-Fetch-Site: none", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"}, false},
		"a prefetch":                      {navigation("none", "Sec-Purpose: prefetch"), false},
		"a prerender":                     {navigation("none", "Sec-Purpose: prefetch;prerender"), false},
		"a prefetch by a proxy":           {[]string{"Sec-Purpose: prefetch;anonymous-client-ip"}, false},
		"an older prefetch":               {[]string{"Purpose: prefetch"}, false},
		"a preview":                       {[]string{"X-Purpose: preview"}, false},
		"Firefox's older prefetch":        {[]string{"X-Moz: prefetch"}, false},
		"another site's page, plain HTTP": {[]string{"Referer: http://evil.example.org/"}, false},
		"this server's page, plain HTTP":  {[]string{"Referer: http://storage.example.org/"}, true},
		"another site's script, plain":    {[]string{"Origin: http://evil.example.org"}, false},
		"nobody's script, plain HTTP":     {[]string{"Origin: null"}, false},
		"a referrer that is none":         {[]string{"Referer: http://[::1"}, false},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			w := ask(s, method, "/delete/a", tt.fields...)
			if tt.open && w.Code != http.StatusOK || !tt.open && (w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "curl")) {
				t.Errorf("%s: %s: %d %s", name, method, w.Code, w.Body)
			}
		}
		if w := ask(s, http.MethodGet, "/list_files", tt.fields...); w.Code != http.StatusOK {
			t.Errorf("%s: a route that changes nothing: %d", name, w.Code)
		}
	}
}
