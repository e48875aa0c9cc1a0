package client_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

// names is what users call their files, and trips servers over.
var names = []object.Key{
	"a", "report.pdf", "a b", " ", "a+b", "100%", "a%20b", "%2e%2e", "%ff", "a&b=c", "a#b", "a?b", `"it's"`, `back\slash`, "<b>", "a;b,c:d@e",
	"ünïcödé", "日本語/ファイル", "🎈", "a/b/c", "a//b", "/a", "a/", "/", "...", ".hidden", "list_files", "http://x/y",
	object.Key(strings.Repeat("é", object.MaxKeyBytes/2)),
}

func TestNamesArriveDecodedExactlyOnce(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := f.client(t)
	var want []string
	for _, name := range names {
		if _, err := c.Delete(t.Context(), name); err != nil {
			t.Errorf("Delete(%q): %v", name, err)
		}
		want = append(want, "/delete/"+string(name))
	}
	if !slices.Equal(f.requests(), want) {
		t.Errorf("the API got %q, want %q", f.requests(), want)
	}
}

func TestAnAddressWithAPathKeepsIt(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := newClient(t, f.URL+"/store%2Fage/v1/")
	if _, err := c.Delete(t.Context(), "a/b"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"/store/age/v1/delete/a/b", "/store/age/v1/"}; !slices.Equal(f.requests(), want) {
		t.Errorf("the API got %q, want %q", f.requests(), want)
	}
}

func TestBadNamesAreRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := f.client(t)
	for _, name := range []object.Key{"", "..", "a/../b", "./a", "a\x00b", "a\r\nb", "\x1b[2J", "\xff", object.Key(strings.Repeat("a", 1025))} {
		_, deleted := c.Delete(t.Context(), name)
		_, signed := c.SignDownload(t.Context(), name)
		_, uploaded := c.Upload(t.Context(), name, strings.NewReader("x"), 1, nil)
		_, downloaded := c.Download(t.Context(), name, &strings.Builder{}, nil)
		_, saved := c.DownloadFile(t.Context(), name, t.TempDir(), nil)
		for _, err := range []error{deleted, signed, uploaded, downloaded, saved} {
			if object.CodeOf(err) != object.CodeInvalid {
				t.Errorf("%q: %v, want it refused", name, err)
			}
		}
	}
	if len(f.requests()) > 0 {
		t.Errorf("the API was asked: %q", f.requests())
	}
}

func TestListReturnsAllNames(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.api = func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, "listed", []string{"a/b", "c\x1bd"}) }
	got, err := f.client(t).List(t.Context())
	want := []object.Info{{Key: "a/b", Size: client.UnknownSize}, {Key: "c\x1bd", Size: client.UnknownSize}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("List = %v, %v; want %v", got, err, want)
	}
}

func TestListOfAnEmptyBucketIsEmptyAndNoError(t *testing.T) {
	t.Parallel()
	got, err := newFake(t).client(t).List(t.Context())
	if err != nil || got == nil || len(got) != 0 {
		t.Errorf("List = %#v, %v", got, err)
	}
}

func TestSignedRequestsSayHowToSendThem(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := f.client(t)
	get, err := c.SignDownload(t.Context(), "a b")
	if err != nil || get.Method != http.MethodGet || get.URL != f.URL+"/bucket/a%20b?"+query {
		t.Errorf("SignDownload = %+v, %v", get, err)
	}
	put, err := c.SignUpload(t.Context(), "a b")
	if err != nil || put.Method != http.MethodPut || put.URL != f.URL+"/bucket/a%20b?"+query {
		t.Errorf("SignUpload = %+v, %v", put, err)
	}
}

func TestErrorsOfTheAPIKeepStatusAndMessage(t *testing.T) {
	t.Parallel()
	for status, code := range map[int]object.Code{
		400: object.CodeInvalid, 401: object.CodeDenied, 403: object.CodeDenied, 404: object.CodeNotFound, 405: object.CodeInvalid,
		429: object.CodeUnavailable, 500: object.CodeInternal, 502: object.CodeDenied, 503: object.CodeUnavailable, 504: object.CodeUnavailable,
	} {
		f := newFake(t)
		f.api = func(w http.ResponseWriter, _ *http.Request) { reply(w, status, "because of that", nil) }
		_, err := f.client(t).Delete(t.Context(), "x")
		var e *client.Error
		if !errors.As(err, &e) || e.Status != status || !strings.HasPrefix(e.Message, "because of that") || e.Code != code || e.Peer != client.API || object.CodeOf(err) != code {
			t.Errorf("%d: %#v, want code %s", status, err, code)
		}
	}
}

func TestWhatIsNotTheAPIIsNamedAsSuch(t *testing.T) {
	t.Parallel()
	html := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte("<html><h1>It works!</h1></html>"))
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"a web page":             html(200),
		"a web page not found":   html(404),
		"another JSON":           func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"ok":true}`)) },
		"a list without content": func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, "listed", nil) },
		"a list of numbers":      func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, "listed", []int{1}) },
	} {
		f := newFake(t)
		f.api = h
		_, err := f.client(t).List(t.Context())
		if err == nil || !strings.Contains(err.Error(), f.URL) || strings.Contains(err.Error(), "<") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, content := range []any{nil, 1, "", "not a url", "file:///etc/passwd", "http://%zz?" + query} {
		f := newFake(t)
		f.api = func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, "signed", content) }
		_, err := f.client(t).SignDownload(t.Context(), "x")
		if err == nil || strings.Contains(err.Error(), signature) {
			t.Errorf("signed URL %v: %v", content, err)
		}
	}
}

func TestMessagesCannotDriveATerminal(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.api = func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 400, "\x1b]0;owned\a\nline two"+strings.Repeat("x", 1<<15), nil)
	}
	_, err := f.client(t).Ping(t.Context())
	if err == nil || strings.ContainsAny(err.Error(), "\x1b\a\n") || len(err.Error()) > 3000 {
		t.Errorf("error %q", err)
	}
}

func TestUnavailableIsTriedAgainAfterRetryAfter(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		header string
		least  time.Duration
		most   time.Duration
	}{
		{"", 0, 200 * time.Millisecond},
		{"3", 3 * time.Second, 3200 * time.Millisecond},
		{"80", 80 * time.Second, 80200 * time.Millisecond},
		{time.Now().Add(time.Minute).UTC().Format(http.TimeFormat), 50 * time.Second, 61 * time.Second},
		{time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat), 0, 200 * time.Millisecond},
		{"-1", 0, 200 * time.Millisecond},
		{"soon", 0, 200 * time.Millisecond},
	} {
		f := newFake(t)
		f.api = failing(func(w http.ResponseWriter, _ *http.Request) {
			if tt.header != "" {
				w.Header().Set("Retry-After", tt.header)
			}
			reply(w, 503, "later", nil)
		}, f.sign)
		got, err := f.client(t).Ping(t.Context())
		if err != nil || got != "hello" {
			t.Errorf("Retry-After %q: %q, %v", tt.header, got, err)
		}
		if len(f.waits()) != 1 || f.waits()[0] < tt.least || f.waits()[0] > tt.most {
			t.Errorf("Retry-After %q: pauses %v, want one of %s to %s", tt.header, f.waits(), tt.least, tt.most)
		}
	}
}

func TestOnlyWhatMayPassIsTriedAgain(t *testing.T) {
	t.Parallel()
	status := func(n int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { reply(w, n, "no", nil) }
	}
	for name, tt := range map[string]struct {
		h    http.HandlerFunc
		want bool
	}{
		"429": {status(429), true}, "502": {status(502), false}, "502 of a balancer": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, true}, "503": {status(503), true}, "504": {status(504), true}, "broken connection": {cut, true},
		"400": {status(400), false}, "403": {status(403), false}, "404": {status(404), false}, "500": {status(500), false}, "501": {status(501), false},
	} {
		f := newFake(t)
		f.api = tt.h
		if _, err := f.client(t).Delete(t.Context(), "x"); err == nil {
			t.Errorf("%s: no error", name)
		}
		if len(f.waits()) > 0 != tt.want {
			t.Errorf("%s: %d attempts", name, len(f.waits())+1)
		}
	}
}

func TestAnAPIThatIsAwayIsUnavailableAndNamed(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := f.client(t)
	f.Close()
	_, err := c.Ping(t.Context())
	var e *client.Error
	if !errors.As(err, &e) || e.Code != object.CodeUnavailable || e.Peer != client.API || e.Status != 0 || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("error %#v", err)
	}
	if err == nil || !strings.Contains(err.Error(), f.URL) {
		t.Errorf("error %q does not name %s", err, f.URL)
	}
	if waited := f.late; len(f.waits()) == 0 || waited > 3*time.Second {
		t.Errorf("%d attempts in %s, want some in 3 s", len(f.waits())+1, waited)
	}
}

func TestHTTPSOnAPlainPortIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	pauses := 0
	c := newClient(t, strings.Replace(f.URL, "http:", "https:", 1), client.WithClock(time.Now, func(context.Context, time.Duration) error { pauses++; return nil }))
	if _, err := c.Ping(t.Context()); err == nil || pauses != 0 {
		t.Errorf("error %v after %d pauses", err, pauses)
	}
}

func TestACancelledCallEndsAtOnce(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.api = func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() }
	_, err := f.client(t).Ping(ctx)
	if !errors.Is(err, context.Canceled) || err.Error() != "cancelled" || len(f.waits()) != 0 {
		t.Errorf("error %v after %d pauses", err, len(f.waits()))
	}
}

func TestACallCancelledBetweenAttemptsEnds(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.api = func(w http.ResponseWriter, _ *http.Request) { reply(w, 503, "later", nil) }
	ctx, cancel := context.WithCancel(t.Context())
	c := newClient(t, f.URL, client.WithClock(time.Now, func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }))
	if _, err := c.Ping(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestACallPastItsDeadlineSaysSo(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.api = func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := f.client(t).Ping(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || object.CodeOf(err) != object.CodeUnavailable {
		t.Errorf("error %v", err)
	}
}
