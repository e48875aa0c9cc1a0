package exercise_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"cloudstorage/app/object"
	"cloudstorage/app/web"
	"cloudstorage/app/web/exercise"
	"cloudstorage/app/web/webtest"
)

// fake is a store in memory, for what a real one cannot be made to do: fail by
// order, and tell what it was asked. The contract itself is tested on a real
// S3 gateway, in app/cmd/storaged.
type fake struct {
	fail error
	keys []string
	page int

	mu    sync.Mutex
	asked []string
}

func (f *fake) note(op string, k object.Key) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, op+" "+string(k))
}

func (f *fake) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := f.asked
	f.asked = nil
	return asked
}

// end is when all that it signs does.
var end = time.Date(2026, 3, 1, 13, 0, 0, 123, time.FixedZone("", 3600))

func (f *fake) List(_ context.Context, o object.ListOptions) (object.Page, error) {
	f.note("list", object.Key(o.Cursor))
	start, _ := strconv.Atoi(o.Cursor)
	end := min(len(f.keys), start+f.page)
	var page object.Page
	for _, key := range f.keys[start:end] {
		page.Items = append(page.Items, object.Info{Key: object.Key(key)})
	}
	if end < len(f.keys) {
		page.Next = strconv.Itoa(end)
	}
	return page, f.fail
}

func (f *fake) Delete(_ context.Context, k object.Key) (string, error) {
	f.note("delete", k)
	return "", f.fail
}

func (f *fake) SignGet(_ context.Context, k object.Key, ttl time.Duration) (object.Signed, error) {
	f.note("get", k)
	return object.Signed{URL: fmt.Sprintf("https://s3/get?for=%s&sig=<x>", ttl), Expires: end}, f.fail
}

func (f *fake) SignPut(_ context.Context, k object.Key, ttl time.Duration) (object.Signed, error) {
	f.note("put", k)
	return object.Signed{URL: fmt.Sprintf("https://s3/put?for=%s", ttl), Expires: end}, f.fail
}

func (f *fake) Ready(context.Context) error { return f.fail }

// newServer registers the routes on store.
func newServer(store object.Store, log io.Writer) *web.Server {
	s := web.New(web.Config{Log: slog.New(slog.NewJSONHandler(log, nil)), Ready: store.Ready, DrainTimeout: time.Minute})
	exercise.API{Store: store, Bucket: "module02-1", TTL: 10 * time.Minute}.Register(s)
	return s
}

// start serves on a free port until the test ends.
func start(t *testing.T, store object.Store) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- newServer(store, io.Discard).Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// wantShape checks that a body has exactly the given keys, with the status.
func wantShape(t *testing.T, body string, status int, keys ...string) {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Errorf("body %q: %v", body, err)
		return
	}
	var names []string
	for name := range got {
		names = append(names, name)
	}
	slices.Sort(names)
	slices.Sort(keys)
	if !slices.Equal(names, keys) || got["status"] != float64(status) || got["message"] == "" {
		t.Errorf("body %q, want status %d and the keys %v", body, status, keys)
	}
}

func TestEveryRawPathIsReadOnceOrRefused(t *testing.T) {
	t.Parallel()
	store := &fake{}
	address := start(t, store)
	repeat := strings.Repeat
	tests := []struct {
		target string
		key    string // what the store is asked for, where the status is 200
		status int
	}{
		{"/download/a", "a", 200},
		{"/download/a/b/c", "a/b/c", 200},
		{"/download/a%2Fb", "a/b", 200},
		{"/download/a%252Fb", "a%2Fb", 200},
		{"/download/a%20b", "a b", 200},
		{"/download/a+b", "a+b", 200},
		{"/download/a%2Bb", "a+b", 200},
		{"/download/100%25", "100%", 200},
		{"/download/a&b=c", "a&b=c", 200},
		{"/download/%22it's%22", `"it's"`, 200},
		{"/download/%3Cb%3E", "<b>", 200},
		{"/download/a?b=c", "a", 200},
		{"/download/a%3Fb", "a?b", 200},
		{"/download/a#b", "a#b", 200},
		{"/download/a%23b", "a#b", 200},
		{"/download/a;b", "a;b", 200},
		{"/download/a:b", "a:b", 200},
		{"/download/:filename", ":filename", 200},
		{"/download/*", "*", 200},
		{"/download/%C3%A9", "é", 200},
		{"/download/\xc3\xa9", "é", 200},
		{"/download//a", "/a", 200},
		{"/download/a//b", "a//b", 200},
		{"/download/a/", "a/", 200},
		{"/download//", "/", 200},
		{"/download/...", "...", 200},
		{"/download/.a", ".a", 200},
		{"/download/a%5Cb", `a\b`, 200},
		{"/download/download/a", "download/a", 200},
		{"/download/delete/a", "delete/a", 200},
		{"http://elsewhere/download/a", "a", 200},
		{"/download/" + repeat("x", 1024), repeat("x", 1024), 200},
		{"/download/" + repeat("%C3%A9", 512), repeat("é", 512), 200},
		{"/download/" + repeat("%41", 1024), repeat("A", 1024), 200},

		{"/download/", "", 400},
		{"/download/?a", "", 400},
		{"/download/" + repeat("x", 1025), "", 400},
		{"/download/" + repeat("%C3%A9", 513), "", 400},
		{"/download/%00", "", 400},
		{"/download/a%00.txt", "", 400},
		{"/download/a%0D%0AX-Evil:%201", "", 400},
		{"/download/a%0Ab", "", 400},
		{"/download/%1B[2J", "", 400},
		{"/download/%7F", "", 400},
		{"/download/%C2%85", "", 400},
		{"/download/%FF", "", 400},
		{"/download/%C3", "", 400},
		{"/download/%ED%A0%80", "", 400},
		{"/download/%C0%AF", "", 400},
		{"/download/.", "", 400},
		{"/download/..", "", 400},
		{"/download/../etc/passwd", "", 400},
		{"/download/..%2fetc", "", 400},
		{"/download/%2e%2e/x", "", 400},
		{"/download/%2E%2E%2Fx", "", 400},
		{"/download/a/%2e/b", "", 400},
		{"/download/a/../../delete/b", "", 400},
		{"/download/a/..", "", 400},

		{"/download", "", 404},
		{"//download/a", "", 404},
		{"/./download/a", "", 404},
		{"/x/../download/a", "", 404},
		{"/Download/a", "", 404},
		{"/download%2Fa", "", 404},
		{"/%2e%2e/etc/passwd", "", 404},
		{"/nothing", "", 404},
		{"/list_files/", "", 404},
		{"/favicon.ico", "", 404},
	}
	for _, tt := range tests {
		answer := webtest.Do(t, address, "GET", tt.target)
		name := tt.target[:min(len(tt.target), 60)]
		asked := store.take()
		if answer.Status != tt.status || answer.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%q: %q, want %d in JSON", name, answer.Raw, tt.status)
			continue
		}
		if tt.status != http.StatusOK {
			wantShape(t, answer.Body, tt.status, "status", "message")
			if len(asked) != 0 {
				t.Errorf("%q: refused, but the store was asked %q", name, asked)
			}
			continue
		}
		wantShape(t, answer.Body, 200, "status", "message", "content")
		if !slices.Equal(asked, []string{"get " + tt.key}) {
			t.Errorf("%q: the store was asked %q, want get %q", name, asked, tt.key)
		}
	}
}

// net/http itself refuses what is no HTTP, before any route sees it.
func TestWhatIsNoHTTPIsRefused(t *testing.T) {
	t.Parallel()
	store := &fake{}
	address := start(t, store)
	for _, target := range []string{"/delete/%zz", "/delete/%4", "/delete/a\x00b", "/delete/a\x7fb", "/delete/a b", "delete/a", "/delete/a HTTP/1.1\r\nX"} {
		if answer := webtest.Do(t, address, "GET", target); answer.Status != http.StatusBadRequest {
			t.Errorf("%q: %q, want 400", target, answer.Raw)
		}
	}
	if answer := webtest.Do(t, address, "GET", "/", "X: "+strings.Repeat("x", 64<<10)); answer.Status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("64 KiB of headers: %d, want 431", answer.Status)
	}
	if asked := store.take(); len(asked) != 0 {
		t.Errorf("the store was asked %q", asked)
	}
}

func TestHeadAnswersLikeGetWithNoSideEffect(t *testing.T) {
	t.Parallel()
	store := &fake{keys: []string{"a", "b", "c"}, page: 2}
	address := start(t, store)
	for _, target := range []string{"/", "/list_files", "/delete/x", "/download/x", "/upload/x", "/delete/", "/delete/..", "/nothing", "/healthz", "/readyz"} {
		head := webtest.Do(t, address, "HEAD", target, "X-Request-Id: same")
		if asked := store.take(); slices.Contains(asked, "delete x") {
			t.Errorf("HEAD %s deleted", target)
		}
		get := webtest.Do(t, address, "GET", target, "X-Request-Id: same")
		if asked := store.take(); target == "/delete/x" && !slices.Equal(asked, []string{"delete x"}) {
			t.Errorf("GET %s asked %q", target, asked)
		}
		for _, header := range []http.Header{head.Header, get.Header} {
			header.Del("Date")
		}
		if head.Status != get.Status || head.Body != "" || fmt.Sprint(head.Header) != fmt.Sprint(get.Header) {
			t.Errorf("%s:\nHEAD %d %v %q\nGET  %d %v", target, head.Status, head.Header, head.Body, get.Status, get.Header)
		}
		if length := get.Header.Get("Content-Length"); length != strconv.Itoa(len(get.Body)) {
			t.Errorf("%s: Content-Length %q for %d bytes", target, length, len(get.Body))
		}
	}
}

func TestAnAnswerWithAURLSaysWhenItEndsAndIsKeptByNobody(t *testing.T) {
	t.Parallel()
	address := start(t, &fake{})
	for target, expires := range map[string]string{
		"/download/x": "2026-03-01T12:00:00Z", "/upload/x": "2026-03-01T12:00:00Z", "/list_files": "", "/download/": "",
	} {
		h := webtest.Do(t, address, "GET", target).Header
		if got := h.Get("X-Expires-At"); got != expires {
			t.Errorf("%s: X-Expires-At: %q, want %q", target, got, expires)
		}
		if h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", target, h)
		}
	}
}

func TestOtherMethodsAreRefusedAndDoNothing(t *testing.T) {
	t.Parallel()
	store := &fake{}
	address := start(t, store)
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "BREW", "get"} {
		for _, target := range []string{"/", "/list_files", "/delete/x", "/download/x", "/upload/a/b", "/healthz", "/readyz"} {
			answer := webtest.Do(t, address, method, target, "Content-Length: 0")
			if answer.Status != http.StatusMethodNotAllowed || answer.Header.Get("Allow") != "GET, HEAD" || len(answer.Header["Allow"]) != 1 {
				t.Errorf("%s %s: %q, want 405 with Allow: GET, HEAD", method, target, answer.Raw)
				continue
			}
			wantShape(t, answer.Body, 405, "status", "message")
		}
		if answer := webtest.Do(t, address, method, "/nothing"); answer.Status != http.StatusNotFound {
			t.Errorf("%s /nothing: %d, want 404", method, answer.Status)
		}
	}
	for method, target := range map[string]string{"OPTIONS": "*", "CONNECT": "localhost:443"} {
		if answer := webtest.Do(t, address, method, target); answer.Status != 404 && answer.Status != 405 {
			t.Errorf("%s %s: %q, want a refusal", method, target, answer.Raw)
		}
	}
	if asked := store.take(); len(asked) != 0 {
		t.Errorf("the store was asked %q", asked)
	}
}

func TestStoreErrorsBecomeAnswersThatTellNoSecrets(t *testing.T) {
	t.Parallel()
	secret := errors.New("arn:aws:iam::1:role/secret")
	tests := []struct {
		name       string
		err        error
		status     int
		retryAfter string
	}{
		{"invalid", &object.Error{Code: object.CodeInvalid, Op: "s3:Op", Message: "told", Err: secret}, 400, ""},
		{"not found", &object.Error{Code: object.CodeNotFound, Op: "s3:Op", Message: "told", Err: secret}, 404, ""},
		{"denied", &object.Error{Code: object.CodeDenied, Op: "s3:Op", Message: "told", Err: secret}, 502, ""},
		{"unavailable", &object.Error{Code: object.CodeUnavailable, Op: "s3:Op", Message: "told", Err: secret}, 503, "5"},
		{"internal", &object.Error{Code: object.CodeInternal, Op: "s3:Op", Message: "told", Err: secret}, 500, ""},
		{"wrapped", fmt.Errorf("more: %w", &object.Error{Code: object.CodeDenied, Op: "s3:Op", Message: "told", Err: secret}), 502, ""},
		{"unknown", secret, 500, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, target := range []string{"/list_files", "/delete/a", "/download/a", "/upload/a"} {
				var log bytes.Buffer
				w := httptest.NewRecorder()
				newServer(&fake{fail: tt.err}, &log).ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
				if w.Code != tt.status || w.Header().Get("Retry-After") != tt.retryAfter {
					t.Errorf("%s: %d %v, want %d", target, w.Code, w.Header(), tt.status)
				}
				wantShape(t, w.Body.String(), tt.status, "status", "message")
				if strings.Contains(w.Body.String(), "arn:") || strings.Contains(w.Body.String(), "s3:Op") {
					t.Errorf("%s: the answer tells too much: %s", target, w.Body)
				}
				if tt.name != "unknown" && !strings.Contains(log.String(), "s3:Op") || !strings.Contains(log.String(), "arn:") {
					t.Errorf("%s: the log does not say what failed: %s", target, &log)
				}
				if n := strings.Count(log.String(), "\n"); n != 1 {
					t.Errorf("%s: %d lines of log, want 1:\n%s", target, n, &log)
				}
			}
		})
	}
}

func TestSignaturesStayOutOfTheLog(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	w := httptest.NewRecorder()
	newServer(&fake{}, &log).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/download/a?X-Amz-Signature=deadbeef", nil))
	if !strings.Contains(w.Body.String(), "&sig=<x>") {
		t.Errorf("the URL was changed: %s", w.Body)
	}
	if strings.Contains(log.String(), "sig") || strings.Contains(log.String(), "deadbeef") {
		t.Errorf("the log holds a signature: %s", &log)
	}
}

// FuzzKey compares the key that a raw request target leads to with a decoding
// of its own, through net/http's parser and echo's router.
func FuzzKey(f *testing.F) {
	for _, s := range []string{"a", "a/b", "a%2Fb", "a%252Fb", "a+b%20c", "%2e%2e/x", "..", "%ff", "%00", "a?b", "a#b", "//", "", "é", "*", ":x", "%C3%A9", "a;b=c", "%zz"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET /upload/" + raw + " HTTP/1.1\r\nHost: x\r\n\r\n")))
		if err != nil {
			return
		}
		store := &fake{}
		w := httptest.NewRecorder()
		newServer(store, io.Discard).ServeHTTP(w, r)

		path, _, _ := strings.Cut(strings.TrimPrefix(r.RequestURI, "/upload/"), "?")
		want, err := url.PathUnescape(path)
		if err != nil {
			t.Fatalf("net/http accepted %q, url.PathUnescape did not: %v", path, err)
		}
		asked := store.take()
		if _, err := object.ParseKey(want); err != nil {
			if w.Code != http.StatusBadRequest || len(asked) != 0 {
				t.Fatalf("%q: %d, asked %q; want 400", raw, w.Code, asked)
			}
			return
		}
		if w.Code != http.StatusOK || !slices.Equal(asked, []string{"put " + want}) {
			t.Fatalf("%q: %d, asked %q; want put %q", raw, w.Code, asked, want)
		}
		var answer struct{ Message string }
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Message != "Successfully uploaded file '"+want+"' on s3 bucket 'module02-1'" {
			t.Fatalf("%q: message %q (%v)", raw, answer.Message, err)
		}
	})
}
