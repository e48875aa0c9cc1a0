// Package upload is how content of any size gets into a store without passing
// through the API: in parts that anyone can send with a signed URL, or by a form
// that a browser posts. The store remembers the parts, so whoever knows an
// upload's id can go on with it.
package upload

import (
	"context"
	"time"

	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
)

// Upload names an upload in parts.
type Upload struct {
	Key object.Key
	ID  string
}

// Options say what becomes of an upload.
type Options struct {
	Type string // Content-Type of the object; "" leaves it to the store
	// Digests makes the store want the SHA-256 of every part: each is signed
	// with it, and named at the end.
	Digests bool
}

// PartOptions narrow what a part's URL takes.
type PartOptions struct {
	Size   *int64      // bytes; nil is any number, up to MaxPart
	SHA256 file.SHA256 // required where the upload has Digests, impossible where not
}

// Part is one part that the store has.
type Part struct {
	Number   int    // 1 to MaxParts
	ETag     string // as HTTP writes it, in quotes; the answer to the part's PUT has it
	SHA256   file.SHA256
	Size     int64     // bytes; only Parts tells it
	Modified time.Time // when it arrived; only Parts tells it
}

// PartsOptions select a page of parts. The zero value asks for the first page.
type PartsOptions struct {
	Limit  int    // at most this many, of object.MaxPage; 0 is object.MaxPage
	Cursor string // the Next of the page before; "" is the first page
}

// PartsPage is one page of parts, in the order of their numbers.
type PartsPage struct {
	Items []Part
	Next  string // the cursor of the next page; "" is the last page
}

// CompleteOptions say when not to complete.
type CompleteOptions struct {
	IfNew   bool   // CodePrecondition where the object is there already
	IfMatch string // CodePrecondition where the object has another ETag
}

// FormOptions say what a form takes.
type FormOptions struct {
	Type     string // Content-Type, a field of the form; "" leaves it to the store
	Min, Max int64  // bytes of content; Max is required, at most file.MaxPut
}

// Form is what anyone can post as multipart/form-data until it expires: its
// fields, then the content in a field called file, which is the last.
type Form struct {
	URL     string
	Fields  map[string]string
	Expires time.Time // the earlier of the asked time and the credentials' end
}

// Store takes uploads. Its errors are *object.Error; an upload that is not
// there (it never was, was completed, or was aborted) is CodeNotFound. It is
// safe for concurrent use.
type Store interface {
	// Create begins an upload in parts. It takes up room until it is completed
	// or aborted.
	Create(ctx context.Context, k object.Key, o Options) (Upload, error)

	// SignPart signs the PUT of one part, without asking the store. A part that
	// is sent again replaces the one before.
	SignPart(ctx context.Context, u Upload, number int, ttl time.Duration, o PartOptions) (object.Signed, error)

	// Parts lists what has arrived.
	Parts(ctx context.Context, u Upload, o PartsOptions) (PartsPage, error)

	// Complete makes the object of the given parts, in the order of their
	// numbers; what arrived beside them is dropped. It tells the object's Key,
	// ETag and Version.
	Complete(ctx context.Context, u Upload, parts []Part, o CompleteOptions) (object.Info, error)

	// Abort drops an upload. One that is not there is no error.
	Abort(ctx context.Context, u Upload) error

	// SignForm signs a form that writes one object, without asking the store.
	SignForm(ctx context.Context, k object.Key, ttl time.Duration, o FormOptions) (Form, error)
}
