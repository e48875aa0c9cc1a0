package s3lean_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/object/objecttest"
	"cloudstorage/app/s3lean"
	"cloudstorage/app/s3store/s3file"
	"cloudstorage/app/s3store/s3sign"
)

var noon = time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)

// fixed is a configuration that contacts nobody.
func fixed(change func(*s3lean.Config)) s3lean.Config {
	cfg := s3lean.Config{Bucket: "module02-1", Region: "eu-west-1", AccessKeyID: "AKIA", SecretAccessKey: "secret", Now: func() time.Time { return noon }}
	change(&cfg)
	return cfg
}

func wantSame(t *testing.T, name string, got, want object.Signed, err error) {
	t.Helper()
	if err != nil || got.URL != want.URL || got.Method != want.Method || !got.Expires.Equal(want.Expires) || len(got.Header) != len(want.Header) {
		t.Errorf("%s:\n%s %s %v until %s (%v), the SDK\n%s %s %v until %s", name, got.Method, got.URL, got.Header, got.Expires, err, want.Method, want.URL, want.Header, want.Expires)
	}
	for field := range want.Header {
		if got.Header.Get(field) != want.Header.Get(field) {
			t.Errorf("%s: %s: %q, want %q", name, field, got.Header.Get(field), want.Header.Get(field))
		}
	}
}

func TestEveryURLIsThatOfTheSDK(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]s3lean.Config{
		"AWS":                    fixed(func(*s3lean.Config) {}),
		"us-east-1":              fixed(func(c *s3lean.Config) { c.Region = "us-east-1" }),
		"a bucket with dots":     fixed(func(c *s3lean.Config) { c.Bucket = "a.b.c" }),
		"a session":              fixed(func(c *s3lean.Config) { c.SessionToken = "to+ken/=" }),
		"an endpoint":            fixed(func(c *s3lean.Config) { c.Endpoint = "http://127.0.0.1:9000" }),
		"an endpoint with slash": fixed(func(c *s3lean.Config) { c.Endpoint = "http://127.0.0.1:9000/" }),
	} {
		lean, sdk := open(t, cfg), full(t, cfg)
		files := s3file.Files{Store: s3sign.New(sdk)}
		for _, key := range append(objecttest.Names(), "/a//b/", "~a.b-c_d") {
			k := object.Key(key)
			want, err := sdk.SignGet(t.Context(), k, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			got, err := lean.SignGet(t.Context(), k, time.Minute)
			wantSame(t, name, got, want, err)
			if want, err = sdk.SignPut(t.Context(), k, time.Hour); err != nil {
				t.Fatal(err)
			}
			got, err = lean.SignPut(t.Context(), k, time.Hour)
			wantSame(t, name, got, want, err)
		}
		size := int64(7)
		for _, o := range []file.WriteOptions{
			{Type: "text/plain; charset=utf-8", IfNew: true, SHA256: &[32]byte{1}}, {IfMatch: `"x"`, Size: &size}, {Type: "  a/b;  c=d "},
		} {
			want, err := files.SignWrite(t.Context(), "a b", time.Minute, o)
			if err != nil {
				t.Fatal(err)
			}
			got, err := lean.SignWrite(t.Context(), "a b", time.Minute, o)
			wantSame(t, name, got, want, err)
		}
		read := file.ReadOptions{Head: true, Version: "3/+L", Type: "image/png", Disposition: `attachment; filename="a b~é"`}
		want, err := files.SignRead(t.Context(), "a", time.Minute, read)
		if err != nil {
			t.Fatal(err)
		}
		got, err := lean.SignRead(t.Context(), "a", time.Minute, read)
		wantSame(t, name, got, want, err)
	}
}

func FuzzSignedURL(f *testing.F) {
	for _, name := range objecttest.Names() {
		f.Add(name)
	}
	lean, sdk := open(f, fixed(func(*s3lean.Config) {})), full(f, fixed(func(*s3lean.Config) {}))
	f.Fuzz(func(t *testing.T, name string) {
		k, err := object.ParseKey(name)
		if err != nil {
			return
		}
		want, err := sdk.SignGet(t.Context(), k, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		got, err := lean.SignGet(t.Context(), k, time.Minute)
		wantSame(t, name, got, want, err)
	})
}

// metadata is an instance metadata service, version 2 only, whose credentials end
// at the time that it is told.
type metadata struct {
	*httptest.Server
	asked   atomic.Int32
	expires atomic.Pointer[time.Time]
	down    atomic.Bool
}

func newMetadata(t *testing.T, expires time.Time) *metadata {
	m := &metadata{}
	m.expires.Store(&expires)
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case m.down.Load():
			w.WriteHeader(http.StatusNotFound)
		case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token" && r.Header.Get("X-Aws-Ec2-Metadata-Token-Ttl-Seconds") != "":
			fmt.Fprint(w, "token")
		case r.Header.Get("X-Aws-Ec2-Metadata-Token") != "token":
			w.WriteHeader(http.StatusUnauthorized)
		case strings.HasSuffix(r.URL.Path, "/security-credentials/"):
			fmt.Fprint(w, "module02_s3FullAccessRole")
		case strings.HasSuffix(r.URL.Path, "/security-credentials/module02_s3FullAccessRole"):
			fmt.Fprintf(w, `{"Code":"Success","AccessKeyId":"ASIA%d","SecretAccessKey":"s","Token":"session","Expiration":%q}`,
				m.asked.Add(1), m.expires.Load().UTC().Format(time.RFC3339))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(m.Close)
	return m
}

func TestURLsEndWithTheRolesCredentials(t *testing.T) {
	t.Parallel()
	start := time.Now().Truncate(time.Second)
	end := start.Add(6 * time.Minute)
	m := newMetadata(t, end)
	s := open(t, s3lean.Config{Bucket: "b-1", Region: "eu-west-1", MetadataEndpoint: m.URL, Now: func() time.Time { return start }})
	for ttl, want := range map[time.Duration]time.Time{time.Minute: start.Add(time.Minute), 10 * time.Minute: end} {
		signed, err := s.SignGet(t.Context(), "a", ttl)
		if err != nil || !signed.Expires.Equal(want) || !strings.Contains(signed.URL, "X-Amz-Security-Token=session") {
			t.Errorf("a URL for %s ends at %s, want %s (%v): %s", ttl, signed.Expires, want, err, signed.URL)
		}
	}
}

func TestTheRolesCredentialsAreRenewedEarlyAndSeldom(t *testing.T) {
	t.Parallel()
	var clock atomic.Pointer[time.Time]
	start := time.Now().Truncate(time.Second)
	at := func(d time.Duration) { now := start.Add(d); clock.Store(&now) }
	at(0)
	m := newMetadata(t, start.Add(40*time.Minute))
	s := open(t, s3lean.Config{Bucket: "b-1", Region: "eu-west-1", MetadataEndpoint: m.URL, Now: func() time.Time { return *clock.Load() }})
	signWith := func(d time.Duration, key string) {
		t.Helper()
		at(d)
		signed, err := s.SignGet(t.Context(), "a", time.Minute)
		if err != nil || !strings.Contains(signed.URL, key+"%2F") {
			t.Errorf("after %s: signed %s, want %s (%v)", d, signed.URL, key, err)
		}
	}
	signWith(0, "ASIA1")
	signWith(24*time.Minute, "ASIA1")
	signWith(26*time.Minute, "ASIA2") // within 15 minutes of the end, and EC2 has nothing newer
	signWith(26*time.Minute+59*time.Second, "ASIA2")
	later := start.Add(50 * time.Minute)
	m.expires.Store(&later)
	signWith(27*time.Minute, "ASIA3")
	m.down.Store(true)
	signWith(36*time.Minute, "ASIA3") // due, and the service is away: the old ones are good
	if n := m.asked.Load(); n != 3 {
		t.Errorf("asked %d times, want 3", n)
	}
	at(51 * time.Minute)
	if signed, err := s.SignGet(t.Context(), "a", time.Minute); err == nil {
		t.Errorf("signed with ended credentials: %s", signed.URL)
	}
}

func TestCredentialsThatHaveEndedAreNotUsed(t *testing.T) {
	t.Parallel()
	start := time.Now().Truncate(time.Second)
	var clock atomic.Pointer[time.Time]
	clock.Store(&start)
	m := newMetadata(t, start)
	cfg := s3lean.Config{Bucket: "b-1", Region: "eu-west-1", MetadataEndpoint: m.URL, Now: func() time.Time { return *clock.Load() }}
	if _, err := s3lean.Open(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "no good credentials") {
		t.Errorf("Open: %v, want it to say that they ended", err)
	}
	end := start.Add(10 * time.Minute)
	m.expires.Store(&end)
	s := open(t, cfg)
	m.expires.Store(&start) // the service falls back
	for at, good := range map[time.Time]bool{start.Add(9 * time.Minute): true, end: false} {
		clock.Store(&at)
		signed, err := s.SignGet(t.Context(), "a", time.Minute)
		if (err == nil) != good {
			t.Errorf("%s before the end of the good ones: %v, %s", end.Sub(at), err, signed.URL)
		}
	}
}

func TestOpenWithoutCredentialsSaysWhatToDo(t *testing.T) {
	t.Parallel()
	m := newMetadata(t, time.Now())
	m.down.Store(true)
	for name, cfg := range map[string]s3lean.Config{
		"attach a role": {Bucket: "b-1", Region: "eu-west-1", MetadataEndpoint: m.URL},
		"set both":      {Bucket: "b-1", Region: "eu-west-1", AccessKeyID: "AKIA"},
	} {
		if _, err := s3lean.Open(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("Open: %v, want it to say %q", err, name)
		}
	}
}

// calls are what asks S3.
func calls(ctx context.Context, s *s3lean.Store) map[string]error {
	_, list := s.List(ctx, object.ListOptions{})
	_, remove := s.Delete(ctx, "a")
	_, stat := s.Stat(ctx, "a", "")
	return map[string]error{"s3:ListBucket": list, "s3:DeleteObject": remove, "s3:GetObject": stat}
}

func TestARefusalNamesItsActionAndNoSignature(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t)
	guest, wrong, missing := config(t, g), config(t, g), config(t, g)
	guest.AccessKeyID, guest.SecretAccessKey = g.GuestAccessKey, g.GuestSecretKey
	wrong.SecretAccessKey = "wrong"
	missing.Bucket = "module02-missing"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := fixed(func(c *s3lean.Config) { c.Endpoint = "http://" + l.Addr().String() })
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		cfg  s3lean.Config
		code object.Code
	}{
		{"no right", guest, object.CodeDenied}, {"wrong secret", wrong, object.CodeDenied}, {"closed port", closed, object.CodeUnavailable},
	} {
		for action, err := range calls(t.Context(), open(t, tt.cfg)) {
			var e *object.Error
			if !errors.As(err, &e) || e.Code != tt.code || e.Op != action || strings.Contains(err.Error(), "X-Amz") || strings.Contains(e.Message, "s3:") {
				t.Errorf("%s, %s: %v (%s)", tt.name, action, err, object.CodeOf(err))
			}
		}
	}
	if _, err := open(t, missing).List(t.Context(), object.ListOptions{}); object.CodeOf(err) != object.CodeInternal {
		t.Errorf("a missing bucket: %v (%s)", err, object.CodeOf(err))
	}
}

func TestWhatAnAilingS3AnswersIsUnavailableAndTriedAFewTimes(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `<Error><Code>SlowDown</Code></Error>`)
	}))
	t.Cleanup(server.Close)
	_, err := open(t, fixed(func(c *s3lean.Config) { c.Endpoint = server.URL })).Delete(t.Context(), "a")
	if object.CodeOf(err) != object.CodeUnavailable || asked.Load() != 3 {
		t.Errorf("%v after %d attempts", err, asked.Load())
	}
}

// What a proxy says is not what S3 knows.
func TestOnlyWhatS3SaysOfAFileIsBelieved(t *testing.T) {
	t.Parallel()
	const missing, html = `<Error><Code>NoSuchKey</Code></Error>`, `<html>Not Found</html>`
	remove := func(ctx context.Context, s *s3lean.Store) error { _, err := s.Delete(ctx, "a"); return err }
	read := func(ctx context.Context, s *s3lean.Store) error { _, _, err := s.Read(ctx, "a", ""); return err }
	list := func(ctx context.Context, s *s3lean.Store) error {
		_, err := s.List(ctx, object.ListOptions{})
		return err
	}
	stat := func(version string) func(context.Context, *s3lean.Store) error {
		return func(ctx context.Context, s *s3lean.Store) error { _, err := s.Stat(ctx, "a", version); return err }
	}
	for name, test := range map[string]struct {
		call   func(context.Context, *s3lean.Store) error
		status int
		body   string
		want   object.Code // "" is success
	}{
		"deleted":                          {remove, 204, "", ""},
		"nothing to delete":                {remove, 404, missing, ""},
		"a deletion that a proxy forbids":  {remove, 405, "", object.CodeInternal},
		"a deletion that S3 forbids":       {remove, 405, `<Error><Code>MethodNotAllowed</Code></Error>`, object.CodeInternal},
		"a deletion that got lost":         {remove, 404, html, object.CodeInternal},
		"a deletion without a bucket":      {remove, 404, `<Error><Code>NoSuchBucket</Code></Error>`, object.CodeInternal},
		"nothing to read":                  {read, 404, missing, object.CodeNotFound},
		"what a proxy does not find":       {read, 404, html, object.CodeInternal},
		"nothing to describe":              {stat(""), 404, "", object.CodeNotFound},
		"a version that is a deletion":     {stat("v"), 405, "", object.CodeNotFound},
		"a version that cannot be":         {stat("v"), 400, "", object.CodeInvalid},
		"a description that goes wrong":    {stat(""), 400, "", object.CodeInternal},
		"a cursor that cannot be":          {list, 400, `<Error><Code>InvalidArgument</Code></Error>`, object.CodeInvalid},
		"a name that is too long":          {remove, 400, `<Error><Code>KeyTooLongError</Code></Error>`, object.CodeInvalid},
		"a listing that a proxy refuses":   {list, 400, html, object.CodeInternal},
		"a token that S3 cannot read":      {list, 400, `<Error><Code>InvalidToken</Code></Error>`, object.CodeInternal},
		"a deletion that came too slowly":  {remove, 400, `<Error><Code>RequestTimeout</Code></Error>`, object.CodeUnavailable},
		"a deletion that is not permitted": {remove, 403, "", object.CodeDenied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				if test.body != "" {
					fmt.Fprint(w, test.body)
				}
			}))
			t.Cleanup(server.Close)
			err := test.call(t.Context(), open(t, fixed(func(c *s3lean.Config) { c.Endpoint = server.URL })))
			if (err == nil) != (test.want == "") || err != nil && object.CodeOf(err) != test.want {
				t.Errorf("%v (%s), want %q", err, object.CodeOf(err), test.want)
			}
		})
	}
}
