package service

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/e2e/gatewaytest"
)

func TestMetricsAreOnAPortOfTheirOwn(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t)
	env := daemontest.Environ(t, g, map[string]string{"STORAGE_METRICS_ADDRESS": "127.0.0.1:0"})
	s := daemontest.Start(t, Program(), env)
	want(t, s.Address, "GET", "/download/secret-name", 200)
	found := regexp.MustCompile(`"msg":"metrics","address":"([^"]+)"`).FindStringSubmatch(s.Log.String())
	if found == nil {
		t.Fatalf("the log does not say where:\n%s", s.Log)
	}
	scrape := want(t, found[1], "GET", "/metrics", 200).Body
	if !strings.Contains(scrape, `http_server_requests_total{method="GET",route="/download/*",status="2xx"} 1`) || strings.Contains(scrape, "secret-name") {
		t.Errorf("scraped %s", scrape)
	}
	want(t, found[1], "GET", "/v1/files", 404)
	want(t, s.Address, "GET", "/metrics", 404)

	taken := daemontest.Environ(t, g, map[string]string{"STORAGE_METRICS_ADDRESS": found[1]})
	if got := fails(t, taken); !strings.Contains(got, "listen for Prometheus on "+found[1]) {
		t.Errorf("a port that is taken: %q", got)
	}
}

func TestTheLastTracesAreSentBeforeTheServerEnds(t *testing.T) {
	t.Parallel()
	got := make(chan []byte, 16)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/v1/traces" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		got <- body
	}))
	t.Cleanup(collector.Close)
	env := daemontest.Environ(t, gatewaytest.Start(t), map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL})
	s := daemontest.Start(t, Program(), env)
	want(t, s.Address, "GET", "/download/secret-name", 200)
	s.Stop()
	s.Wait()
	select {
	case body := <-got:
		if !bytes.Contains(body, []byte("/download/*")) || bytes.Contains(body, []byte("secret-name")) {
			t.Errorf("sent %q", body)
		}
	default:
		t.Errorf("sent nothing:\n%s", s.Log)
	}
}
