// Package file is what a store does with one object at a time: describe it,
// read it, write it, and sign URLs that are good for exactly that much.
package file

import (
	"context"
	"io"
	"time"

	"cloudstorage/app/object"
)

// MaxPut is the most that one write takes, in bytes; beyond it, an upload in
// parts is needed.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
const MaxPut = 5 << 30

// SHA256 is a digest of content; nil is none.
type SHA256 *[32]byte

// GetOptions select what is read. The zero value reads all of what is there now.
type GetOptions struct {
	Version     string // this version; "" is the newest
	Range       *Range // only these bytes; nil is all of them
	IfMatch     string // only while it has one of these ETags
	IfNoneMatch string // only if it has none of these ETags: CodeNotModified otherwise
}

// Content is an object's bytes as they arrive. Whoever got it closes it.
type Content struct {
	object.Info // Size is that of the whole object
	io.ReadCloser

	First, Length int64 // which bytes are read
}

// PutOptions say what is written, and when not to.
type PutOptions struct {
	Size    int64  // bytes; required, since a store wants to know it first
	Type    string // Content-Type; "" leaves it to the store
	SHA256  SHA256 // the store refuses content with another digest
	IfNew   bool   // CodePrecondition where the object is there already
	IfMatch string // CodePrecondition where the object has another ETag
}

// ReadOptions narrow what a URL reads. The zero value reads with GET.
type ReadOptions struct {
	Head        bool   // HEAD in place of GET
	Version     string // this version; "" is the newest when it is asked for
	Type        string // the Content-Type of the answer; "" is the object's own
	Disposition string // the Content-Disposition of the answer
}

// WriteOptions narrow what a URL writes: each becomes a header field that the
// client must send as it is. The zero value takes any content.
type WriteOptions struct {
	Type    string // Content-Type
	Size    *int64 // bytes; nil is any number, up to MaxPut
	SHA256  SHA256 // the store refuses content with another digest
	IfNew   bool   // the store refuses to overwrite
	IfMatch string // the store refuses to overwrite anything else
}

// Store works on files. Its errors are *object.Error. It is safe for concurrent
// use.
type Store interface {
	// Stat describes an object, as it is now or in the given version.
	Stat(ctx context.Context, k object.Key, version string) (object.Info, error)

	// Get reads an object. ctx ends the reading, too.
	Get(ctx context.Context, k object.Key, o GetOptions) (*Content, error)

	// Put writes an object from a stream that is read once, and describes it but
	// for Modified. content may be read until it ends even when Put has failed.
	Put(ctx context.Context, k object.Key, content io.Reader, o PutOptions) (object.Info, error)

	// SignRead and SignWrite sign without asking the store.
	SignRead(ctx context.Context, k object.Key, ttl time.Duration, o ReadOptions) (object.Signed, error)
	SignWrite(ctx context.Context, k object.Key, ttl time.Duration, o WriteOptions) (object.Signed, error)
}
