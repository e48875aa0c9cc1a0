// Package toxictest puts a real network that fails between a test's client and
// its server: the toxic module beside it.
package toxictest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"cloudstorage/app/e2e/child"
)

// Toxic is what happens to the bytes of every connection.
// Source: https://github.com/Shopify/toxiproxy#toxics
type Toxic struct {
	Type       string         `json:"type"`
	Stream     string         `json:"stream"` // upstream (requests) or downstream (answers)
	Attributes map[string]int `json:"attributes"`
	Toxicity   float64        `json:"toxicity,omitempty"` // the share of connections; 0 is all
}

// Proxy passes connections on to a server. It ends with its test.
type Proxy struct {
	URL string // http://127.0.0.1:port

	api string
}

// Start passes everything on to server, a URL without a path.
func Start(t testing.TB, server string) Proxy {
	t.Helper()
	var ready struct{ API string }
	child.Start(t, "toxic", &ready)
	p := Proxy{api: ready.API}
	var made struct{ Listen string }
	p.post(t, "/proxies", map[string]any{"name": "store", "listen": "127.0.0.1:0", "upstream": strings.TrimPrefix(server, "http://")}, &made)
	p.URL = "http://" + made.Listen
	return p
}

// Add makes connections suffer, those that there are and those that come.
func (p Proxy) Add(t testing.TB, toxics ...Toxic) {
	t.Helper()
	for _, toxic := range toxics {
		p.post(t, "/proxies/store/toxics", toxic, nil)
	}
}

// Heal ends all that Add did. A connection that lost bytes is closed.
func (p Proxy) Heal(t testing.TB) {
	t.Helper()
	p.post(t, "/reset", nil, nil)
}

// Cut closes all connections and refuses new ones, until Heal.
func (p Proxy) Cut(t testing.TB) {
	t.Helper()
	p.post(t, "/proxies/store", map[string]any{"enabled": false}, nil)
}

func (p Proxy) post(t testing.TB, path string, body, answer any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.api+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("tell the proxy: %v", err)
	}
	defer got.Body.Close()
	if got.StatusCode >= 300 {
		t.Fatalf("the proxy refused %s %s: %s", path, text, got.Status)
	}
	if answer == nil {
		return
	}
	if err := json.NewDecoder(got.Body).Decode(answer); err != nil {
		t.Fatal(err)
	}
}
