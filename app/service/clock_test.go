package service

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/sigv4"
)

// Whether this machine's clock is behind or the storage's ahead is the same to a
// server, and only the latter can be tried.
func TestItSignsByTheClockOfTheStorage(t *testing.T) {
	t.Parallel()
	const ahead = 5 * time.Hour
	g := gatewaytest.Start(t)
	upstream, err := url.Parse(g.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(upstream)
			r.Out.Host = r.In.Host // it is signed
		},
		ModifyResponse: func(answer *http.Response) error {
			if answer.Request.Header.Get("Authorization") != "" {
				return nil // the SDK has its own way to put its clock right, and the gateway would refuse that
			}
			answer.Header.Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
			return nil
		},
	})
	t.Cleanup(proxy.Close)
	env := daemontest.Environ(t, g, nil)
	env["AWS_ENDPOINT_URL"] = proxy.URL
	server := daemontest.Start(t, Program(), env)

	for _, target := range []string{"/download/a.txt", "/upload/a.txt"} {
		answer := want(t, server.Address, http.MethodGet, target, http.StatusOK)
		_, query, _ := strings.Cut(answer.Body, "X-Amz-Date=")
		signed, err := time.Parse(sigv4.TimeFormat, query[:min(len(query), len(sigv4.TimeFormat))])
		if err != nil {
			t.Fatalf("%s: %v in %s", target, err, answer.Raw)
		}
		if d := time.Until(signed) - ahead; d.Abs() > time.Minute {
			t.Errorf("%s: signed at %s, %s off", target, signed, d)
		}
	}
	if log := server.Log.String(); !strings.Contains(log, "clock is wrong") {
		t.Errorf("the log does not say so: %s", log)
	}
}
