package s3lean_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/object/objecttest"
	"cloudstorage/app/s3lean"
	"cloudstorage/app/s3store"
	"cloudstorage/app/s3store/s3file"
	"cloudstorage/app/s3store/s3history"
	"cloudstorage/app/s3store/s3sign"
	"cloudstorage/app/s3store/s3upload"
)

func config(t testing.TB, g gatewaytest.Gateway) s3lean.Config {
	return s3lean.Config{Bucket: g.NewBucket(t), Region: g.Region, Endpoint: g.Endpoint, AccessKeyID: g.AccessKey, SecretAccessKey: g.SecretKey}
}

func open(t testing.TB, cfg s3lean.Config) *s3lean.Store {
	t.Helper()
	s, err := s3lean.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// full is the store with the AWS SDK on the same bucket.
func full(t testing.TB, cfg s3lean.Config) *s3store.Store {
	t.Helper()
	s, err := s3store.Open(t.Context(), s3store.Config{
		Bucket: cfg.Bucket, Region: cfg.Region, Endpoint: cfg.Endpoint, Now: cfg.Now, MetadataEndpoint: cfg.MetadataEndpoint,
		AccessKeyID: cfg.AccessKeyID, SecretAccessKey: cfg.SecretAccessKey, SessionToken: cfg.SessionToken,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// everything takes from the full store what the lean one does not have.
type everything struct {
	*s3lean.Store
	streams s3file.Files
	s3history.History
	s3upload.Uploads
}

func (e everything) Get(ctx context.Context, k object.Key, o file.GetOptions) (*file.Content, error) {
	return e.streams.Get(ctx, k, o)
}

func (e everything) Put(ctx context.Context, k object.Key, content io.Reader, o file.PutOptions) (object.Info, error) {
	return e.streams.Put(ctx, k, content, o)
}

func TestStoreConforms(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t)
	objecttest.RunEverything(t, func(t testing.TB) objecttest.Everything {
		cfg := config(t, g)
		base := s3sign.New(full(t, cfg))
		return everything{open(t, cfg), s3file.Files{Store: base}, s3history.New(base.Store), s3upload.New(base)}
	}, http.DefaultClient)
}

func TestExpiredURLsAreRefused(t *testing.T) {
	t.Parallel()
	cfg := config(t, gatewaytest.Start(t))
	cfg.Now = func() time.Time { return time.Now().Add(-time.Hour) }
	objecttest.Expired(t, open(t, cfg), http.DefaultClient)
}

func TestWhatIsKnownOfAFileIsWhatTheSDKKnows(t *testing.T) {
	t.Parallel()
	cfg := config(t, gatewaytest.Start(t))
	lean, sdk := open(t, cfg), full(t, cfg)
	objecttest.Put(t, lean, http.DefaultClient, "a/é b", "content")
	got, err := lean.List(t.Context(), object.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := sdk.List(t.Context(), object.ListOptions{})
	if err != nil || len(got.Items) != 1 || len(want.Items) != 1 || got.Items[0] != want.Items[0] {
		t.Errorf("listed %+v, the SDK %+v (%v)", got, want, err)
	}
}
