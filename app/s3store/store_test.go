package s3store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cloudstorage/app/object"
	"cloudstorage/app/object/objecttest"
	"cloudstorage/app/s3store"
	"cloudstorage/app/s3store/s3sign"
)

func wantError(t *testing.T, name string, err error, code object.Code, action string) {
	t.Helper()
	var e *object.Error
	if !errors.As(err, &e) || e.Code != code || e.Op != action {
		t.Errorf("%s: %v (%s), want %s by %s", name, err, object.CodeOf(err), code, action)
		return
	}
	if strings.Contains(err.Error(), "X-Amz") || strings.Contains(err.Error(), "list-type") {
		t.Errorf("%s: the error quotes a query: %v", name, err)
	}
	if strings.Contains(e.Message, "s3:") || strings.Contains(e.Message, "module02") {
		t.Errorf("%s: the message tells too much: %q", name, e.Message)
	}
}

// static is a store on AWS that is never contacted.
func static(t *testing.T, change func(*s3store.Config)) *s3store.Store {
	cfg := s3store.Config{Bucket: "module02-1", Region: "eu-west-1", AccessKeyID: "AKIA", SecretAccessKey: "secret"}
	change(&cfg)
	return open(t, cfg)
}

func TestClosedPortIsUnavailableQuickly(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	endpoint := "http://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s := static(t, func(c *s3store.Config) { c.Endpoint = endpoint })
	start := time.Now()
	for action, err := range calls(t, s) {
		wantError(t, "closed port", err, object.CodeUnavailable, action)
	}
	if err := s.Ready(t.Context()); object.CodeOf(err) != object.CodeUnavailable {
		t.Errorf("Ready: %v", err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("three calls took %s", took)
	}
}

func TestAnswersOfAnAilingS3AreUnavailable(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"503 SlowDown": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, `<Error><Code>SlowDown</Code><Message>later</Message></Error>`)
		},
		"502 of a proxy": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			fmt.Fprint(w, `<html>bad gateway</html>`)
		},
		"a cut connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"not S3 at all":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot); fmt.Fprint(w, "hello") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				answer(w, r)
			}))
			t.Cleanup(server.Close)
			_, err := static(t, func(c *s3store.Config) { c.Endpoint = server.URL }).Delete(t.Context(), "a")
			if code := object.CodeOf(err); code != object.CodeUnavailable && (name != "not S3 at all" || code != object.CodeInternal) {
				t.Errorf("%v (%s)", err, code)
			}
			if n := asked.Load(); n > 3 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

func TestKeysThatXMLCannotCarryAreListed(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.URL.Query().Get("encoding-type"); got != "url" {
			t.Errorf("asked for the encoding %q", got)
		}
		_, _ = io.WriteString(w, `<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a%01b+c%2Bd%25%EF%BF%BE%EF%BF%BF</Key></Contents></ListBucketResult>`)
	}))
	t.Cleanup(server.Close)
	s := static(t, func(c *s3store.Config) { c.Endpoint = server.URL })
	if got := objecttest.All(t, s, object.ListOptions{}); len(got) != 1 || got[0] != "a\x01b c+d%\ufffe\uffff" {
		t.Errorf("listed %q", got)
	}
}

// A plain client sends neither a content type nor a checksum, so neither may be
// signed.
func TestURLsAreForPlainClients(t *testing.T) {
	t.Parallel()
	now := time.Date(2024, 1, 2, 3, 4, 5, 678, time.UTC)
	tests := []struct{ name, endpoint, bucket, key, want string }{
		{"AWS", "", "module02-1", "a b", "https://module02-1.s3.eu-west-1.amazonaws.com/a%20b"},
		{"a bucket with dots on AWS", "", "a.b.c", "k", "https://s3.eu-west-1.amazonaws.com/a.b.c/k"},
		{"an endpoint", "http://127.0.0.1:9000", "module02-1", "a+b", "http://127.0.0.1:9000/module02-1/a%2Bb"},
		{"an endpoint with a slash", "http://127.0.0.1:9000/", "module02-1", "k", "http://127.0.0.1:9000/module02-1/k"},
		{"slashes", "", "module02-1", "/a//b/", "https://module02-1.s3.eu-west-1.amazonaws.com//a//b/"},
		{"reserved", "", "module02-1", `%&'"?#;é`, "https://module02-1.s3.eu-west-1.amazonaws.com/%25%26%27%22%3F%23%3B%C3%A9"},
	}
	for _, tt := range tests {
		s := static(t, func(c *s3store.Config) {
			c.Bucket, c.Endpoint, c.Now = tt.bucket, tt.endpoint, func() time.Time { return now }
		})
		for method, sign := range map[string]func(context.Context, object.Key, time.Duration) (object.Signed, error){"GET": s.SignGet, "PUT": s.SignPut} {
			signed, err := sign(t.Context(), object.Key(tt.key), 10*time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			target, query, _ := strings.Cut(signed.URL, "?")
			if target != tt.want || signed.Method != method || len(signed.Header) != 0 {
				t.Errorf("%s: %s %s with %v, want %s and no header", tt.name, signed.Method, target, signed.Header, tt.want)
			}
			values, err := url.ParseQuery(query)
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range map[string]string{
				"X-Amz-Expires": "600", "X-Amz-SignedHeaders": "host", "X-Amz-Date": "20240102T030405Z",
				"X-Amz-Credential": "AKIA/20240102/eu-west-1/s3/aws4_request",
			} {
				if got := values.Get(name); got != want {
					t.Errorf("%s: %s is %q, want %q", tt.name, name, got, want)
				}
			}
			if len(values) != 6 {
				t.Errorf("%s: query %v, want the six of the signature", tt.name, values)
			}
			r, err := http.NewRequest(method, signed.URL, nil)
			if err != nil || r.URL.String() != signed.URL {
				t.Errorf("%s: net/http makes %s of %s (%v)", tt.name, r.URL, signed.URL, err)
			}
		}
	}
}

func BenchmarkSignPut(b *testing.B) {
	s, err := s3store.Open(b.Context(), s3store.Config{Bucket: "module02-1", Region: "eu-west-1", AccessKeyID: "AKIA", SecretAccessKey: "secret"})
	if err != nil {
		b.Fatal(err)
	}
	fast := s3sign.New(s)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := fast.SignPut(b.Context(), "reports/2024/a b.pdf", 10*time.Minute); err != nil {
				b.Error(err)
			}
		}
	})
}

// FuzzSignedURL checks that a plain client's URL parser finds the key that was
// signed, and nothing else; and that both ways to sign are one.
func FuzzSignedURL(f *testing.F) {
	for _, name := range objecttest.Names() {
		f.Add(name)
	}
	now := time.Date(2024, 1, 2, 3, 4, 5, 678, time.UTC)
	s, err := s3store.Open(f.Context(), s3store.Config{Bucket: "module02-1", Region: "eu-west-1", AccessKeyID: "AKIA", SecretAccessKey: "secret",
		Now: func() time.Time { return now }})
	if err != nil {
		f.Fatal(err)
	}
	fast := s3sign.New(s)
	f.Fuzz(func(t *testing.T, name string) {
		key, err := object.ParseKey(name)
		if err != nil {
			return
		}
		signed, err := s.SignGet(t.Context(), key, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := fast.SignGet(t.Context(), key, time.Minute); err != nil || same.URL != signed.URL || !same.Expires.Equal(signed.Expires) {
			t.Errorf("s3sign signs %q as %s until %s (%v), s3store as %s until %s", name, same.URL, same.Expires, err, signed.URL, signed.Expires)
		}
		u, err := url.Parse(signed.URL)
		if err != nil || u.Path != "/"+name || u.Fragment != "" || u.Host != "module02-1.s3.eu-west-1.amazonaws.com" || u.String() != signed.URL {
			t.Errorf("%q is signed as %s, which is read as %q (%v)", name, signed.URL, u.Path, err)
		}
	})
}
