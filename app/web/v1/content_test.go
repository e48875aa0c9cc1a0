package v1_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/web/problem"
	v1 "cloudstorage/app/web/v1"
)

func TestARangeIsAnsweredAsRFC9110Says(t *testing.T) {
	t.Parallel()
	s := start(t)
	info := s.put("ten", "0123456789")
	s.put("empty", "")
	for _, tt := range []struct {
		target string
		fields []string
		status int
		body   string
		rng    string // Content-Range
	}{
		{"ten", nil, 200, "0123456789", ""},
		{"ten", []string{"Range: bytes=0-0"}, 206, "0", "bytes 0-0/10"},
		{"ten", []string{"Range: bytes=2-4"}, 206, "234", "bytes 2-4/10"},
		{"ten", []string{"Range: bytes=7-"}, 206, "789", "bytes 7-9/10"},
		{"ten", []string{"Range: bytes=8-100"}, 206, "89", "bytes 8-9/10"},
		{"ten", []string{"Range: bytes=-3"}, 206, "789", "bytes 7-9/10"},
		{"ten", []string{"Range: bytes=-100"}, 206, "0123456789", "bytes 0-9/10"},
		{"ten", []string{"Range: bytes=0-0,5-6"}, 200, "0123456789", ""},
		{"ten", []string{"Range: lines=0-0"}, 200, "0123456789", ""},
		{"ten", []string{"Range: bytes=4-2"}, 200, "0123456789", ""},
		{"ten", []string{"Range: bytes=0-0", "If-Range: " + info.ETag}, 206, "0", "bytes 0-0/10"},
		{"ten", []string{"Range: bytes=0-0", `If-Range: "x"`}, 200, "0123456789", ""},
		{"ten", []string{"Range: bytes=99-", `If-Range: "x"`}, 200, "0123456789", ""},
		{"ten", []string{"Range: bytes=0-0", "If-Range: W/" + info.ETag}, 200, "0123456789", ""},
		{"ten", []string{"Range: bytes=0-0", "If-Range: Sun, 01 Mar 2099 12:00:00 GMT"}, 200, "0123456789", ""},
		{"ten", []string{"Range: bytes=0-0", "If-Match: " + info.ETag}, 206, "0", "bytes 0-0/10"},
		{"ten", []string{"Range: bytes=10-"}, 416, "", "bytes */10"},
		{"ten", []string{"Range: bytes=99999999999999999999-"}, 416, "", "bytes */10"},
		{"empty", nil, 200, "", ""},
		{"empty", []string{"Range: bytes=0-"}, 416, "", "bytes */0"},
		{"empty", []string{"Range: bytes=-1"}, 416, "", "bytes */0"},
	} {
		answer := s.do(http.MethodGet, at(tt.target)+"?stream=1", "", tt.fields...)
		if answer.StatusCode != tt.status || answer.Header.Get("Content-Range") != tt.rng || tt.status < 300 && answer.Text != tt.body {
			t.Errorf("%s %q: %d %q, Content-Range: %s; want %d %q, %s", tt.target, tt.fields, answer.StatusCode, answer.Text,
				answer.Header.Get("Content-Range"), tt.status, tt.body, tt.rng)
		}
		if tt.status < 300 && (answer.ContentLength != int64(len(tt.body)) || answer.Header.Get("Accept-Ranges") != "bytes" || answer.Header.Get("Cache-Control") != "private, no-cache") {
			t.Errorf("%s %q: %v", tt.target, tt.fields, answer.Header)
		}
		// HEAD has no ranges.
		head := s.do(http.MethodHead, at(tt.target)+"?stream=1", "", tt.fields...).want(t, http.StatusOK, nil)
		if whole := s.do(http.MethodGet, at(tt.target)+"?stream=1", ""); head.ContentLength != whole.ContentLength || head.Header.Get("ETag") != whole.Header.Get("ETag") {
			t.Errorf("HEAD %s %q: %v", tt.target, tt.fields, head.Header)
		}
	}
	if got := s.do(http.MethodGet, "/v1/files/ten?stream=1&version="+info.Version, "", "Range: bytes=1-1").Text; got != "1" {
		t.Errorf("of a version: %q", got)
	}
}

// reading is a store whose Get is another one's.
type reading struct {
	v1.Store
	get func(context.Context, object.Key, file.GetOptions) (*file.Content, error)
}

func (r reading) Get(ctx context.Context, k object.Key, o file.GetOptions) (*file.Content, error) {
	return r.get(ctx, k, o)
}

// reads makes the API read content, which claims to have size bytes.
func reads(size int64, content io.ReadCloser) func(*v1.API) {
	return func(a *v1.API) {
		a.Store = reading{a.Store, func(_ context.Context, k object.Key, _ file.GetOptions) (*file.Content, error) {
			return &file.Content{Info: object.Info{Key: k, Size: size, ETag: `"x"`}, ReadCloser: content, Length: size}, nil
		}}
	}
}

// get asks for a file's content and returns the answer before its body.
func (s *service) get(k string) *http.Response {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.URL+at(k)+"?stream=1", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer
}

func TestHalfAFileIsNeverTakenForTheWhole(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]io.Reader{
		"the store fails at once":  iotest.ErrReader(errors.New("reset")),
		"the store fails half way": io.MultiReader(strings.NewReader(strings.Repeat("x", 500_000)), iotest.ErrReader(errors.New("reset"))),
		"the store ends early":     strings.NewReader("xxx"),
	} {
		s := start(t, reads(1_000_000, io.NopCloser(content)))
		s.put("a", "x")
		answer := s.get("a")
		n, err := io.Copy(io.Discard, answer.Body)
		if !errors.Is(err, io.ErrUnexpectedEOF) || answer.StatusCode != http.StatusOK || n >= 1_000_000 {
			t.Errorf("%s: %d with %d bytes, %v", name, answer.StatusCode, n, err)
		}
		_ = answer.Body.Close() // it has failed already
	}
}

func TestAStoreThatFailsBeforeTheFirstByteIsAProblem(t *testing.T) {
	t.Parallel()
	s := start(t, func(a *v1.API) {
		a.Store = reading{a.Store, func(context.Context, object.Key, file.GetOptions) (*file.Content, error) {
			return nil, &object.Error{Code: object.CodeUnavailable, Op: "s3:GetObject", Message: "the storage is away"}
		}}
	})
	s.put("a", "x")
	answer := s.do(http.MethodGet, "/v1/files/a?stream=1", "")
	answer.wantProblem(t, problem.Unavailable, "away")
	if answer.Header.Get("ETag") != "" || answer.Header.Get("Content-Disposition") != "" {
		t.Errorf("the problem is described as the file: %v", answer.Header)
	}
}

// endless has content until it is closed.
type endless struct{ closed chan struct{} }

func (e endless) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func (e endless) Close() error {
	close(e.closed)
	return nil
}

func TestAReaderThatLeavesEndsTheReading(t *testing.T) {
	t.Parallel()
	content := endless{make(chan struct{})}
	s := start(t, reads(1<<40, content))
	s.put("a", "x")
	answer := s.get("a")
	if _, err := io.CopyN(io.Discard, answer.Body, 1<<20); err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	<-content.closed
}

// It is not parallel: it measures what the whole process allocates.
// TotalAlloc counts all that was ever allocated, by the test's client too: less
// than one file for all of them. No more was in use at any time, whatever the
// collector did.
func TestMemoryDoesNotGrowWithTheFilesOrTheirNumber(t *testing.T) {
	const size, many = 32 << 20, 8
	s := start(t, func(a *v1.API) { a.MaxBody = size })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	atOnce := func(do func(file string) error) {
		var all sync.WaitGroup
		for i := range many {
			all.Go(func() {
				if err := do(fmt.Sprintf("/v1/files/%d", i)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	atOnce(func(file string) error {
		r := s.request(http.MethodPut, file, "")
		r.Body, r.ContentLength = io.NopCloser(io.LimitReader(endless{}, size)), size
		_, err := exchange(r)
		return err
	})
	atOnce(func(file string) error {
		answer, err := http.DefaultClient.Do(s.request(http.MethodGet, file+"?stream=1", ""))
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if n, err := io.Copy(io.Discard, answer.Body); n != size || err != nil {
			return fmt.Errorf("%s: %d bytes, %w", file, n, err)
		}
		return nil
	})
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > size {
		t.Errorf("%d files of %d bytes, written and read, cost %d bytes of memory", many, size, got)
	}
}
