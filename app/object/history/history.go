// Package history is what happens to objects after they were written: their
// versions, copies, and deletions that can be undone. Nothing here, or anywhere
// in the product, deletes a version.
package history

import (
	"context"

	"cloudstorage/app/object"
)

// Version is one state that an object was in.
type Version struct {
	object.Info      // of a deletion: Key, Modified and Version
	Newest      bool // it is what is there now
	Deleted     bool // it is a delete marker: since then the object was not there
}

// VersionsOptions select a page of an object's versions. The zero value asks
// for the first page.
type VersionsOptions struct {
	Limit  int    // at most this many, of object.MaxPage; 0 is object.MaxPage
	Cursor string // the Next of the page before; "" is the first page
}

// Page is one page of an object's versions, the newest first. The order of a
// deletion and a write within one second is the store's secret, unless one of
// them is the newest.
type Page struct {
	Items []Version
	Next  string // the cursor of the next page; "" is the last page
}

// CopyOptions say what is copied, and when not to.
type CopyOptions struct {
	Version string // this version of the source; "" is the newest
	IfMatch string // CodePrecondition where the source has another ETag
	IfNew   bool   // CodePrecondition where the target is there already
}

// Deletion is what became of one of many deletions.
type Deletion struct {
	Key    object.Key
	Marker string // the delete marker's version id; "" where the store keeps no versions
	Err    error  // an *object.Error; nil where the object is gone
}

// Store works on what is stored. Its errors are *object.Error. It is safe for
// concurrent use.
type Store interface {
	// Versions lists the versions of exactly one key.
	Versions(ctx context.Context, k object.Key, o VersionsOptions) (Page, error)

	// Copy makes to what from is, without the bytes leaving the store, at any
	// size; tags are not copied. An old version of a file copied to the file
	// itself is the newest again, which undoes a deletion as well as an overwrite.
	Copy(ctx context.Context, from, to object.Key, o CopyOptions) (object.Info, error)

	// DeleteMany deletes up to object.MaxPage objects. The answer is in the order of the keys.
	DeleteMany(ctx context.Context, keys []object.Key) ([]Deletion, error)
}
