package object

import (
	"context"
	"net/http"
	"time"
)

// Info describes one stored object. Its key is listed as it is, even where
// another tool made it and ParseKey would refuse it.
type Info struct {
	Key      Key
	Size     int64  // bytes
	ETag     string // as HTTP writes it, in quotes
	Modified time.Time
	Type     string // its Content-Type; a listing does not know it
	Version  string // its version's id; a listing of objects does not know it

	// SHA256 is its content's digest in base64 or, with "-3" behind it, that of the
	// digests of its 3 parts, one after the other. Only Stat tells it, where whoever
	// wrote the object sent it.
	SHA256 string
}

// MaxPage is the most that a store lists, or deletes, at once.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
const MaxPage = 1000

// ListOptions selects a page of a listing. The zero value asks for the first
// page of everything.
type ListOptions struct {
	Prefix    string // only keys that start with it
	Delimiter string // keys that have it after the prefix are rolled up to there; "" rolls up none
	Limit     int    // at most this many items and prefixes, of MaxPage; 0 is MaxPage
	Cursor    string // the Next of the page before; "" is the first page
}

// Page is one page of a listing, in the order of the keys' bytes.
type Page struct {
	Items    []Info
	Prefixes []string // what keys were rolled up to, with the delimiter
	Next     string   // the cursor of the next page; "" is the last page
}

// Signed is a request that anyone can send until it expires.
type Signed struct {
	Method  string
	URL     string
	Header  http.Header // what must be sent along, beside Host; often empty
	Expires time.Time   // the earlier of the asked time and the credentials' end
}

// Store lists, deletes and signs. Its errors are *Error. It is safe for
// concurrent use.
type Store interface {
	List(ctx context.Context, o ListOptions) (Page, error)

	// Delete removes an object and returns the version id of the delete marker
	// that hides it, "" where the store keeps no versions. An object that is
	// not there is no error.
	Delete(ctx context.Context, k Key) (marker string, err error)

	// SignGet and SignPut sign without asking the store, so they neither wait
	// for it nor know whether the object is there.
	SignGet(ctx context.Context, k Key, ttl time.Duration) (Signed, error)
	SignPut(ctx context.Context, k Key, ttl time.Duration) (Signed, error)

	// Ready asks the store whether it can be used now.
	Ready(ctx context.Context) error
}
