package v1_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/auth"
	"cloudstorage/app/web"
	"cloudstorage/app/web/problem"
	"cloudstorage/app/web/route"
	v1 "cloudstorage/app/web/v1"
)

func TestWhatHasNoRouteIsAProblem(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, target := range []string{"/v1", "/v1/", "/v1/file/a", "/v1//files", "/v1/problems/", "/v1/problems/a/b"} {
		s.do(http.MethodGet, target, "").wantProblem(t, problem.NoSuchRoute, "/docs")
	}
	if got := s.do(http.MethodGet, "/v1files", ""); strings.Contains(got.Text, "problem") {
		t.Errorf("/v1files is in the API: %s", got.Text)
	}
}

// The router sees the path as it was sent, and this area's as it was meant.
func TestAPathWhoseFirstSegmentIsEncodedHasNoRoute(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, target := range []string{"/%76%31/files/a", "/v1%2Ffiles/a"} {
		answer := httptest.NewRecorder() // openapi.json does not describe what has no route
		s.Handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil))
		if answer.Code != http.StatusNotFound || !strings.Contains(answer.Body.String(), problem.NoSuchRoute.Type()) {
			t.Errorf("%s: %d %s", target, answer.Code, answer.Body)
		}
	}
}

func TestWhatFollowsALinksTokenDoesNotBringItIntoTheLog(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, target := range []string{"/v1/shared/secret/", "/v1/shared/secret/x", "/v1/links/secret/"} {
		answer := s.do(http.MethodGet, target, "")
		answer.wantProblem(t, problem.NoSuchRoute, "/docs")
	}
	if log := s.Log.String(); strings.Contains(log, "secret") || !strings.Contains(log, "no such route") {
		t.Errorf("the log: %s", log)
	}
}

func TestAProblemIsWrittenAsItIsMeant(t *testing.T) {
	t.Parallel()
	s := start(t)
	answer := s.do(http.MethodPost, "/v1/copies", `{"from":"a","to":"a"}`)
	answer.wantProblem(t, problem.InvalidRequest, "/v1/versions/<key>")
	if !strings.Contains(answer.Text, "/v1/versions/<key>") || answer.ContentLength != int64(len(answer.Text)) {
		t.Errorf("%d bytes: %s", answer.ContentLength, answer.Text)
	}
}

func TestAnotherMethodIsToldThoseThatTheRouteTakes(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, method := range []string{http.MethodPatch, "BREW", http.MethodPost} {
		answer := s.do(method, "/v1/files", "")
		answer.wantProblem(t, problem.MethodNotAllowed, "GET, HEAD")
		if got := answer.Header.Get("Allow"); got != "GET, HEAD" {
			t.Errorf("Allow: %s", got)
		}
	}
	if got := s.do(http.MethodOptions, "/v1/files", "").want(t, http.StatusNoContent, nil).Header.Get("Allow"); got != "GET, HEAD" {
		t.Errorf("OPTIONS: Allow: %s", got)
	}
}

// Metrics and traces name requests by their route: one has no file's name in it.
func TestWhoObservesARequestIsToldItsRouteAndItsCaller(t *testing.T) {
	t.Parallel()
	s := start(t)
	routes := make(chan string, 1)
	s.Handler.(*web.Server).Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			err := next(c)
			routes <- route.Of(c)
			return err
		}
	})
	for target, want := range map[string]string{
		"/v1/files":              "/v1/files",
		"/v1/files/a/b":          "/v1/files/{key...}",
		"/v1/uploads/some":       "/v1/uploads/{id}",
		"/v1/shared/some":        "/v1/shared/{token}",
		"/v1/problems/not-found": "/v1/problems/{name}",
		"/v1/none":               "/v1/*",
	} {
		s.do(http.MethodGet, target, "")
		if got := <-routes; got != want {
			t.Errorf("%s: the route is %s, want %s", target, got, want)
		}
	}
	if log := s.Log.String(); strings.Count(log, `"caller":"root"`) != 3 || strings.Count(log, `"caller":""`) != 2 {
		t.Errorf("the log: %s", log)
	}
}

func TestAConditionThatNobodyChecksIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.put("from", "x")
	there := s.put("there", "x")
	for _, tt := range []struct{ method, target, body string }{
		{http.MethodPost, "/v1/copies", `{"from":"from","to":"there"}`},
		{http.MethodPost, "/v1/moves", `{"from":"from","to":"there"}`},
		{http.MethodPost, "/v1/uploads", `{"key":"there"}`},
		{http.MethodPost, "/v1/batch/delete", `{"keys":["there"]}`},
		{http.MethodPost, "/v1/versions/there?version=" + there.Version, ""},
		{http.MethodDelete, "/v1/files/there", ""},
	} {
		for _, condition := range []string{`If-Match: "x"`, "If-None-Match: *", "If-Unmodified-Since: Thu, 01 Jan 2026 00:00:00 GMT"} {
			s.do(tt.method, tt.target, tt.body, condition).wantProblem(t, problem.InvalidRequest, "without it")
		}
	}
	if now, err := s.Store.Stat(t.Context(), "there", ""); err != nil || now.Version != there.Version {
		t.Errorf("a request that was refused did something: %+v, %v", now, err)
	}
}

func TestAParameterThatARouteDoesNotHaveIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	for query, wayOut := range map[string]string{
		"?prefx=a":            "prefix, delimiter, limit, cursor",
		"?limit=0":            "1 to 1000",
		"?limit=1001":         "1 to 1000",
		"?limit=ten":          "1 to 1000",
		"?prefix=a&prefix=b":  "once",
		"?prefix=%zz":         "percent-encode",
		"?prefix=a%ff":        "UTF-8",
		"?cursor=abc":         "begin without",
		"?cursor=" + "\u00e9": "begin without",
	} {
		s.do(http.MethodGet, "/v1/files"+query, "").wantProblem(t, problem.InvalidRequest, wayOut)
	}
}

func TestWhoCallsIsAskedBeforeAnythingElseIsTold(t *testing.T) {
	t.Parallel()
	s := start(t)
	for name, tt := range map[string]struct{ field, challenge string }{
		"nobody":       {"Authorization: ", `Bearer realm="storage"`},
		"unknown":      {"Authorization: Bearer " + auth.NewToken(), `error="invalid_token"`},
		"other scheme": {"Authorization: Basic YTpi", `error="invalid_token"`},
	} {
		answer := s.do(http.MethodGet, "/v1/files?bad=1", "", tt.field)
		answer.wantProblem(t, problem.Unauthenticated, "")
		if got := answer.Header.Get("WWW-Authenticate"); !strings.Contains(got, tt.challenge) {
			t.Errorf("%s: WWW-Authenticate: %s", name, got)
		}
	}
}

func TestAKeyMayDoItsVerbsBelowItsPrefix(t *testing.T) {
	t.Parallel()
	reader := auth.NewToken()
	s := start(t, func(a *v1.API) { a.Who = keys(t, key("reader", reader, "in/", auth.Read, auth.List)) })
	s.token = reader
	s.put("in/a", "1")
	s.put("out/a", "1")
	s.do(http.MethodHead, "/v1/files/in/a", "").want(t, http.StatusOK, nil)
	s.do(http.MethodGet, "/v1/files?prefix=in/", "").want(t, http.StatusOK, nil)
	for _, target := range []string{"/v1/files", "/v1/files?prefix=in", "/v1/files?prefix=out/"} {
		answer := s.do(http.MethodGet, target, "")
		answer.wantProblem(t, problem.Forbidden, "reader may not list")
		if got := answer.Header.Get("WWW-Authenticate"); !strings.Contains(got, "insufficient_scope") {
			t.Errorf("WWW-Authenticate: %s", got)
		}
	}
	s.do(http.MethodHead, "/v1/files/out/a", "").wantProblem(t, problem.Forbidden, "")
	s.do(http.MethodHead, "/v1/files/out/missing", "").wantProblem(t, problem.Forbidden, "")
}

func TestACallerWhoAsksTooOftenIsToldHowLongToWait(t *testing.T) {
	t.Parallel()
	charged := make(chan string, 3)
	s := start(t, func(a *v1.API) {
		a.Charge = func(_ *http.Request, caller auth.Caller, _ time.Time) error {
			charged <- caller.ID
			return &web.Error{Status: http.StatusTooManyRequests, RetryAfter: 2 * time.Second, Message: "use the batches"}
		}
	})
	// Whoever guesses keys, and whoever asks for what is public, is charged too.
	for _, answer := range []response{
		s.do(http.MethodGet, "/v1/files", ""),
		s.do(http.MethodGet, "/v1/files", "", "Authorization: Bearer "+auth.NewToken()),
		s.do(http.MethodGet, problem.NotFound.Type(), ""),
	} {
		answer.wantProblem(t, problem.RateLimited, "batches")
		if got := answer.Header.Get("Retry-After"); got != "2" {
			t.Errorf("Retry-After: %s, want 2", got)
		}
	}
	for i, want := range []string{"root", "", ""} {
		if got := <-charged; got != want {
			t.Errorf("request %d: charged %q, want %q", i, got, want)
		}
	}
}

func TestEachKindOfProblemIsExplainedAtItsType(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, k := range problem.Kinds() {
		answer := s.do(http.MethodGet, k.Type(), "", "Authorization: ").want(t, http.StatusOK, nil)
		if !strings.Contains(answer.Text, k.Title) || k.Way() == "" {
			t.Errorf("%s: %s", k.Type(), answer.Text)
		}
	}
	browser := s.do(http.MethodGet, problem.NotFound.Type(), "", "Accept: text/html,application/xhtml+xml,*/*;q=0.8").want(t, http.StatusSeeOther, nil)
	if got := browser.Header.Get("Location"); got != "/docs#problem-not-found" {
		t.Errorf("a browser is led to %s", got)
	}
	s.do(http.MethodGet, problem.Path+"none", "").wantProblem(t, problem.NotFound, "no such kind")
}
