package client_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

const key = "cst_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// authorizations collects the Authorization headers that a handler gets.
type authorizations struct {
	mu  sync.Mutex
	got []string
}

func (a *authorizations) note(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.got = append(a.got, strings.Join(r.Header["Authorization"], ","))
		a.mu.Unlock()
		h(w, r)
	}
}

func (a *authorizations) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.got, "|")
}

func TestTheKeyGoesToTheAPIAndNotToTheStorage(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{key: "Bearer " + key, " " + key + "\n": "Bearer " + key, "a.jwt-_~+/token==": "Bearer a.jwt-_~+/token==", "": ""} {
		f := newFake(t)
		var api, storage authorizations
		f.api = api.note(f.sign)
		f.storage = storage.note(func(w http.ResponseWriter, r *http.Request) { f.store(w, r, "x") })
		c := f.client(t, client.WithKey(given))
		if _, err := c.Upload(t.Context(), "x", strings.NewReader("content"), 7, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Download(t.Context(), "x", &strings.Builder{}, nil); err != nil {
			t.Fatal(err)
		}
		if got := api.String(); got != want+"|"+want {
			t.Errorf("%q: the API got %q", given, got)
		}
		if got := storage.String(); got != "|" {
			t.Errorf("%q: the storage got %q", given, got)
		}
	}
}

func TestAKeyThatCannotBeSentIsRefusedAndNotShown(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{"cst_secret secret", "cst_secret\nX-Injected: secret", "Bearer secret", "secret\x00", "sécret", "=secret"} {
		_, err := client.New("127.0.0.1", client.WithKey(wrong))
		if object.CodeOf(err) != object.CodeInvalid || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "copy it again") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestARedirectTakesTheKeyNowhereElse(t *testing.T) {
	t.Parallel()
	var other authorizations
	elsewhere := httptest.NewServer(other.note(func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, "hello", nil) }))
	t.Cleanup(elsewhere.Close)
	f := newFake(t)
	f.api = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+"/?X=secret", http.StatusFound)
	}

	_, err := f.client(t, client.WithKey(key)).Ping(t.Context())
	if object.CodeOf(err) != object.CodeInvalid || !strings.Contains(err.Error(), elsewhere.URL+",") || strings.Contains(err.Error(), "secret") {
		t.Errorf("with a key: %v", err)
	}
	if got := other.String(); got != "" || len(f.waits()) != 0 {
		t.Errorf("asked elsewhere with %q, after %d pauses", got, len(f.waits()))
	}
	if got, err := f.client(t).Ping(t.Context()); got != "hello" || err != nil {
		t.Errorf("without a key: %q, %v", got, err)
	}

	var same authorizations
	f.setAPI(same.note(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/moved", http.StatusFound)
			return
		}
		reply(w, 200, "hello", nil)
	}))
	if got, err := f.client(t, client.WithKey(key)).Ping(t.Context()); got != "hello" || err != nil || same.String() != "Bearer "+key+"|Bearer "+key {
		t.Errorf("to itself: %q, %v, %q", got, err, &same)
	}
	f.setAPI(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) })
	if _, err := f.client(t, client.WithKey(key)).Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "10 redirects") {
		t.Errorf("for ever: %v", err)
	}
}
