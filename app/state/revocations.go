package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"cloudstorage/app/link"
	"cloudstorage/app/object"
)

// maxRemembered bounds the memory of revoked links: about half a megabyte.
const maxRemembered = 10_000

// Revocations is the revoked links. A revocation is an object of its own, so
// that revoking is one write that neither reads nor loses another's, and is
// never undone.
//
// Whether a link was revoked is asked at each use, with one read of one small
// object, since S3 shows a write to every read after it
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel)
// and anything remembered would be a time in which a revoked link still works.
// Only that one was revoked is remembered: it stays true. A use costs what a GET
// costs, and a link that spreads can be asked for as often as the limits of the
// web layer let it.
type Revocations struct {
	objects Objects
	now     func() time.Time

	mu      sync.RWMutex
	revoked map[link.ID]struct{}
}

// NewRevocations returns the revocations in the bucket.
func NewRevocations(o Objects, now func() time.Time) *Revocations {
	return &Revocations{objects: o, now: now, revoked: map[link.ID]struct{}{}}
}

// revocation is an object's content, for people: what counts is that it exists.
type revocation struct {
	Key     object.Key `json:"key"`
	MadeBy  string     `json:"made_by"`
	Expires time.Time  `json:"expires"` // the link; what revokes it may be deleted from then on
	By      string     `json:"by"`
	At      time.Time  `json:"at"`
}

// Revoke makes the link end on every instance before it returns. That it was
// revoked before is no error.
func (r *Revocations) Revoke(ctx context.Context, l link.Link, by string) error {
	body, err := json.Marshal(revocation{l.Key, l.By, l.Expires, by, r.now().UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err = r.objects.Create(ctx, revocationName(l.ID), append(body, '\n'))
	if err != nil && !errors.Is(err, ErrExists) {
		return fmt.Errorf("revoke link %s: %w", l.ID, err)
	}
	r.remember(l.ID)
	return nil
}

// Revoked asks the bucket, unless it said yes before. It does not join a
// question that is under way, whose answer may be older than this call.
func (r *Revocations) Revoked(ctx context.Context, id link.ID) (bool, error) {
	r.mu.RLock()
	_, known := r.revoked[id]
	r.mu.RUnlock()
	if known {
		return true, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, _, err := r.objects.Read(ctx, revocationName(id), "")
	switch {
	case object.CodeOf(err) == object.CodeNotFound:
		return false, nil
	case err != nil:
		return false, err
	}
	r.remember(id)
	return true, nil
}

// remember forgets everything when it is full: what is asked for again is known
// again after one read.
func (r *Revocations) remember(id link.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.revoked) >= maxRemembered {
		clear(r.revoked)
	}
	r.revoked[id] = struct{}{}
}

func revocationName(id link.ID) string { return RevocationsPrefix + id.String() }
