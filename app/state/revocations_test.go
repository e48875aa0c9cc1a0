package state_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"cloudstorage/app/link"
	"cloudstorage/app/object"
	"cloudstorage/app/state"
)

// forgetful never finds what it has.
type forgetful struct{ *fakeBucket }

func (f forgetful) Read(ctx context.Context, _, etag string) ([]byte, string, error) {
	return newBucket().Read(ctx, "", etag)
}

var now = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

func revocations(b state.Objects) *state.Revocations {
	return state.NewRevocations(b, func() time.Time { return now })
}

func mustSay(t *testing.T, r *state.Revocations, id link.ID, want bool) {
	t.Helper()
	if got, err := r.Revoked(t.Context(), id); got != want || err != nil {
		t.Errorf("revoked: %v, %v, want %v", got, err, want)
	}
}

func TestARevocationIsKnownAtOnceOnEveryInstance(t *testing.T) {
	t.Parallel()
	b := newBucket()
	one, other := revocations(b), revocations(b)
	l := link.Link{ID: link.ID{1}, Key: "a b", By: "ci", Expires: now.Add(time.Hour)}
	mustSay(t, other, l.ID, false) // it must not remember this
	if err := one.Revoke(t.Context(), l, "ann"); err != nil {
		t.Fatal(err)
	}
	mustSay(t, other, l.ID, true)
	mustSay(t, one, l.ID, true)
	mustSay(t, one, link.ID{2}, false)

	var kept map[string]string
	if err := json.Unmarshal(b.objects["revoked-links/AQAAAAAAAAAAAAAA"], &kept); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"key": "a b", "made_by": "ci", "by": "ann", "at": "2026-01-02T03:04:05Z", "expires": "2026-01-02T04:04:05.000000006Z",
	} {
		if kept[name] != want {
			t.Errorf("%s is %q, want %q", name, kept[name], want)
		}
	}
}

func TestOnlyThatALinkWasRevokedIsRemembered(t *testing.T) {
	t.Parallel()
	b := newBucket()
	r := revocations(b)
	for range 3 {
		mustSay(t, r, link.ID{1}, false)
	}
	if b.countReads() != 3 {
		t.Errorf("%d reads for three questions", b.countReads())
	}
	if err := r.Revoke(t.Context(), link.Link{ID: link.ID{1}}, "ann"); err != nil {
		t.Fatal(err)
	}
	b.fail(errAway)
	mustSay(t, r, link.ID{1}, true)
	if _, err := r.Revoked(t.Context(), link.ID{2}); object.CodeOf(err) != object.CodeUnavailable {
		t.Errorf("what cannot be asked: %v", err)
	}
	if err := r.Revoke(t.Context(), link.Link{ID: link.ID{2}}, "ann"); object.CodeOf(err) != object.CodeUnavailable {
		t.Errorf("what cannot be written: %v", err)
	}
}

func TestInstancesThatRevokeAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	b := newBucket()
	var ended sync.WaitGroup
	for i := range 40 {
		r := revocations(b)
		ended.Go(func() {
			if err := r.Revoke(t.Context(), link.Link{ID: link.ID{byte(i / 2)}}, "ann"); err != nil { // each twice
				t.Error(err)
			}
		})
	}
	ended.Wait()
	r := revocations(b)
	for i := range 20 {
		mustSay(t, r, link.ID{byte(i)}, true)
	}
	mustSay(t, r, link.ID{20}, false)
}

func TestTheMemoryOfRevokedLinksIsBounded(t *testing.T) {
	t.Parallel()
	b := newBucket()
	r := revocations(b)
	for i := range 25_000 {
		if err := r.Revoke(t.Context(), link.Link{ID: link.ID{byte(i), byte(i >> 8)}}, "ann"); err != nil {
			t.Fatal(err)
		}
	}
	for _, i := range []int{0, 24_999} {
		mustSay(t, r, link.ID{byte(i), byte(i >> 8)}, true)
	}
	if b.countReads() != 1 { // the first was forgotten, the last was not
		t.Errorf("%d reads", b.countReads())
	}
}
