package guard_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/settings/apisettings"
	"cloudstorage/app/web"
	"cloudstorage/app/web/exercise"
	"cloudstorage/app/web/guard"
)

// store answers everything and notes what it was asked.
type store struct{ asked []string }

func (s *store) List(context.Context, object.ListOptions) (object.Page, error) {
	s.asked = append(s.asked, "list")
	return object.Page{}, nil
}

func (s *store) Delete(_ context.Context, k object.Key) (string, error) {
	s.asked = append(s.asked, "delete "+string(k))
	return "", nil
}

func (s *store) SignGet(_ context.Context, k object.Key, _ time.Duration) (object.Signed, error) {
	s.asked = append(s.asked, "get "+string(k))
	return object.Signed{}, nil
}

func (s *store) SignPut(_ context.Context, k object.Key, _ time.Duration) (object.Signed, error) {
	s.asked = append(s.asked, "put "+string(k))
	return object.Signed{}, nil
}

func (s *store) Ready(context.Context) error { return nil }

// down is an issuer that cannot be asked.
type down struct{}

func (down) Authenticate(context.Context, string, time.Time) (auth.Caller, error) {
	return auth.Caller{}, &auth.UnavailableError{Err: errors.New("https://id.example.org: no answer")}
}

// newServer serves the exercise's routes behind g, to the callers of who.
func newServer(g guard.Exercise, who auth.Authenticator) (*web.Server, *store) {
	asked := &store{}
	s := web.New(web.Config{Log: slog.New(slog.DiscardHandler), Ready: asked.Ready, DrainTimeout: time.Minute})
	g.Authenticate = who.Authenticate
	if g.Charge == nil {
		g.Charge = func(*http.Request, auth.Caller, time.Time) error { return nil }
	}
	g.Now = time.Now
	s.Use(g.Middleware())
	exercise.API{Store: asked, Bucket: "module02-1", TTL: time.Minute}.Register(s)
	return s, asked
}

// get asks with a token, "" for none.
func get(s *web.Server, method, target, token string) *httptest.ResponseRecorder {
	w, r := httptest.NewRecorder(), httptest.NewRequest(method, target, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	s.ServeHTTP(w, r)
	return w
}

func TestTheSettingSaysWhichRoutesAreServed(t *testing.T) {
	t.Parallel()
	served := map[apisettings.Routes][]string{
		apisettings.AllRoutes:  {"/", "/list_files", "/download/a", "/upload/a", "/delete/a"},
		apisettings.ReadRoutes: {"/", "/list_files", "/download/a"},
		apisettings.NoRoutes:   {"/"},
	}
	for routes, want := range served {
		s, store := newServer(guard.Exercise{Served: routes}, auth.Authenticator{Off: true})
		for _, target := range served[apisettings.AllRoutes] {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				store.asked = nil
				w := get(s, method, target, "")
				switch {
				case slices.Contains(want, target):
					if w.Code != http.StatusOK {
						t.Errorf("%s: %s %s: %d %s", routes, method, target, w.Code, w.Body)
					}
				case w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "STORAGE_EXERCISE_ROUTES") || len(store.asked) > 0:
					t.Errorf("%s: %s %s: %d %s, and the store was asked %v", routes, method, target, w.Code, w.Body, store.asked)
				}
			}
		}
	}
}

func TestARouteNeedsItsVerbUnderThePrefixOfItsFile(t *testing.T) {
	t.Parallel()
	token := map[string]string{}
	var keys []auth.Key
	for id, grant := range map[string]auth.Grant{
		"lister":     {Verbs: []auth.Verb{auth.List}, Prefixes: []string{""}},
		"list-below": {Verbs: []auth.Verb{auth.List}, Prefixes: []string{"a/"}},
		"reader":     {Verbs: []auth.Verb{auth.Read}, Prefixes: []string{"a/"}},
		"writer":     {Verbs: []auth.Verb{auth.Write}, Prefixes: []string{"a/"}},
		"deleter":    {Verbs: []auth.Verb{auth.Delete}, Prefixes: []string{"a/"}},
	} {
		token[id] = auth.NewToken()
		keys = append(keys, auth.Key{ID: id, SHA256: auth.Hash(token[id]), Verbs: grant.Verbs, Prefixes: grant.Prefixes})
	}
	ring, err := auth.NewKeyring(keys)
	if err != nil {
		t.Fatal(err)
	}
	s, store := newServer(guard.Exercise{Served: apisettings.AllRoutes}, auth.Authenticator{Keys: func() auth.Keyring { return ring }})
	token["nobody"], token["stranger"] = "", auth.NewToken()
	for _, tt := range []struct{ target, allowed, asked string }{
		{"/list_files", "lister", "list"},
		{"/download/a/x", "reader", "get a/x"},
		{"/download/%61%2Fx", "reader", "get a/x"},
		{"/upload/a/x", "writer", "put a/x"},
		{"/delete/a/x", "deleter", "delete a/x"},
		{"/download/b/x", "", ""},
		{"/upload/b/x", "", ""},
		{"/delete/b/x", "", ""},
		{"/delete/a", "", ""},
	} {
		for id := range token {
			store.asked = nil
			w := get(s, http.MethodGet, tt.target, token[id])
			if id == tt.allowed {
				if w.Code != http.StatusOK || !slices.Equal(store.asked, []string{tt.asked}) {
					t.Errorf("%s asks for %s: %d %s, and the store was asked %v", id, tt.target, w.Code, w.Body, store.asked)
				}
				continue
			}
			status, challenge := http.StatusForbidden, `error="insufficient_scope"`
			switch id {
			case "nobody":
				status, challenge = http.StatusUnauthorized, `Bearer realm="storage"`
			case "stranger":
				status, challenge = http.StatusUnauthorized, `error="invalid_token"`
			}
			var body struct {
				Status  int
				Message string
			}
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || body.Status != status || body.Message == "" {
				t.Errorf("%s asks for %s: %s", id, tt.target, w.Body)
			}
			if w.Code != status || !strings.Contains(w.Header().Get("WWW-Authenticate"), challenge) || len(store.asked) > 0 {
				t.Errorf("%s asks for %s: %d %q, and the store was asked %v", id, tt.target, w.Code, w.Header().Get("WWW-Authenticate"), store.asked)
			}
		}
	}
	for _, open := range []string{"/", "/healthz", "/readyz"} {
		if w := get(s, http.MethodGet, open, ""); w.Code != http.StatusOK {
			t.Errorf("%s: %d", open, w.Code)
		}
	}
	if w := get(s, http.MethodGet, "/download/a%00", token["reader"]); w.Code != http.StatusBadRequest {
		t.Errorf("a bad name: %d %s", w.Code, w.Body)
	}
}

func TestAnIssuerThatCannotBeAskedIsNotTheCallersFault(t *testing.T) {
	t.Parallel()
	s, _ := newServer(guard.Exercise{Served: apisettings.AllRoutes}, auth.Authenticator{Issuer: down{}})
	w := get(s, http.MethodGet, "/list_files", "a.b.c")
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || w.Header().Get("WWW-Authenticate") != "" || strings.Contains(w.Body.String(), "example.org") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

func TestEachRequestIsChargedToWhoSendsIt(t *testing.T) {
	t.Parallel()
	token := auth.NewToken()
	ring, err := auth.NewKeyring([]auth.Key{{ID: "reader", SHA256: auth.Hash(token), Verbs: []auth.Verb{auth.Read}, Prefixes: []string{""}}})
	if err != nil {
		t.Fatal(err)
	}
	var charged []string
	g := guard.Exercise{Served: apisettings.AllRoutes, Charge: func(_ *http.Request, caller auth.Caller, _ time.Time) error {
		charged = append(charged, caller.ID)
		return &web.Error{Status: http.StatusTooManyRequests, Message: "wait", RetryAfter: time.Second}
	}}
	s, store := newServer(g, auth.Authenticator{Keys: func() auth.Keyring { return ring }})
	for _, sent := range []string{token, auth.NewToken(), ""} {
		if w := get(s, http.MethodGet, "/download/a", sent); w.Code != http.StatusTooManyRequests {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	if w := get(s, http.MethodGet, "/", ""); w.Code != http.StatusOK {
		t.Errorf("/: %d", w.Code)
	}
	if !slices.Equal(charged, []string{"reader", "", ""}) || len(store.asked) > 0 {
		t.Errorf("charged %q, and the store was asked %v", charged, store.asked)
	}
}

func TestTheRoutesThatChangeSomethingAreUploadAndDelete(t *testing.T) {
	t.Parallel()
	got := guard.Changing()
	slices.Sort(got)
	if !slices.Equal(got, []string{"/delete/*", "/upload/*"}) {
		t.Errorf("%q", got)
	}
}
