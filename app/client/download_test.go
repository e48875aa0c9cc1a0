package client_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

// breaking serves content of an ETag as S3 does, and cuts the connection after
// each of cuts bytes in turn; then it serves whole.
type breaking struct {
	content, etag string
	cuts          []int
	heard         []string // the ranges that it was asked for
}

func (b *breaking) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.heard = append(b.heard, r.Header.Get("Range"))
	first, status := 0, http.StatusOK
	if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &first); err == nil {
		if r.Header.Get("If-Match") != b.etag {
			s3Refuses(w, http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
			return
		}
		status = http.StatusPartialContent
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, len(b.content)-1, len(b.content)))
	}
	left := b.content[first:]
	w.Header().Set("ETag", b.etag)
	w.Header().Set("Content-Length", fmt.Sprint(len(left)))
	w.WriteHeader(status)
	if len(b.cuts) == 0 {
		_, _ = w.Write([]byte(left))
		return
	}
	_, _ = w.Write([]byte(left[:b.cuts[0]]))
	b.cuts = b.cuts[1:]
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func TestADownloadThatBreaksOffGoesOn(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	storage := &breaking{content: strings.Repeat("0123456789", 1000), etag: `"abc"`, cuts: []int{0, 4, 1000, 1}}
	f.storage = storage.ServeHTTP
	var got strings.Builder
	var moved []int64
	result, err := f.client(t).Download(t.Context(), "x", &got, func(done, total int64) {
		if total != 10_000 {
			t.Errorf("total %d", total)
		}
		moved = append(moved, done)
	})
	if err != nil || got.String() != storage.content || result.Size != 10_000 {
		t.Errorf("%d bytes, result %v, error %v", got.Len(), result, err)
	}
	if want := []string{"", "", "bytes=4-", "bytes=1004-", "bytes=1005-"}; !slices.Equal(storage.heard, want) {
		t.Errorf("asked for %q, want %q", storage.heard, want)
	}
	if !slices.IsSorted(moved) {
		t.Errorf("progress goes back: %v", moved)
	}
	if signed := len(f.requests()); signed != 5 {
		t.Errorf("signed %d times, want 5", signed)
	}
}

func TestADownloadDoesNotGoOnWithOtherContent(t *testing.T) {
	t.Parallel()
	half := func(w http.ResponseWriter, _ *http.Request) {
		(&breaking{content: "of the first", etag: `"1"`, cuts: []int{6}}).ServeHTTP(w, &http.Request{})
	}
	answer := func(status int, etag, span, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", etag)
			w.Header().Set("Content-Range", span)
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for name, test := range map[string]struct {
		then http.HandlerFunc
		code object.Code
		says string
	}{
		"changed meanwhile":  {(&breaking{content: "of the other", etag: `"2"`}).ServeHTTP, object.CodeConflict, "was changed while it was downloaded"},
		"all of it anew":     {answer(200, `"1"`, "", "of the first"), object.CodeInternal, "other bytes"},
		"from another byte":  {answer(206, `"1"`, "bytes 5-11/12", "e first"), object.CodeInternal, "other bytes"},
		"of another length":  {answer(206, `"1"`, "bytes 6-12/13", " first!"), object.CodeInternal, "other bytes"},
		"of another content": {answer(206, `"2"`, "bytes 6-11/12", " first"), object.CodeInternal, "other bytes"},
		"less than is left":  {answer(206, `"1"`, "bytes 6-8/12", " fi"), object.CodeInternal, "other bytes"},
		"deleted meanwhile":  {func(w http.ResponseWriter, _ *http.Request) { s3Refuses(w, 404, "NoSuchKey", "") }, object.CodeNotFound, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.storage = failing(half, test.then)
			var got strings.Builder
			_, err := f.client(t).Download(t.Context(), "x", &got, nil)
			if object.CodeOf(err) != test.code || !strings.Contains(err.Error(), test.says) || got.String() != "of the" {
				t.Errorf("wrote %q, error %v (%s), want one that says %q (%s)", got.String(), err, object.CodeOf(err), test.says, test.code)
			}
			if len(f.waits()) != 1 {
				t.Errorf("%d pauses, want the one after what broke off", len(f.waits()))
			}
		})
	}
}

func TestADownloadThatGetsNowhereEnds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		cut  int // of each connection
		says string
	}{
		"nothing moves":    {0, "broke off after 0 of 100000 bytes"},
		"a byte at a time": {1, "of 100000 bytes"},
		"not quite enough": {1023, "of 100000 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			storage := &breaking{content: strings.Repeat("0123456789", 10_000), etag: `"1"`, cuts: slices.Repeat([]int{test.cut}, 97)}
			f.storage = storage.ServeHTTP
			var got strings.Builder
			_, err := f.client(t).Download(t.Context(), "x", &got, nil)
			if e := (*client.Error)(nil); !errors.As(err, &e) || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "times in") ||
				!strings.HasPrefix(storage.content, got.String()) {
				t.Errorf("wrote %d bytes, error %v", got.Len(), err)
			}
		})
	}
}

func TestADownloadThatGetsOnEachTimeIsNotGivenUp(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	storage := &breaking{content: strings.Repeat("0123456789", 20_000), etag: `"1"`, cuts: slices.Repeat([]int{1 << 10}, 150)}
	f.storage = storage.ServeHTTP
	var got strings.Builder
	_, err := f.client(t).Download(t.Context(), "x", &got, nil)
	if err != nil || got.String() != storage.content || len(storage.heard) != 151 {
		t.Errorf("wrote %d bytes after %d requests, error %v", got.Len(), len(storage.heard), err)
	}
}

func TestADownloadJoinsOnlyWhatTheContentsOwnETagHolds(t *testing.T) {
	t.Parallel()
	half := func(etag string, after int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			(&breaking{content: "content", etag: etag, cuts: []int{after}}).ServeHTTP(w, &http.Request{})
		}
	}
	f := newFake(t)
	f.storage = failing(half(`"1"`, 0), half(`W/"2"`, 3), (&breaking{content: "content", etag: `"1"`}).ServeHTTP)
	var got strings.Builder
	_, err := f.client(t).Download(t.Context(), "x", &got, nil)
	if err == nil || !strings.Contains(err.Error(), "broke off after 3 of 7 bytes") || got.String() != "con" {
		t.Errorf("wrote %q, error %v", got.String(), err)
	}
}

func TestADownloadIsWholeOnceAllBytesAreThere(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		content string
		stalls  bool // before the end of the stream, and is not reset
	}{
		"reset before its end":            {"content", false},
		"of nothing, reset before it":     {"", false},
		"stalled before its end":          {"content", true},
		"of nothing, stalled before that": {"", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fake{}
			f.Server = httptest.NewUnstartedServer(f)
			f.EnableHTTP2 = true
			f.StartTLS()
			t.Cleanup(f.Close)
			var asked atomic.Int32
			f.storage = func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				w.Header().Set("ETag", `"1"`)
				w.Header().Set("Content-Length", strconv.Itoa(len(test.content)))
				_, _ = io.WriteString(w, test.content)
				_ = http.NewResponseController(w).Flush()
				if test.stalls {
					<-r.Context().Done()
				}
				panic(http.ErrAbortHandler)
			}
			var got strings.Builder
			_, err := f.client(t, client.WithTransport(f.Client().Transport), client.WithStallTimeout(time.Second)).Download(t.Context(), "x", &got, nil)
			if err != nil || got.String() != test.content || asked.Load() != 1 {
				t.Errorf("wrote %q after %d requests, error %v", got.String(), asked.Load(), err)
			}
		})
	}
}

func TestADownloadOfMoreThanWasAnnouncedIsAnError(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	asked := 0
	transport := network(func(r *http.Request) (*http.Response, error) {
		if r.URL.RawQuery == "" {
			return http.DefaultTransport.RoundTrip(r)
		}
		asked++
		// As net/http does it over HTTP/2.
		failed := iotest.ErrReader(errors.New("net/http: server replied with more than declared Content-Length; truncated"))
		return &http.Response{StatusCode: http.StatusOK, ProtoMajor: 2, ContentLength: 7, Header: http.Header{"Etag": {`"1"`}},
			Body: io.NopCloser(io.MultiReader(strings.NewReader("content"), failed))}, nil
	})
	_, err := f.client(t, client.WithTransport(transport)).Download(t.Context(), "x", io.Discard, nil)
	if err == nil || !strings.Contains(err.Error(), "more than declared") || asked != 1 {
		t.Errorf("error %v after %d requests", err, asked)
	}
}
