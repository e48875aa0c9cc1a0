package s3store_test

import (
	"net/http"
	"testing"
	"time"

	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/object"
	"cloudstorage/app/object/objecttest"
	"cloudstorage/app/s3store"
	"cloudstorage/app/s3store/s3file"
	"cloudstorage/app/s3store/s3history"
	"cloudstorage/app/s3store/s3sign"
	"cloudstorage/app/s3store/s3upload"
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

// everything is the store with all that is built on it.
type everything struct {
	*s3sign.Store
	s3file.Files
	s3history.History
	s3upload.Uploads
}

func openEverything(t testing.TB, cfg s3store.Config) everything {
	t.Helper()
	s := s3sign.New(open(t, cfg))
	return everything{s, s3file.Files{Store: s}, s3history.New(s.Store), s3upload.New(s)}
}

func TestStoreConforms(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t)
	objecttest.RunEverything(t, func(t testing.TB) objecttest.Everything { return openEverything(t, config(t, g)) }, http.DefaultClient)
}

func TestExpiredURLsAreRefused(t *testing.T) {
	t.Parallel()
	cfg := config(t, gatewaytest.Start(t))
	cfg.Now = func() time.Time { return time.Now().Add(-time.Hour) }
	objecttest.Expired(t, open(t, cfg), http.DefaultClient)
}

func TestTheStoreOfTheExerciseConforms(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t)
	objecttest.Run(t, func(t testing.TB) object.Store { return open(t, config(t, g)) }, http.DefaultClient)
}

// calls are what asks S3.
func calls(t testing.TB, s *s3store.Store) map[string]error {
	_, list := s.List(t.Context(), object.ListOptions{})
	_, remove := s.Delete(t.Context(), "a")
	return map[string]error{"s3:ListBucket": list, "s3:DeleteObject": remove}
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
