package service

import (
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cloudstorage/app/auth"
	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/seal"
	"cloudstorage/app/web/webtest"
)

func TestARestrictedServerHasTheExercisesReadingRoutesUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
	token := auth.NewToken()
	env := restricted(t, key("all", token, "", auth.Verbs()...))
	for routes, statuses := range map[string]map[string]int{
		"":     {"/list_files": 200, "/download/a": 200, "/upload/a": 404, "/delete/a": 404},
		"read": {"/list_files": 200, "/download/a": 200, "/upload/a": 404, "/delete/a": 404},
		"none": {"/list_files": 404, "/download/a": 404, "/upload/a": 404, "/delete/a": 404},
		"all":  {"/list_files": 200, "/download/a": 200, "/upload/a": 200, "/delete/a": 200},
	} {
		env["STORAGE_EXERCISE_ROUTES"] = routes
		s := daemontest.Start(t, Program(), env)
		for target, status := range statuses {
			want(t, s.Address, "GET", target, status, bearer(token))
		}
	}
}

func TestBrowsersAreHeldToTheNamedOrigins(t *testing.T) {
	t.Parallel()
	env := daemontest.Environ(t, gatewaytest.Start(t), map[string]string{"STORAGE_WEB_ORIGINS": "https://files.example.org"})
	s := daemontest.Start(t, Program(), env)
	preflight := want(t, s.Address, "OPTIONS", "/v1/files", 204, "Origin: https://files.example.org", "Access-Control-Request-Method: GET")
	if got := preflight.Header.Get("Access-Control-Allow-Origin"); got != "https://files.example.org" {
		t.Errorf("Access-Control-Allow-Origin: %q", got)
	}
	if answer := want(t, s.Address, "GET", "/v1/files", 200, "Origin: https://evil.example.org"); answer.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("another origin: %s", answer.Raw)
	}
	want(t, s.Address, "POST", "/v1/files", 403, "Sec-Fetch-Site: cross-site", "Origin: https://evil.example.org", "Content-Length: 0")
	want(t, s.Address, "GET", "/delete/a", 403, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image")
	want(t, s.Address, "GET", "/delete/a", 200)
}

// limited asks until it is told to wait.
func limited(t *testing.T, address, target string, header ...string) bool {
	t.Helper()
	for range 100 {
		if answer := webtest.Do(t, address, "GET", target, header...); answer.Status == http.StatusTooManyRequests {
			return answer.Header.Get("Retry-After") != ""
		}
	}
	return false
}

func TestTheRateLimitIsOfEachCallerWhicheverRoutesTheyUse(t *testing.T) {
	t.Parallel()
	busy, other := auth.NewToken(), auth.NewToken()
	env := restricted(t, key("busy", busy, "", auth.List), key("other", other, "", auth.List))
	env["STORAGE_RATE_LIMIT"] = "5"
	s := daemontest.Start(t, Program(), env)
	if !limited(t, s.Address, "/v1/files", bearer(busy)) || !limited(t, s.Address, "/list_files", bearer(busy)) {
		t.Error("a busy caller is not told to wait")
	}
	want(t, s.Address, "GET", "/v1/files", 200, bearer(other))
	if !limited(t, s.Address, "/v1/files", bearer(auth.NewToken())) {
		t.Error("who guesses keys is not told to wait")
	}
}

func TestTheClientsAddressIsTheTrustedProxysWord(t *testing.T) {
	t.Parallel()
	env := daemontest.Environ(t, gatewaytest.Start(t), map[string]string{"STORAGE_TRUSTED_PROXIES": "127.0.0.0/8"})
	s := daemontest.Start(t, Program(), env)
	want(t, s.Address, "GET", "/", 200, "X-Forwarded-For: 198.51.100.1, 203.0.113.7")
	if log := s.Log.String(); !strings.Contains(log, `"client":"203.0.113.7"`) {
		t.Errorf("logged %s", log)
	}
}

func TestAFullServerSaysSoAndIsAlive(t *testing.T) {
	t.Parallel()
	asked, release := make(chan struct{}), make(chan struct{})
	s3 := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/state-1/"):
			_, _ = io.WriteString(w, base64.StdEncoding.EncodeToString(make([]byte, seal.KeyBytes)))
			return
		case r.URL.Path == "/": // for the time
			return
		}
		asked <- struct{}{}
		<-release
		_, _ = io.WriteString(w, `<ListBucketResult/>`)
	}))
	t.Cleanup(s3.Close)
	s := daemontest.Start(t, Program(), map[string]string{
		"STORAGE_BUCKET": "files-1", "STORAGE_STATE_BUCKET": "state-1", "STORAGE_ACCESS": "open", "STORAGE_ADDRESS": "127.0.0.1:0", "STORAGE_MAX_CONCURRENCY": "1",
		"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": s3.URL, "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s",
	})
	slow := webtest.Dial(t, s.Address)
	send(t, slow, "GET /v1/files HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	<-asked
	want(t, s.Address, "GET", "/v1/files", 503)
	want(t, s.Address, "GET", "/healthz", 200)
	close(release)
	if answer := webtest.Read(t, slow, "GET"); answer.Status != http.StatusOK {
		t.Errorf("the request that took the place: %s", answer.Raw)
	}
}

func send(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}
