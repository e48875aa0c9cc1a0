package v1_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/web"
	v1 "cloudstorage/app/web/v1"
)

// another serves the same bucket to the same callers from another instance.
func (s *service) another(t testing.TB, api v1.API) *service {
	t.Helper()
	server := web.New(web.Config{Log: slog.New(slog.DiscardHandler), Ready: s.Store.Ready, DrainTimeout: time.Second})
	api.Register(server)
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	other := *s
	other.URL = listener.URL
	return &other
}

// signed is a request that anyone can send, as the API answers it.
type signed struct {
	Method, URL string
	Headers     map[string]string
	Expires     time.Time `json:"expires_at"`
}

// send sends body by it, to the storage itself.
func (r signed) send(t testing.TB, body string) response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), r.Method, r.URL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range r.Headers {
		request.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{answer, string(text)}
}

// content reads a file, past the API; "" is the newest version.
func (s *service) content(k, version string) string {
	s.t.Helper()
	r, err := s.Store.SignRead(s.t.Context(), object.Key(k), time.Minute, file.ReadOptions{Version: version})
	if err != nil {
		s.t.Fatal(err)
	}
	return signed{Method: r.Method, URL: r.URL}.send(s.t, "").want(s.t, http.StatusOK, nil).Text
}

// wantAudit fails the test unless there is a line in the audit that has all of
// words.
func (s *service) wantAudit(words ...string) {
	s.t.Helper()
lines:
	for line := range strings.Lines(s.Audit.String()) {
		for _, w := range words {
			if !strings.Contains(line, w) {
				continue lines
			}
		}
		return
	}
	s.t.Errorf("no line of the audit has %q:\n%s", words, s.Audit)
}
