package v1

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/web"
	"cloudstorage/app/web/browser"
	"cloudstorage/app/web/problem"
)

// What every page may send and read, and what is the browser's own to read.
// Source: https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name
var safe = []string{"Accept", "Content-Length", "Content-Type", "Last-Modified", "Content-Security-Policy"}

func TestAPageOfANamedSiteMaySendAndReadEveryFieldOfTheAPI(t *testing.T) {
	t.Parallel()
	const page = "https://files.example.org"
	server := web.New(web.Config{Log: slog.New(slog.DiscardHandler)})
	server.Use(browser.CORS(Path, []string{page}))
	(&API{Now: time.Now}).Register(server)
	ask := func(method, field string) map[string]bool {
		r := httptest.NewRequestWithContext(t.Context(), method, problem.NotFound.Type(), nil)
		r.Header.Set("Origin", page)
		r.Header.Set("Access-Control-Request-Method", http.MethodPut)
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		names := map[string]bool{}
		for name := range strings.SplitSeq(w.Header().Get(field), ", ") {
			names[name] = true
		}
		return names
	}
	allowed, exposed := ask(http.MethodOptions, "Access-Control-Allow-Headers"), ask(http.MethodGet, "Access-Control-Expose-Headers")
	for _, o := range operations() {
		for _, f := range o.headers {
			if !allowed[f.name] && !slices.Contains(safe, f.name) {
				t.Errorf("%s: a page may not send %s", o.id, f.name)
			}
		}
		for _, a := range o.answers {
			for _, f := range a.headers {
				if !exposed[f.name] && !slices.Contains(safe, f.name) {
					t.Errorf("%s: a page may not read %s", o.id, f.name)
				}
			}
		}
	}
}
