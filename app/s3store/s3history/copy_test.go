package s3history

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/object/history"
	"cloudstorage/app/object/upload"
	"cloudstorage/app/s3store"
	"cloudstorage/app/s3store/s3file"
	"cloudstorage/app/s3store/s3sign"
)

func open(t testing.TB, cfg s3store.Config) (History, s3file.Files) {
	t.Helper()
	s, err := s3store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return New(s), s3file.Files{Store: s3sign.New(s)}
}

// What is too large for one copy is copied part by part. Tried with small
// objects, since only the numbers differ.
func TestALargeObjectIsCopiedInParts(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t)
	h, files := open(t, s3store.Config{Bucket: g.NewBucket(t), Region: g.Region, Endpoint: g.Endpoint, AccessKeyID: g.AccessKey, SecretAccessKey: g.SecretKey})
	whole := strings.Repeat("0123456789abcdef", upload.MinPart/8) + "the end"
	const k = "a b/ü+%.bin"
	old, err := files.Put(t.Context(), k, strings.NewReader(whole), file.PutOptions{Size: int64(len(whole)), Type: "text/x-large"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := files.Put(t.Context(), k, strings.NewReader("new"), file.PutOptions{Size: 3}); err != nil {
		t.Fatal(err)
	}
	for _, to := range []object.Key{"to", k} {
		info, err := h.copy(t.Context(), k, to, history.CopyOptions{Version: old.Version}, 1<<20, upload.MinPart)
		if err != nil {
			t.Fatalf("to %q: %v", to, err)
		}
		stat, err := files.Stat(t.Context(), to, "")
		if err != nil || stat.Size != old.Size || stat.Type != "text/x-large" || stat.ETag != info.ETag || stat.Version != info.Version {
			t.Errorf("to %q: %+v, %v; copied as %+v", to, stat, err, info)
		}
		if !strings.HasSuffix(stat.ETag, `-3"`) {
			t.Errorf("to %q: the ETag %s is not that of three parts", to, stat.ETag)
		}
		c, err := files.Get(t.Context(), to, file.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(c); err != nil || string(got) != whole {
			t.Errorf("to %q: %d bytes of %d (%v)", to, len(got), len(whole), err)
		}
		_ = c.Close() // all is read
	}
	_, err = h.copy(t.Context(), k, "there", history.CopyOptions{IfMatch: `"another"`}, 1, upload.MinPart)
	if object.CodeOf(err) != object.CodePrecondition {
		t.Errorf("of another source: %v", err)
	}
}

func TestACopyThatFailsLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	var copied, aborted, completed atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		write := func(status int, body string) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body)) // a failing write is the client's to notice
		}
		switch query := r.URL.Query(); {
		case r.Method == http.MethodHead:
			w.Header().Set("Content-Length", "1073741824000")
			w.Header().Set("ETag", `"source"`)
		case r.Method == http.MethodPost && query.Has("uploads"):
			write(http.StatusOK, `<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>`)
		case r.Method == http.MethodPut && query.Get("partNumber") == "20":
			write(http.StatusPreconditionFailed, `<Error><Code>PreconditionFailed</Code></Error>`)
		case r.Method == http.MethodPut && len(query.Get("partNumber")) > 1 && query.Get("partNumber") > "20":
			<-r.Context().Done() // until the part that failed ends it
		case r.Method == http.MethodPut:
			copied.Add(1)
			if r.Header.Get("X-Amz-Copy-Source-If-Match") != `"source"` {
				t.Error("a part does not insist on its source")
			}
			write(http.StatusOK, `<CopyPartResult><ETag>"part"</ETag></CopyPartResult>`)
		case r.Method == http.MethodDelete && query.Get("uploadId") == "id":
			aborted.Add(1)
			w.WriteHeader(http.StatusNoContent)
		default:
			completed.Add(1)
			write(http.StatusOK, `<CompleteMultipartUploadResult/>`)
		}
	}))
	t.Cleanup(server.Close)
	h, _ := open(t, s3store.Config{Bucket: "module02-1", Region: "eu-west-1", Endpoint: server.URL, AccessKeyID: "AKIA", SecretAccessKey: "s"})
	_, err := h.Copy(t.Context(), "from", "to", history.CopyOptions{})
	if object.CodeOf(err) != object.CodePrecondition {
		t.Errorf("%v, want a failed precondition", err)
	}
	if copied.Load() > 19 || aborted.Load() != 1 || completed.Load() != 0 {
		t.Errorf("copied %d parts, aborted %d times, completed %d times", copied.Load(), aborted.Load(), completed.Load())
	}
}

// A copy's source is a header, which S3 decodes once.
func TestTheSourceOfACopyIsEscaped(t *testing.T) {
	t.Parallel()
	var source atomic.Pointer[string]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s := r.Header.Get("X-Amz-Copy-Source"); s != "" {
			source.Store(&s)
		}
		_, _ = w.Write([]byte(`<CopyObjectResult/>`)) // a failing write is the client's to notice
	}))
	t.Cleanup(server.Close)
	h, _ := open(t, s3store.Config{Bucket: "module02-1", Region: "eu-west-1", Endpoint: server.URL, AccessKeyID: "AKIA", SecretAccessKey: "s"})
	for k, want := range map[object.Key]string{"a+b?c d/ü%": "a+b?c d/ü%", "/a//b/": "/a//b/"} {
		if _, err := h.Copy(t.Context(), k, "to", history.CopyOptions{Version: "v+/1"}); err != nil {
			t.Fatal(err)
		}
		got, err := url.Parse("/" + *source.Load())
		if err != nil || got.Path != "/module02-1/"+want || got.Query().Get("versionId") != "v+/1" {
			t.Errorf("%q is copied from %q", k, *source.Load())
		}
		if strings.ContainsAny(*source.Load(), "+ ") {
			t.Errorf("%q: S3 may read the plus in %q as a space", k, *source.Load())
		}
	}
}
