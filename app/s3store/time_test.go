package s3store_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/s3store"
)

func TestS3TellsItsTimeToAnybody(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t)
	ask, err := s3store.Time(t.Context(), s3store.Config{Bucket: g.NewBucket(t), Region: g.Region, Endpoint: g.Endpoint})
	if err != nil {
		t.Fatal(err)
	}
	told, err := ask(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := time.Since(told); d < 0 || d > time.Minute {
		t.Errorf("S3's time is %s ago", d)
	}
}

func TestWhatTellsNoTimeIsAnError(t *testing.T) {
	t.Parallel()
	mute := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Date"] = nil
	}))
	t.Cleanup(mute.Close)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for _, endpoint := range []string{mute.URL, "http://" + closed.Addr().String()} {
		ask, err := s3store.Time(t.Context(), s3store.Config{Bucket: "module02-1", Region: "eu-west-1", Endpoint: endpoint})
		if err != nil {
			t.Fatal(err)
		}
		host := strings.TrimPrefix(endpoint, "http://")
		if told, err := ask(t.Context()); err == nil || !strings.Contains(err.Error(), host) {
			t.Errorf("%s: %s, %v; want an error that names it", endpoint, told, err)
		}
	}
	if _, err := s3store.Time(t.Context(), s3store.Config{Bucket: "module02-1", Region: "eu-west-1", Endpoint: "no URL"}); err == nil {
		t.Error("an endpoint that is no URL is taken")
	}
}
