package s3state_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/link"
	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/s3store"
	"cloudstorage/app/s3store/s3file"
	"cloudstorage/app/s3store/s3sign"
	"cloudstorage/app/s3store/s3state"
	"cloudstorage/app/seal"
	"cloudstorage/app/state"
)

// bucket returns a way to open one bucket of a real S3 server, as each instance
// does for itself.
func bucket(t testing.TB) func() *s3store.Store {
	t.Helper()
	g := gatewaytest.Start(t)
	cfg := s3store.Config{Bucket: g.NewBucket(t), Region: g.Region, Endpoint: g.Endpoint, AccessKeyID: g.AccessKey, SecretAccessKey: g.SecretKey}
	return func() *s3store.Store { return open(t, cfg) }
}

func open(t testing.TB, cfg s3store.Config) *s3store.Store {
	t.Helper()
	s, err := s3store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// put writes an object as an operator does, whatever is there.
func put(t testing.TB, s *s3store.Store, name, content string) {
	t.Helper()
	files := s3file.Files{Store: s3sign.New(s)}
	if _, err := files.Put(t.Context(), object.Key(name), strings.NewReader(content), file.PutOptions{Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
}

func TestObjectsConform(t *testing.T) {
	t.Parallel()
	store := bucket(t)()
	o, ctx := s3state.Objects{Store: store}, t.Context()

	if _, _, err := o.Read(ctx, "a/b", ""); object.CodeOf(err) != object.CodeNotFound {
		t.Errorf("read what is not there: %v", err)
	}
	if _, _, err := o.Read(ctx, "a/b", `"0123"`); object.CodeOf(err) != object.CodeNotFound {
		t.Errorf("read what is no longer there: %v", err)
	}
	if err := o.Create(ctx, "a/b", []byte("one")); err != nil {
		t.Fatal(err)
	}
	body, etag, err := o.Read(ctx, "a/b", "")
	if string(body) != "one" || etag == "" || err != nil {
		t.Errorf("read: %q %q %v", body, etag, err)
	}
	if err := o.Create(ctx, "a/b", []byte("two")); !errors.Is(err, state.ErrExists) {
		t.Errorf("create again: %v", err)
	}
	if body, same, err := o.Read(ctx, "a/b", etag); !errors.Is(err, state.ErrUnchanged) || body != nil || same != etag {
		t.Errorf("read what is unchanged: %q %q %v", body, same, err)
	}
	put(t, store, "a/b", "three")
	if body, newer, err := o.Read(ctx, "a/b", etag); string(body) != "three" || newer == etag || err != nil {
		t.Errorf("read what has changed: %q %q %v", body, newer, err)
	}
	if _, err := store.Delete(ctx, "a/b"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := o.Read(ctx, "a/b", ""); object.CodeOf(err) != object.CodeNotFound {
		t.Errorf("read what was deleted: %v", err)
	}
}

func TestWhatIsTooLargeIsNotRead(t *testing.T) {
	t.Parallel()
	o := s3state.Objects{Store: bucket(t)()}
	for size, fits := range map[int]bool{state.MaxObjectBytes: true, state.MaxObjectBytes + 1: false} {
		name := fmt.Sprint(size)
		if err := o.Create(t.Context(), name, make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		body, _, err := o.Read(t.Context(), name, "")
		if fits && (err != nil || len(body) != size) || !fits && (object.CodeOf(err) != object.CodeTooLarge || body != nil) {
			t.Errorf("%d bytes: read %d, %v", size, len(body), err)
		}
	}
}

func TestErrorsNameTheActionAndTheObject(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t)
	cfg := s3store.Config{Bucket: g.NewBucket(t), Region: g.Region, Endpoint: g.Endpoint, AccessKeyID: g.GuestAccessKey, SecretAccessKey: g.GuestSecretKey}
	guest := s3state.Objects{Store: open(t, cfg)}
	_, _, err := guest.Read(t.Context(), "keyring.json", "")
	if object.CodeOf(err) != object.CodeDenied || !strings.HasPrefix(err.Error(), "s3:GetObject keyring.json: ") {
		t.Errorf("read: %v", err)
	}
	err = guest.Create(t.Context(), "keyring.json", nil)
	if object.CodeOf(err) != object.CodeDenied || !strings.HasPrefix(err.Error(), "s3:PutObject keyring.json: ") {
		t.Errorf("create: %v", err)
	}
	g.Stop()
	if _, _, err := guest.Read(t.Context(), "keyring.json", ""); object.CodeOf(err) != object.CodeUnavailable {
		t.Errorf("read during an outage: %v", err)
	}
}

// conflicting is an S3 that cannot say at first whether the object is there,
// which the gateway never answers.
func conflicting(t *testing.T, conflicts int32) (o s3state.Objects, calls *atomic.Int32) {
	t.Helper()
	calls = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") != "*" {
			t.Errorf("%s %s: an unconditional write", r.Method, r.URL)
		}
		if calls.Add(1) <= conflicts {
			w.WriteHeader(http.StatusConflict)
			_, _ = w.Write([]byte(`<Error><Code>ConditionalRequestConflict</Code></Error>`))
		}
	}))
	t.Cleanup(server.Close)
	return s3state.Objects{Store: open(t, s3store.Config{Bucket: "b-1", Region: "eu-west-1", Endpoint: server.URL, AccessKeyID: "A", SecretAccessKey: "s"})}, calls
}

func TestAConflictingWriteIsTriedAgain(t *testing.T) {
	t.Parallel()
	o, calls := conflicting(t, 2)
	if err := o.Create(t.Context(), "a", []byte("x")); err != nil || calls.Load() != 3 {
		t.Errorf("%v after %d calls", err, calls.Load())
	}
	o, calls = conflicting(t, 100)
	if err := o.Create(t.Context(), "a", []byte("x")); object.CodeOf(err) != object.CodeConflict || calls.Load() != 3 {
		t.Errorf("%v after %d calls", err, calls.Load())
	}
}

func TestInstancesThatRaceForTheSealingKeyAgree(t *testing.T) {
	t.Parallel()
	const instances = 16
	newInstance := bucket(t)
	sealers := make([]*seal.Sealer, instances)
	objects := make([]s3state.Objects, instances)
	for i := range objects {
		objects[i] = s3state.Objects{Store: newInstance()}
	}
	start := make(chan struct{})
	var ended sync.WaitGroup
	for i := range sealers {
		ended.Go(func() {
			<-start
			var err error
			if sealers[i], err = state.OpenSealer(t.Context(), objects[i]); err != nil {
				t.Error(err)
			}
		})
	}
	close(start)
	ended.Wait()
	if t.Failed() {
		return
	}
	token := sealers[0].Seal("cursor", []byte("a"))
	for i, s := range sealers {
		if _, err := s.Open("cursor", token); err != nil {
			t.Errorf("instance %d: %v", i, err)
		}
	}
}

func TestTheKeyringOfTheBucketIsReread(t *testing.T) {
	t.Parallel()
	store := bucket(t)()
	ring := func(id string) string {
		return fmt.Sprintf(`{"keys":[{"id":%q,"sha256":%q,"verbs":["read"],"prefixes":[""]}]}`, id, auth.Hash(id))
	}
	put(t, store, state.KeyringName, ring("first"))
	var log bytes.Buffer
	k, err := state.OpenKeyring(t.Context(), s3state.Objects{Store: store}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	has := func(want string) {
		t.Helper()
		k.Reread(t.Context())
		if keys := k.Current().Keys(); len(keys) != 1 || keys[0].ID != want {
			t.Errorf("keys %+v, want %s", keys, want)
		}
	}
	has("first")
	if log.Len() != 0 {
		t.Errorf("an unchanged keyring is logged: %s", &log)
	}
	put(t, store, state.KeyringName, ring("second"))
	has("second")
	put(t, store, state.KeyringName, "{")
	has("second")
}

func TestARevocationIsKnownToEveryInstance(t *testing.T) {
	t.Parallel()
	newInstance := bucket(t)
	one := state.NewRevocations(s3state.Objects{Store: newInstance()}, time.Now)
	two := state.NewRevocations(s3state.Objects{Store: newInstance()}, time.Now)
	l := link.Link{ID: link.ID{1}, Key: "a b", Expires: time.Now().Add(time.Hour), By: "me"}
	for _, r := range []*state.Revocations{one, two} {
		if revoked, err := r.Revoked(t.Context(), l.ID); revoked || err != nil {
			t.Errorf("before: %t, %v", revoked, err)
		}
	}
	for range 2 { // again is no error
		if err := one.Revoke(t.Context(), l, "you"); err != nil {
			t.Fatal(err)
		}
	}
	if err := two.Revoke(t.Context(), l, "she"); err != nil {
		t.Errorf("by another instance: %v", err)
	}
	if revoked, err := state.NewRevocations(s3state.Objects{Store: newInstance()}, time.Now).Revoked(t.Context(), l.ID); !revoked || err != nil {
		t.Errorf("after: %t, %v", revoked, err)
	}
}
