package s3store_test

import (
	"net/http"
	"testing"
	"time"

	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/object"
	"cloudstorage/app/object/objecttest"
	"cloudstorage/app/s3store"
)

func config(t testing.TB, g gatewaytest.Gateway) s3store.Config {
	return s3store.Config{Bucket: g.NewBucket(t), Region: g.Region, Endpoint: g.Endpoint, AccessKeyID: g.AccessKey, SecretAccessKey: g.SecretKey}
}

func open(t testing.TB, cfg s3store.Config) *s3store.Store {
	t.Helper()
	s, err := s3store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStoreConforms(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t)
	objecttest.Run(t, func(t testing.TB) object.Store { return open(t, config(t, g)) }, http.DefaultClient)
}

func TestExpiredURLsAreRefused(t *testing.T) {
	t.Parallel()
	cfg := config(t, gatewaytest.Start(t))
	cfg.Now = func() time.Time { return time.Now().Add(-time.Hour) }
	objecttest.Expired(t, open(t, cfg), http.DefaultClient)
}

// calls are what asks S3.
func calls(t testing.TB, s *s3store.Store) map[string]error {
	_, list := s.List(t.Context(), object.ListOptions{})
	return map[string]error{
		"s3:ListBucket":   list,
		"s3:DeleteObject": s.Delete(t.Context(), "a"),
	}
}

func TestRefusedCredentialsAreDeniedWithTheAction(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t)
	guest, wrong, unknown := config(t, g), config(t, g), config(t, g)
	guest.AccessKeyID, guest.SecretAccessKey = g.GuestAccessKey, g.GuestSecretKey
	wrong.SecretAccessKey = "wrong"
	unknown.AccessKeyID = "nobody"
	for name, cfg := range map[string]s3store.Config{"no right": guest, "wrong secret": wrong, "unknown key": unknown} {
		for action, err := range calls(t, open(t, cfg)) {
			wantError(t, name, err, object.CodeDenied, action)
		}
	}
}

func TestAMissingBucketIsASetUpError(t *testing.T) {
	t.Parallel()
	cfg := config(t, gatewaytest.Start(t))
	cfg.Bucket = "module02-missing"
	for action, err := range calls(t, open(t, cfg)) {
		wantError(t, "missing bucket", err, object.CodeInternal, action)
	}
}
