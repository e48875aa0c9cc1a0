// Package objecttest is the conformance suite of object.Store: what every store
// must do, tried with plain HTTP against the URLs that it signs.
package objecttest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cloudstorage/app/object"
)

// Names are keys that users trip over. Each must be stored and fetched as it
// is. No segment is over 255 bytes, which is what a file system takes.
func Names() []string {
	return []string{
		"report.pdf", "a/b/c.txt", ".hidden", "no-extension", "..double", "dots...",
		"with space.txt", " leading and trailing ", "a+b.txt", "1+1=2", "100%.txt", "%2e%2e", "%2F", "%00",
		"a&b=c.txt", "what?.txt", "#1.txt", "semi;colon,comma", `"quoted".txt`, "it's.txt", "<b>bold</b>.html", "back\\slash",
		"(a)[b]{c}!$*@~^|`", "ünïcödé.txt", "日本語/ファイル.txt", "🎈.png", "e\u0301.txt", "\u202egnp.exe",
		long(object.MaxKeyBytes),
	}
}

// long returns a key of n bytes in segments that a file system takes.
func long(n int) string {
	return strings.Repeat(strings.Repeat("x", 199)+"/", n/200) + strings.Repeat("y", n%200)
}

// Run runs the suite. newStore returns a store on an empty bucket; do sends the
// signed requests.
func Run(t *testing.T, newStore func(testing.TB) object.Store, do *http.Client) {
	tests := []struct {
		name string
		run  func(*testing.T, object.Store, *http.Client)
	}{
		{"an empty store lists nothing and is ready", empty},
		{"what a signed PUT stores a signed GET fetches, under every name", names},
		{"a listing describes its objects", describes},
		{"a listing is paged, in order, without loss", paging},
		{"a prefix narrows a listing", prefix},
		{"deleting is idempotent", deleting},
		{"the URL of a missing object answers 404", missing},
		{"a URL signed for one method refuses the other", otherMethod},
		{"a tampered URL is refused", tampered},
		{"an impossible lifetime is refused", lifetime},
		{"signing says when the URL ends", expires},
		{"a cancelled context ends a call", cancelled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(t, newStore(t), do)
		})
	}
}

func empty(t *testing.T, s object.Store, _ *http.Client) {
	if got := All(t, s, object.ListOptions{}); len(got) != 0 {
		t.Errorf("listed %v", got)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Errorf("Ready: %v", err)
	}
}

func names(t *testing.T, s object.Store, do *http.Client) {
	for _, name := range Names() {
		Put(t, s, do, name, "content of "+name)
	}
	for _, name := range Names() {
		if status, content := fetch(t, s, do, name); status != http.StatusOK || content != "content of "+name {
			t.Errorf("%q: %d %q", name, status, content)
		}
	}
	want := Names()
	slices.Sort(want)
	if got := All(t, s, object.ListOptions{}); !slices.Equal(got, want) {
		t.Errorf("listed %q\nwant   %q", got, want)
	}
}

func describes(t *testing.T, s object.Store, do *http.Client) {
	before := time.Now().Add(-time.Minute)
	Put(t, s, do, "five", "12345")
	page, err := s.List(t.Context(), object.ListOptions{})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("List: %+v, %v", page, err)
	}
	item := page.Items[0]
	if item.Key != "five" || item.Size != 5 || item.ETag == "" || item.Modified.Before(before) {
		t.Errorf("listed as %+v", item)
	}
}

// paging stores more than S3's own page of 1,000.
func paging(t *testing.T, s object.Store, do *http.Client) {
	const count = 1003
	var want []string
	for i := range count {
		want = append(want, fmt.Sprintf("file-%04d", i))
	}
	var workers sync.WaitGroup
	for part := range slices.Chunk(want, count/8+1) {
		workers.Go(func() {
			for _, name := range part {
				if err := put(t.Context(), s, do, name, name); err != nil {
					t.Errorf("put %s: %v", name, err)
					return
				}
			}
		})
	}
	workers.Wait()
	if t.Failed() {
		return
	}
	first, err := s.List(t.Context(), object.ListOptions{})
	if err != nil || len(first.Items) >= count || first.Next == "" {
		t.Errorf("a default page has %d items and the cursor %q (%v), want a part and a cursor", len(first.Items), first.Next, err)
	}
	for _, limit := range []int{0, 400, 5000} {
		if got := All(t, s, object.ListOptions{Limit: limit}); !slices.Equal(got, want) {
			t.Errorf("limit %d: listed %d names, want the %d in order", limit, len(got), count)
		}
	}
	one, err := s.List(t.Context(), object.ListOptions{Limit: 1})
	if err != nil || len(one.Items) != 1 || one.Next == "" {
		t.Errorf("limit 1: %+v, %v", one, err)
	}
}

func prefix(t *testing.T, s object.Store, do *http.Client) {
	for _, name := range []string{"a-1", "a/1", "a/2", "ab", "b/1"} {
		Put(t, s, do, name, "")
	}
	if got, want := All(t, s, object.ListOptions{Prefix: "a/"}), []string{"a/1", "a/2"}; !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
}

func deleting(t *testing.T, s object.Store, do *http.Client) {
	Put(t, s, do, "keep", "")
	Put(t, s, do, "go", "")
	for range 2 {
		if _, err := s.Delete(t.Context(), "go"); err != nil {
			t.Errorf("Delete: %v", err)
		}
	}
	if _, err := s.Delete(t.Context(), "never/was"); err != nil {
		t.Errorf("Delete of what never was: %v", err)
	}
	if got := All(t, s, object.ListOptions{}); !slices.Equal(got, []string{"keep"}) {
		t.Errorf("left %q", got)
	}
}

func missing(t *testing.T, s object.Store, do *http.Client) {
	if status, _ := fetch(t, s, do, "missing"); status != http.StatusNotFound {
		t.Errorf("status %d, want 404", status)
	}
}

func otherMethod(t *testing.T, s object.Store, do *http.Client) {
	Put(t, s, do, "mine", "original")
	get, err := s.SignGet(t.Context(), "mine", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	get.Method = http.MethodPut
	if status, _, err := send(t.Context(), do, get, "overwritten"); err != nil || status != http.StatusForbidden {
		t.Errorf("PUT to a URL for GET: %d, %v; want 403", status, err)
	}
	if _, content := fetch(t, s, do, "mine"); content != "original" {
		t.Errorf("the object became %q", content)
	}
}

func tampered(t *testing.T, s object.Store, do *http.Client) {
	Put(t, s, do, "mine", "original")
	Put(t, s, do, "other", "secret")
	for name, change := range map[string]func(*url.URL, url.Values){
		"another key":   func(u *url.URL, _ url.Values) { u.Path = strings.TrimSuffix(u.Path, "mine") + "other" },
		"a longer life": func(_ *url.URL, q url.Values) { q.Set("X-Amz-Expires", "604800") },
		"a later start": func(_ *url.URL, q url.Values) {
			q.Set("X-Amz-Date", time.Now().UTC().Add(time.Minute).Format("20060102T150405Z"))
		},
		"another signature":  func(_ *url.URL, q url.Values) { q.Set("X-Amz-Signature", strings.Repeat("0", 64)) },
		"another query":      func(_ *url.URL, q url.Values) { q.Set("response-content-type", "text/html") },
		"no signature":       func(_ *url.URL, q url.Values) { q.Del("X-Amz-Signature") },
		"nothing but a path": func(_ *url.URL, q url.Values) { clear(q) },
	} {
		signed, err := s.SignGet(t.Context(), "mine", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(signed.URL)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		change(u, q)
		u.RawQuery = q.Encode()
		signed.URL = u.String()
		status, content, err := send(t.Context(), do, signed, "")
		if err != nil || status < 400 || status >= 500 || strings.Contains(content, "original") || strings.Contains(content, "secret") {
			t.Errorf("%s: %d %q, %v; want a refusal", name, status, content, err)
		}
	}
}

func lifetime(t *testing.T, s object.Store, _ *http.Client) {
	for _, ttl := range []time.Duration{-time.Minute, 0, 8 * 24 * time.Hour} {
		if signed, err := s.SignGet(t.Context(), "a", ttl); object.CodeOf(err) != object.CodeInvalid {
			t.Errorf("SignGet for %s: %+v, %v; want an invalid error", ttl, signed, err)
		}
	}
}

func expires(t *testing.T, s object.Store, _ *http.Client) {
	before := time.Now()
	signed, err := s.SignPut(t.Context(), "a", 10*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	after := time.Now()
	if signed.Method != http.MethodPut || signed.Expires.Before(before.Add(10*time.Minute)) || signed.Expires.After(after.Add(10*time.Minute)) {
		t.Errorf("signed %s until %s, at %s", signed.Method, signed.Expires, before)
	}
}

func cancelled(t *testing.T, s object.Store, _ *http.Client) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.List(ctx, object.ListOptions{}); object.CodeOf(err) != object.CodeUnavailable {
		t.Errorf("List: %v, want an unavailable error", err)
	}
	if _, err := s.Delete(ctx, "a"); object.CodeOf(err) != object.CodeUnavailable {
		t.Errorf("Delete: %v, want an unavailable error", err)
	}
}

// Expired checks that s, whose clock is at least an hour slow, signs URLs that
// are refused because they have ended.
func Expired(t *testing.T, s object.Store, do *http.Client) {
	for _, sign := range []func(context.Context, object.Key, time.Duration) (object.Signed, error){s.SignGet, s.SignPut} {
		signed, err := sign(t.Context(), "late", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if status, content, err := send(t.Context(), do, signed, "x"); err != nil || status != http.StatusForbidden {
			t.Errorf("%s: %d %q, %v; want 403", signed.Method, status, content, err)
		}
	}
}

// All lists every name, page by page.
func All(t testing.TB, s object.Store, o object.ListOptions) []string {
	t.Helper()
	names := []string{}
	for {
		page, err := s.List(t.Context(), o)
		if err != nil {
			t.Fatalf("List %+v: %v", o, err)
		}
		for _, item := range page.Items {
			names = append(names, string(item.Key))
		}
		if o.Cursor = page.Next; page.Next == "" {
			return names
		}
	}
}

// Put stores content by a signed URL.
func Put(t testing.TB, s object.Store, do *http.Client, name, content string) {
	t.Helper()
	if err := put(t.Context(), s, do, name, content); err != nil {
		t.Fatalf("put %q: %v", name, err)
	}
}

func put(ctx context.Context, s object.Store, do *http.Client, name, content string) error {
	key, err := object.ParseKey(name)
	if err != nil {
		return err
	}
	signed, err := s.SignPut(ctx, key, time.Minute)
	if err != nil {
		return err
	}
	status, answer, err := send(ctx, do, signed, content)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d: %s", status, answer)
	}
	return err
}

func fetch(t testing.TB, s object.Store, do *http.Client, name string) (int, string) {
	t.Helper()
	signed, err := s.SignGet(t.Context(), object.Key(name), time.Minute)
	if err != nil {
		t.Fatalf("sign %q: %v", name, err)
	}
	status, content, err := send(t.Context(), do, signed, "")
	if err != nil {
		t.Fatalf("get %q: %v", name, err)
	}
	return status, content
}

// send sends a signed request as any client would: the URL as it is, and the
// headers that the store named.
func send(ctx context.Context, do *http.Client, signed object.Signed, content string) (int, string, error) {
	var body io.Reader = http.NoBody
	if signed.Method == http.MethodPut {
		body = bytes.NewReader([]byte(content))
	}
	r, err := http.NewRequestWithContext(ctx, signed.Method, signed.URL, body)
	if err != nil {
		return 0, "", err
	}
	for name, values := range signed.Header {
		r.Header[name] = values
	}
	answer, err := do.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(got), err
}
