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
	Size     int64 // bytes
	ETag     string
	Modified time.Time
}

// ListOptions selects a page of a listing. The zero value asks for the first
// page of everything.
type ListOptions struct {
	Prefix string // only keys that start with it
	Limit  int    // at most this many items; 0 is the store's own page size
	Cursor string // the Next of the page before; "" is the first page
}

// Page is one page of a listing, in the order of the keys' bytes.
type Page struct {
	Items []Info
	Next  string // the cursor of the next page; "" is the last page
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

	// Delete removes an object. One that is not there is no error.
	Delete(ctx context.Context, k Key) error

	// SignGet and SignPut sign without asking the store, so they neither wait
	// for it nor know whether the object is there.
	SignGet(ctx context.Context, k Key, ttl time.Duration) (Signed, error)
	SignPut(ctx context.Context, k Key, ttl time.Duration) (Signed, error)

	// Ready asks the store whether it can be used now.
	Ready(ctx context.Context) error
}
