package v1_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"cloudstorage/app/object"
)

func TestTheStorageRefusesWhatASignedPutDoesNotSay(t *testing.T) {
	t.Parallel()
	s := start(t)
	there := s.put("there", "there")
	sum := sha256.Sum256([]byte("text"))
	digest := `"sha256":"` + hex.EncodeToString(sum[:]) + `"`
	match, err := json.Marshal(there.ETag)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		key    string
		terms  string
		change func(map[string]string)
		body   string
		want   int
	}{
		{"as it says", "a", `{"type":"text/plain; charset=utf-8","size":4,"if_new":true,` + digest + `}`, nil, "text", http.StatusOK},
		{"anything", "b", `{}`, nil, "text", http.StatusOK},
		{"any type", "b", `{}`, func(h map[string]string) { h["Content-Type"] = "text/html" }, "text", http.StatusOK},

		{"another type", "c", `{"type":"text/plain"}`, func(h map[string]string) { h["Content-Type"] = "text/html" }, "text", http.StatusForbidden},
		{"no type", "c", `{"type":"text/plain"}`, func(h map[string]string) { delete(h, "Content-Type") }, "text", http.StatusForbidden},
		{"more bytes", "c", `{"size":4}`, nil, "text!", http.StatusForbidden},
		{"no bytes", "none", `{"size":0}`, nil, "", http.StatusOK},
		{"bytes where none were signed", "c", `{"size":0}`, nil, "x", http.StatusForbidden},
		{"fewer bytes", "c", `{"size":4}`, nil, "tex", http.StatusForbidden},
		{"other content", "c", `{` + digest + `}`, nil, "TEXT", http.StatusBadRequest},
		{"without its digest", "c", `{` + digest + `}`, func(h map[string]string) { delete(h, "X-Amz-Checksum-Sha256") }, "TEXT", http.StatusForbidden},
		{"over a file", "there", `{"if_new":true}`, nil, "text", http.StatusPreconditionFailed},
		{"over a file without its condition", "there", `{"if_new":true}`, func(h map[string]string) { delete(h, "If-None-Match") }, "text", http.StatusForbidden},
		{"over another file", "there", `{"if_match":"\"x\""}`, nil, "text", http.StatusPreconditionFailed},
		{"over another file without its condition", "there", `{"if_match":"\"x\""}`, func(h map[string]string) { delete(h, "If-Match") }, "text", http.StatusForbidden},
		{"over the file that it names", "there", `{"if_match":` + string(match) + `}`, nil, "text", http.StatusOK},
	} {
		var got signed
		answer := s.do(http.MethodPut, at(tt.key)+"?sign=1", tt.terms).want(t, http.StatusOK, &got)
		if got.Method != http.MethodPut || got.Headers == nil || answer.Header.Get("Cache-Control") != "no-store" || answer.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %s, %v", tt.name, answer.Text, answer.Header)
		}
		if lives := time.Until(got.Expires); lives < 9*time.Minute || lives > 10*time.Minute {
			t.Errorf("%s: it lives until %s", tt.name, got.Expires)
		}
		s.wantAudit(`"did":"file.sign-put"`, `"who":"root"`, `"key":"`+tt.key+`"`, answer.Header.Get("X-Request-Id"))
		if tt.change != nil {
			tt.change(got.Headers)
		}
		if stored := got.send(t, tt.body); stored.StatusCode != tt.want {
			t.Errorf("%s: %d %s, want %d", tt.name, stored.StatusCode, stored.Text, tt.want)
		}
	}
	if _, err := s.Store.Stat(t.Context(), "c", ""); object.CodeOf(err) != object.CodeNotFound {
		t.Errorf("what was refused is there: %v", err)
	}
	if got := s.do(http.MethodHead, "/v1/files/a", "").Header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
		t.Errorf("it was stored as %s", got)
	}
}
