package s3store_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cloudstorage/app/s3store"
)

// metadata is an instance metadata service, version 2 only, whose credentials
// end at the time that it is told.
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
		case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token":
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
			fmt.Fprint(w, "token")
		case r.Header.Get("X-Aws-Ec2-Metadata-Token") != "token":
			w.WriteHeader(http.StatusUnauthorized)
		case strings.HasSuffix(r.URL.Path, "/security-credentials/"):
			fmt.Fprint(w, "module02_s3FullAccessRole")
		default:
			n := m.asked.Add(1)
			fmt.Fprintf(w, `{"Code":"Success","AccessKeyId":"ASIA%d","SecretAccessKey":"s","Token":"session","Expiration":%q}`,
				n, m.expires.Load().UTC().Format(time.RFC3339))
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
	s := open(t, s3store.Config{Bucket: "b-1", Region: "eu-west-1", MetadataEndpoint: m.URL, Now: func() time.Time { return start }})
	for ttl, want := range map[time.Duration]time.Time{time.Minute: start.Add(time.Minute), 10 * time.Minute: end} {
		signed, err := s.SignGet(t.Context(), "a", ttl)
		if err != nil {
			t.Fatal(err)
		}
		if !signed.Expires.Equal(want) {
			t.Errorf("a URL for %s ends at %s, want %s", ttl, signed.Expires, want)
		}
		if !strings.Contains(signed.URL, "X-Amz-Security-Token=session") {
			t.Errorf("the URL lacks the session token: %s", signed.URL)
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
	s := open(t, s3store.Config{Bucket: "b-1", Region: "eu-west-1", MetadataEndpoint: m.URL, Now: func() time.Time { return *clock.Load() }})
	signWith := func(d time.Duration, key string) {
		t.Helper()
		at(d)
		signed, err := s.SignGet(t.Context(), "a", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(signed.URL, key+"%2F") {
			t.Errorf("after %s: signed %s, want %s", d, signed.URL, key)
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
	cfg := s3store.Config{Bucket: "b-1", Region: "eu-west-1", MetadataEndpoint: m.URL, Now: func() time.Time { return *clock.Load() }}
	if _, err := s3store.Open(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "ended at") {
		t.Errorf("Open: %v, want it to say when they ended", err)
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
	for name, cfg := range map[string]s3store.Config{
		"attach a role": {Bucket: "b-1", Region: "eu-west-1", MetadataEndpoint: m.URL},
		"set both":      {Bucket: "b-1", Region: "eu-west-1", AccessKeyID: "AKIA"},
	} {
		if _, err := s3store.Open(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("Open: %v, want it to say %q", err, name)
		}
	}
}
