package state

import (
	"context"
	"errors"
	"time"
)

// The objects.
const (
	KeyringName       = "keyring.json"   // written from outside: see auth.ParseKeyring
	SealingKeyName    = "sealing-key"    // written once, by the first server
	RevocationsPrefix = "revoked-links/" // one object for each revoked link, named by its ID
)

// MaxObjectBytes is what Objects reads at most: a keyring of 5,000 keys.
const MaxObjectBytes = 1 << 20

// callTimeout bounds each call: a request may wait for it.
const callTimeout = 5 * time.Second

// What Objects tells apart, beside the codes of package object.
var (
	ErrUnchanged = errors.New("the object is as it was")
	ErrExists    = errors.New("the object exists")
)

// Reader reads objects of the bucket. It is safe for concurrent use.
type Reader interface {
	// Read returns an object of at most MaxObjectBytes and its ETag. The error is
	// ErrUnchanged where the ETag still is the given one, and has
	// object.CodeNotFound where there is no such object; S3 says so only to who
	// may list the bucket. A Read sees each Create that ended before it began.
	Read(ctx context.Context, name, etag string) (body []byte, newETag string, err error)
}

// Objects is the bucket. It is safe for concurrent use.
type Objects interface {
	Reader

	// Create writes an object, unless there is one of that name: ErrExists.
	Create(ctx context.Context, name string, body []byte) error
}
