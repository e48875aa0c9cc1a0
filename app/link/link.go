// Package link makes and opens share links: tokens that let anyone who holds
// one read one file until they end, whatever becomes of the credentials that
// sign S3's URLs. It does no I/O but to ask its Revocations.
package link

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"time"

	"cloudstorage/app/object"
	"cloudstorage/app/seal"
)

// purpose keeps links apart from other sealed tokens.
const purpose seal.Purpose = "link"

// idBytes of randomness name a link: enough that two never meet, and a multiple
// of three, so that base64 wastes nothing.
const idBytes = 12

// ID names a link: in logs, and where it is revoked.
type ID [idBytes]byte

// String returns 16 characters that need no escaping in a URL.
func (id ID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// Link is what a token says. Whoever holds the token can read all of it, and
// change nothing.
type Link struct {
	ID      ID
	Key     object.Key
	Version string    // the version of the file; "" is the newest, whenever it is asked for
	Expires time.Time // in whole seconds
	By      string    // the ID of the caller who made it
}

// Revocations keeps which links were revoked, for every instance.
type Revocations interface {
	// Revoke makes l end. That it was revoked before is no error.
	Revoke(ctx context.Context, l Link, by string) error

	// Revoked says whether a link was revoked, on whichever instance, before the
	// call began.
	Revoked(ctx context.Context, id ID) (bool, error)
}

// Links makes, opens and revokes links. It is safe for concurrent use.
type Links struct {
	sealer      *seal.Sealer
	revocations Revocations
	maxTTL      time.Duration
}

// New returns Links that live at most maxTTL.
func New(s *seal.Sealer, r Revocations, maxTTL time.Duration) *Links {
	return &Links{s, r, maxTTL}
}

// Make returns l with an ID of its own, and its token. An l that ends too late,
// or has ended, is an *object.Error of CodeInvalid.
func (ls *Links) Make(l Link, now time.Time) (Link, string, error) {
	l.Expires = l.Expires.UTC().Truncate(time.Second)
	switch {
	case !l.Expires.After(now):
		return Link{}, "", invalid("the link would have ended already: let it end later")
	case l.Expires.After(now.Add(ls.maxTTL)):
		return Link{}, "", invalid(fmt.Sprintf("the link would live longer than %s: let it end by %s", ls.maxTTL, now.Add(ls.maxTTL).UTC().Format(time.RFC3339)))
	case len(l.Version) > maxVersionBytes:
		return Link{}, "", invalid("there is no such version")
	case len(l.By) > maxByBytes:
		return Link{}, "", fmt.Errorf("make link: a caller's ID has %d bytes, not at most %d", len(l.By), maxByBytes)
	}
	_, _ = rand.Read(l.ID[:]) // never fails: crypto/rand ends the program first
	return l, ls.sealer.Seal(purpose, encode(l)), nil
}

// Read returns what a token says, ended or not, for whoever decides about the
// link. The error is ErrBroken.
func (ls *Links) Read(token string) (Link, error) {
	if len(token) > maxTokenBytes {
		return Link{}, ErrBroken
	}
	payload, err := ls.sealer.Open(purpose, token)
	if err != nil {
		return Link{}, ErrBroken
	}
	return decode(payload)
}

// Open returns a link that is good now. The error is ErrBroken, an *EndedError,
// or that of asking whether the link was revoked: what cannot be asked is not
// opened.
func (ls *Links) Open(ctx context.Context, token string, now time.Time) (Link, error) {
	l, err := ls.Read(token)
	if err != nil {
		return Link{}, err
	}
	if !now.Before(l.Expires) {
		return Link{}, &EndedError{ID: l.ID, Why: Expired}
	}
	revoked, err := ls.revocations.Revoked(ctx, l.ID)
	switch {
	case err != nil:
		return Link{}, fmt.Errorf("link %s: was it revoked? %w", l.ID, err)
	case revoked:
		return Link{}, &EndedError{ID: l.ID, Why: Revoked}
	}
	return l, nil
}

// Revoke ends a link, which the caller got from Read, at once on every instance.
// One that has expired needs no revocation.
func (ls *Links) Revoke(ctx context.Context, l Link, by string, now time.Time) error {
	if !now.Before(l.Expires) {
		return nil
	}
	return ls.revocations.Revoke(ctx, l, by)
}

func invalid(message string) error {
	return &object.Error{Code: object.CodeInvalid, Op: "make link", Message: message}
}
