package main

import (
	"errors"
	"os"

	"github.com/versity/versitygw/backend/meta"
)

// What the backend calls two of its attributes.
const (
	versionID    = "version-id"
	deleteMarker = "delete-marker"
)

// metadata is a side car that lets an object come back after its deletion: the
// backend marks a deleted object, and counts on the mark to be gone with the
// file that a write replaces, which is so for extended attributes only.
type metadata struct{ meta.SideCar }

// StoreAttribute gets a file where an object is written, and none where it is
// deleted. A version of an object has a path of its own, and no name.
func (m metadata) StoreAttribute(f *os.File, bucket, object, attribute string, value []byte) error {
	if f != nil && object != "" && attribute == versionID {
		if err := m.DeleteAttribute(bucket, object, deleteMarker); err != nil && !errors.Is(err, meta.ErrNoSuchKey) {
			return err
		}
	}
	return m.SideCar.StoreAttribute(f, bucket, object, attribute, value)
}
