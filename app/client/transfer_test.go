package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

func TestUploadThenDownloadGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := f.client(t)
	for _, size := range []int{0, 1, 100_000, 3 << 20} { // the last asks before it sends
		content := strings.Repeat("x", size)
		up, err := c.Upload(t.Context(), "a b/ü+%", strings.NewReader(content), int64(size), nil)
		if err != nil || up.Size != int64(size) || up.Message != "did a b/ü+%" {
			t.Fatalf("%d bytes: Upload = %+v, %v", size, up, err)
		}
		var got strings.Builder
		down, err := c.Download(t.Context(), "a b/ü+%", &got, nil)
		if err != nil || down.Size != int64(size) || got.String() != content {
			t.Fatalf("%d bytes: Download = %+v, %v and %d bytes", size, down, err, got.Len())
		}
	}
}

func TestUploadStartsWhereTheReaderStands(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	r := strings.NewReader("headbody")
	_, _ = r.Seek(4, io.SeekStart)
	f.storage = failing(cut, func(w http.ResponseWriter, r *http.Request) { f.store(w, r, "x") })
	if _, err := f.client(t).Upload(t.Context(), "x", r, 4, nil); err != nil {
		t.Fatal(err)
	}
	if got, _ := f.stored("x"); got != "body" {
		t.Errorf("stored %q", got)
	}
}

func TestProgressCountsUpToTheSizeAndStartsOverWithTheUpload(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.storage = failing(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusInternalServerError)
	}, func(w http.ResponseWriter, r *http.Request) { f.store(w, r, "x") })
	const size = 500_000
	var starts int
	var last int64
	progress := func(done, total int64) {
		switch {
		case total != size:
			t.Errorf("total %d", total)
		case done == 0:
			starts++
		case done < last:
			t.Errorf("went back from %d to %d", last, done)
		}
		last = done
	}
	c := f.client(t)
	if _, err := c.Upload(t.Context(), "x", strings.NewReader(strings.Repeat("x", size)), size, progress); err != nil || starts != 2 || last != size {
		t.Errorf("upload: %v, %d starts, last %d", err, starts, last)
	}
	starts, last = 0, 0
	f.setStorage(nil)
	if _, err := c.Download(t.Context(), "x", io.Discard, progress); err != nil || starts != 1 || last != size {
		t.Errorf("download: %v, %d starts, last %d", err, starts, last)
	}
}

func TestAMissingFileIsNamed(t *testing.T) {
	t.Parallel()
	_, err := newFake(t).client(t).Download(t.Context(), "no/such", io.Discard, nil)
	if object.CodeOf(err) != object.CodeNotFound || err.Error() != "there is no such file 'no/such' in the bucket" {
		t.Errorf("error %v (%s)", err, object.CodeOf(err))
	}
}

func TestRefusalsOfTheStorageAreReadAndShowNoSignature(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		h     http.HandlerFunc
		code  object.Code
		says  []string
		again bool
	}{
		"expired": {func(w http.ResponseWriter, _ *http.Request) {
			s3Refuses(w, 403, "AccessDenied", "Request has expired")
		}, object.CodeDenied, []string{"403", "AccessDenied", "Request has expired"}, false},
		"message with the signature": {func(w http.ResponseWriter, _ *http.Request) {
			s3Refuses(w, 403, "SignatureDoesNotMatch", "bad "+signature+" of "+credential+" in "+strings.ReplaceAll(query, "&", "&amp;"))
		}, object.CodeDenied, []string{"SignatureDoesNotMatch", "bad …"}, false},
		"no bucket": {func(w http.ResponseWriter, _ *http.Request) {
			s3Refuses(w, 404, "NoSuchBucket", "The specified bucket does not exist")
		}, object.CodeNotFound, []string{"NoSuchBucket"}, false},
		"no XML":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, object.CodeDenied, []string{"403 Forbidden"}, false},
		"endless XML": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest); endless(w) }, object.CodeInvalid, []string{"400"}, false},
		"slow body": {func(w http.ResponseWriter, _ *http.Request) {
			s3Refuses(w, 400, "RequestTimeout", "Your socket connection was not read from or written to")
		}, object.CodeInvalid, []string{"RequestTimeout"}, true},
		"not implemented": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotImplemented) }, object.CodeUnavailable, []string{"501"}, false},
		"slow down": {func(w http.ResponseWriter, _ *http.Request) {
			s3Refuses(w, 503, "SlowDown", "Reduce your request rate")
		}, object.CodeUnavailable, []string{"SlowDown"}, true},
		"inner error": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, object.CodeInternal, []string{"500"}, true},
		"redirect": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere?"+query)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, object.CodeInternal, []string{"region"}, false},
		"broken connection": {cut, object.CodeUnavailable, []string{"cannot reach the storage at 127.0.0.1"}, true},
		"no HTTP": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			fmt.Fprintf(conn, "SSH-2.0 %s\r\n", signature)
			conn.Close()
		}, object.CodeUnavailable, []string{"cannot reach the storage"}, false},
	} {
		for _, doing := range []string{"upload", "download"} {
			t.Run(name+" "+doing, func(t *testing.T) {
				t.Parallel()
				f := newFake(t)
				f.storage = tt.h
				var err error
				if doing == "upload" {
					_, err = f.client(t).Upload(t.Context(), "x", strings.NewReader("x"), 1, nil)
				} else {
					_, err = f.client(t).Download(t.Context(), "x", io.Discard, nil)
				}
				if object.CodeOf(err) != tt.code {
					t.Errorf("code %q of %v, want %q", object.CodeOf(err), err, tt.code)
				}
				text := fmt.Sprintf("%v %#v", err, err)
				for _, secret := range []string{signature, credential, "X-Amz-", "AKIA"} {
					if strings.Contains(text, secret) {
						t.Errorf("error shows %s: %s", secret, text)
					}
				}
				for _, says := range tt.says {
					if err == nil || !strings.Contains(err.Error(), says) {
						t.Errorf("error %v does not say %q", err, says)
					}
				}
				// Of what is no HTTP, the answer or a reset may be seen first.
				if got := len(f.waits()) + 1; got > 1 != tt.again && name != "no HTTP" {
					t.Errorf("%d attempts", got)
				}
			})
		}
	}
}

func endless(w io.Writer) {
	_, _ = io.WriteString(w, "<Error><Message>")
	for line := bytes.Repeat([]byte("x"), 1<<16); ; {
		if _, err := w.Write(line); err != nil {
			return
		}
	}
}

func TestATruncatedDownloadOfWhoKnowsWhatIsNotRepeated(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"with a length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("half"))
		},
		"chunked": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("half"))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
	} {
		f := newFake(t)
		f.storage = h
		_, err := f.client(t).Download(t.Context(), "x", io.Discard, nil)
		if object.CodeOf(err) != object.CodeUnavailable || !strings.Contains(err.Error(), "broke off after 4 of") || len(f.waits()) != 0 {
			t.Errorf("%s: %v after %d pauses", name, err, len(f.waits()))
		}
	}
}

func TestADownloadWhoseEndCannotBeToldIsAnError(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.storage = func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := http.NewResponseController(w).Hijack()
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nperhaps half")
		conn.Close()
	}
	if _, err := f.client(t).Download(t.Context(), "x", io.Discard, nil); err == nil || !strings.Contains(err.Error(), "how long") {
		t.Errorf("error %v", err)
	}
}

func TestADownloadIsNotUnpacked(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.storage = func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Accept-Encoding"); got != "identity" {
			t.Errorf("Accept-Encoding %q", got)
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write([]byte("packed by whoever stored it"))
	}
	var got strings.Builder
	if _, err := f.client(t).Download(t.Context(), "x", &got, nil); err != nil || got.String() != "packed by whoever stored it" {
		t.Errorf("%q, %v", got.String(), err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestAFailingDestinationIsNotBlamedOnTheStorage(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.objects["x"] = []byte("content")
	_, err := f.client(t).Download(t.Context(), "x", full{}, nil)
	if err == nil || err.Error() != "cannot write 'x': no space left" || len(f.waits()) != 0 {
		t.Errorf("error %v after %d pauses", err, len(f.waits()))
	}
}

func TestTransfersAreTriedAgain(t *testing.T) {
	t.Parallel()
	status := func(n int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 1000))
			w.Header().Set("Retry-After", "2")
			w.WriteHeader(n)
		}
	}
	content := strings.Repeat("0123456789", 1<<18)
	for name, first := range map[string]http.HandlerFunc{
		"500": status(500), "503": status(503), "429": status(429), "broken connection": cut,
		"broken after a part": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.CopyN(io.Discard, r.Body, 100_000)
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			c := f.client(t)
			store := func(w http.ResponseWriter, r *http.Request) { f.store(w, r, "x") }
			f.storage = failing(append(slices.Repeat([]http.HandlerFunc{first}, 2), store)...)
			if _, err := c.Upload(t.Context(), "x", strings.NewReader(content), int64(len(content)), nil); err != nil {
				t.Fatalf("upload: %v", err)
			}
			if got, _ := f.stored("x"); got != content {
				t.Errorf("stored %d bytes, want %d", len(got), len(content))
			}
			if want := []string{"/upload/x", "/upload/x", "/upload/x"}; !slices.Equal(f.requests(), want) {
				t.Errorf("the API was asked for %q: each attempt needs a fresh signature", f.requests())
			}
			f.setStorage(failing(append(slices.Repeat([]http.HandlerFunc{first}, 2), store)...))
			var got strings.Builder
			if _, err := c.Download(t.Context(), "x", &got, nil); err != nil || got.String() != content {
				t.Errorf("download: %v, %d bytes", err, got.Len())
			}
		})
	}
}

func TestATransferDoesNotMultiplyTheAttemptsOfItsSignature(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.api = func(w http.ResponseWriter, _ *http.Request) { reply(w, 503, "later", nil) }
	if _, err := f.client(t).Upload(t.Context(), "x", strings.NewReader("x"), 1, nil); err == nil || f.late > client.DefaultRetryFor {
		t.Errorf("%v after %d requests in %s", err, len(f.requests()), f.late)
	}
}

func TestAnUploadWhoseFileChangesStoresNothing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		content string
		size    int64
	}{
		"shrank":            {strings.Repeat("x", 99_999), 100_000},
		"shrank to nothing": {"", 1},
		"grew":              {strings.Repeat("x", 100_001), 100_000},
		"grew from nothing": {"x", 0},
		"grew, large":       {strings.Repeat("x", 2<<20+1), 2 << 20},
	} {
		f := newFake(t)
		_, err := f.client(t).Upload(t.Context(), "x", strings.NewReader(tt.content), tt.size, nil)
		if !errors.Is(err, client.ErrChanged) || len(f.waits()) != 0 {
			t.Errorf("%s: %v after %d pauses", name, err, len(f.waits()))
		}
		if _, ok := f.stored("x"); ok {
			t.Errorf("%s: something was stored", name)
		}
	}
}

func TestANegativeSizeIsRefused(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	if _, err := f.client(t).Upload(t.Context(), "x", strings.NewReader(""), -1, nil); object.CodeOf(err) != object.CodeInvalid || len(f.requests()) != 0 {
		t.Errorf("error %v, calls %q", err, f.requests())
	}
}

func TestAStalledTransferEnds(t *testing.T) {
	t.Parallel()
	hang := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or net/http would not notice that the client is gone
		<-r.Context().Done()
	}
	f := newFake(t)
	c := f.client(t, client.WithStallTimeout(50*time.Millisecond), client.WithRetryFor(0))
	for name, h := range map[string]http.HandlerFunc{
		"before the headers": hang,
		"in the body": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("some"))
			_ = http.NewResponseController(w).Flush()
			hang(w, r)
		},
	} {
		f.setStorage(h)
		_, err := c.Download(t.Context(), "x", io.Discard, nil)
		if object.CodeOf(err) != object.CodeUnavailable || !strings.Contains(err.Error(), "no byte moved for 50ms") {
			t.Errorf("%s: %v", name, err)
		}
	}
	f.setStorage(hang)
	if _, err := c.Upload(t.Context(), "x", strings.NewReader("x"), 1, nil); err == nil || !strings.Contains(err.Error(), "no byte moved") {
		t.Errorf("upload: %v", err)
	}
	f.setAPI(hang)
	if _, err := c.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "no byte moved") {
		t.Errorf("ping: %v", err)
	}
}

func TestASlowTransferIsNotStalled(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	tick := time.NewTicker(20 * time.Millisecond)
	t.Cleanup(tick.Stop)
	f.storage = func(w http.ResponseWriter, _ *http.Request) {
		for range 30 { // longer than the limit as a whole
			<-tick.C
			_, _ = w.Write([]byte("x"))
			_ = http.NewResponseController(w).Flush()
		}
	}
	got, err := f.client(t, client.WithStallTimeout(500*time.Millisecond)).Download(t.Context(), "x", io.Discard, nil)
	if err != nil || got.Size != 30 {
		t.Errorf("%+v, %v", got, err)
	}
}

// zeros is an endless file that notes whether it is read after the upload.
type zeros struct {
	onRead func()
	over   bool
}

func (z *zeros) Read(p []byte) (int, error) {
	if z.over {
		panic("read after the upload returned")
	}
	z.onRead()
	return len(p), nil
}

func (z *zeros) Seek(int64, int) (int64, error) { return 0, nil }

func TestACancelledUploadNoLongerReadsItsFile(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.storage = func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }
	ctx, cancel := context.WithCancel(t.Context())
	reads := 0
	z := &zeros{onRead: func() {
		if reads++; reads == 100 {
			cancel()
		}
	}}
	_, err := f.client(t).Upload(ctx, "x", z, 1<<40, nil)
	z.over = true // the race detector watches this line, too
	if !errors.Is(err, context.Canceled) || err.Error() != "cancelled" || len(f.waits()) != 0 {
		t.Errorf("error %v after %d pauses", err, len(f.waits()))
	}
}
