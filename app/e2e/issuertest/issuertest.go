// Package issuertest gives tests a real OpenID Connect issuer: the issuer module
// beside it.
package issuertest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"cloudstorage/app/e2e/child"
)

// Issuer is a running issuer. It ends with its test.
type Issuer struct {
	URL string `json:"issuer"` // http://127.0.0.1:port

	child *child.Child
}

// Client is who gets tokens, and what these say.
type Client struct {
	ID       string         `json:"id"` // the tokens' subject
	Secret   string         `json:"secret"`
	Audience []string       `json:"audience"`
	Seconds  int            `json:"seconds"` // how long the tokens live
	Claims   map[string]any `json:"claims,omitempty"`
}

// Start starts an issuer with no clients.
func Start(t testing.TB) Issuer {
	t.Helper()
	i := Issuer{}
	i.child = child.Start(t, "issuer", &i)
	return i
}

// Token registers c, or changes it, and returns a token for it by the client
// credentials grant.
func (i Issuer) Token(t testing.TB, c Client) string {
	t.Helper()
	if c.Secret == "" {
		c.Secret = "secret of " + c.ID
	}
	i.do(t, map[string]any{"client": c})
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"files"}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, i.URL+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(c.Secret))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var token struct {
		AccessToken string `json:"access_token"`
		Description string `json:"error_description"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&token); err != nil || token.AccessToken == "" {
		t.Fatalf("the issuer gave no token: %s %s, %v", answer.Status, token.Description, err)
	}
	return token.AccessToken
}

// Rotate makes the issuer sign with a new key of the other kind (RSA, ECDSA);
// the one before stays published where keep says so.
func (i Issuer) Rotate(t testing.TB, keep bool) {
	t.Helper()
	what := "drop"
	if keep {
		what = "keep"
	}
	i.do(t, map[string]any{"rotate": what})
}

// Stop ends the issuer and returns when it has gone, for tests of its absence.
func (i Issuer) Stop() { i.child.Stop() }

func (i Issuer) do(t testing.TB, command map[string]any) {
	t.Helper()
	line, err := json.Marshal(command)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Error string }
	i.child.Do(t, string(line), &answer)
	if answer.Error != "" {
		t.Fatalf("the issuer refused %s: %s", line, answer.Error)
	}
}
