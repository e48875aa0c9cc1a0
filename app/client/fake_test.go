package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"cloudstorage/app/client"
)

// The secrets of the fake's signed URLs: no error may hold them.
const (
	signature  = "3f1c0ffee5ad0000deadbeef3f1c0ffee5ad0000deadbeef3f1c0ffee5ad0000"
	credential = "AKIAIOSFODNN7EXAMPLE/20260101/eu-west-1/s3/aws4_request"
	query      = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20260101%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Expires=600&X-Amz-Signature=" + signature
)

// fake is an API and its bucket. A test replaces the handler that it is about.
type fake struct {
	*httptest.Server
	api     http.HandlerFunc // nil signs and lists as the API does
	storage http.HandlerFunc // nil stores and serves

	mu      sync.Mutex
	objects map[string][]byte
	calls   []string
	pauses  []time.Duration
	late    time.Duration // that the client's clock is ahead, by the pauses
}

func newFake(t testing.TB) *fake {
	t.Helper()
	f := &fake{objects: map[string][]byte{}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const bucket = "/bucket/"
	signed := r.URL.RawQuery != ""
	f.mu.Lock()
	api, storage := f.api, f.storage
	if !signed {
		f.calls = append(f.calls, r.URL.Path)
	}
	f.mu.Unlock()
	switch {
	case signed && storage != nil:
		storage(w, r)
	case signed:
		f.store(w, r, r.URL.Path[len(bucket):])
	case api != nil:
		api(w, r)
	default:
		f.sign(w, r)
	}
}

// sign answers as the API does.
func (f *fake) sign(w http.ResponseWriter, r *http.Request) {
	for _, route := range []string{"/upload/", "/download/", "/delete/"} {
		if len(r.URL.Path) > len(route) && r.URL.Path[:len(route)] == route {
			key := r.URL.Path[len(route):]
			reply(w, 200, "did "+key, f.URL+"/bucket/"+client.Escape(key)+"?"+query)
			return
		}
	}
	if r.URL.Path == "/list_files" {
		names := []string{}
		f.mu.Lock()
		defer f.mu.Unlock()
		for name := range f.objects {
			names = append(names, name)
		}
		reply(w, 200, "listed", names)
		return
	}
	reply(w, 200, "hello", nil)
}

func (f *fake) store(w http.ResponseWriter, r *http.Request, key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch r.Method {
	case http.MethodPut:
		if r.ContentLength < 0 || len(r.TransferEncoding) > 0 {
			w.WriteHeader(http.StatusLengthRequired)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err == nil {
			f.objects[key] = body
		}
	default:
		body, ok := f.objects[key]
		if !ok {
			s3Refuses(w, 404, "NoSuchKey", "The specified key does not exist.")
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write(body)
	}
}

// setAPI and setStorage replace a handler between two requests.
func (f *fake) setAPI(h http.HandlerFunc)     { f.mu.Lock(); defer f.mu.Unlock(); f.api = h }
func (f *fake) setStorage(h http.HandlerFunc) { f.mu.Lock(); defer f.mu.Unlock(); f.storage = h }

// requests returns the decoded paths that the API was asked for.
func (f *fake) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// waits returns the pauses between attempts.
func (f *fake) waits() []time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.pauses)
}

// stored returns an object's content.
func (f *fake) stored(key string) (string, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	body, ok := f.objects[key]
	return string(body), ok
}

// client returns a client whose pauses are noted and not waited for.
func (f *fake) client(t testing.TB, opts ...client.Option) *client.Client {
	t.Helper()
	return newClient(t, f.URL, append([]client.Option{client.WithClock(func() time.Time {
		f.mu.Lock()
		defer f.mu.Unlock()
		return time.Now().Add(f.late)
	}, func(ctx context.Context, d time.Duration) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.pauses = append(f.pauses, d)
		f.late += d
		return ctx.Err()
	})}, opts...)...)
}

func newClient(t testing.TB, address string, opts ...client.Option) *client.Client {
	t.Helper()
	c, err := client.New(address, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func reply(w http.ResponseWriter, status int, message string, content any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	body := map[string]any{"status": status, "message": message}
	if content != nil {
		body["content"] = content
	}
	_ = json.NewEncoder(w).Encode(body)
}

// s3Refuses answers as S3 does, which repeats what it was given.
func s3Refuses(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>%s</Code><Message>%s</Message><AWSAccessKeyId>AKIAIOSFODNN7EXAMPLE</AWSAccessKeyId><SignatureProvided>%s</SignatureProvided></Error>`, code, message, signature)
}

// failing answers with each of hs in turn, then with the last for ever.
func failing(hs ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		h := hs[min(n, len(hs)-1)]
		n++
		mu.Unlock()
		h(w, r)
	}
}

// cut breaks the connection without an answer.
func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
