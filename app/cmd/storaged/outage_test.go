package main

import (
	"net/http"
	"strings"
	"testing"

	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/web/webtest"
)

// An S3 that is away costs what needs it, and nothing else.
func TestAnOutageOfS3(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t)
	env := daemontest.Environ(t, g, nil)
	address, log := start(t, env)
	if answer := webtest.Do(t, address, "GET", "/readyz"); answer.Status != http.StatusOK {
		t.Fatalf("readyz before the outage: %s", answer.Raw)
	}
	g.Stop()
	for target, want := range map[string]int{
		"/list_files": 503, "/delete/a": 503, "/readyz": 503,
		"/": 200, "/healthz": 200, "/download/a": 200, "/upload/a": 200,
	} {
		answer := webtest.Do(t, address, "GET", target)
		if answer.Status != want || (answer.Header.Get("Retry-After") != "") != (want == 503) {
			t.Errorf("GET %s: %s\nwant %d", target, answer.Raw, want)
		}
		if strings.Contains(answer.Body, env["AWS_ENDPOINT_URL"]) && want == 503 {
			t.Errorf("GET %s tells too much: %s", target, answer.Body)
		}
	}
	if !strings.Contains(log.String(), "s3:DeleteObject a: ") {
		t.Errorf("the log does not name the action:\n%s", log)
	}
}

func TestADeniedActionIsInTheLogAndNotInTheAnswer(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t)
	env := daemontest.Environ(t, g, nil)
	env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"] = g.GuestAccessKey, g.GuestSecretKey
	s := daemontest.Start(t, daemontest.Baked(), env) // storaged does not start without its state
	address, log := s.Address, s.Log
	for target, action := range map[string]string{"/list_files": "s3:ListBucket", "/delete/a": "s3:DeleteObject a"} {
		answer := webtest.Do(t, address, "GET", target)
		if answer.Status != http.StatusBadGateway || strings.Contains(answer.Raw, "s3:") || strings.Contains(answer.Raw, "AccessDenied") {
			t.Errorf("GET %s: %s\nwant 502 and no reason", target, answer.Raw)
		}
		if !strings.Contains(log.String(), action) || !strings.Contains(log.String(), `"code":"denied"`) {
			t.Errorf("the log does not name %s:\n%s", action, log)
		}
	}
	if answer := webtest.Do(t, address, "GET", "/readyz"); answer.Status != http.StatusServiceUnavailable {
		t.Errorf("readyz: %s", answer.Raw)
	}
	if text := log.String(); strings.Contains(text, env["AWS_SECRET_ACCESS_KEY"]) || strings.Contains(text, "Signature") {
		t.Errorf("the log holds a secret:\n%s", text)
	}
}
