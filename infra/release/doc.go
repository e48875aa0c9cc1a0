// Package release prepares the API's program for its way to a machine: as the source that it is built from, small
// enough for user-data, or as a static binary, pinned by its SHA-256. Both are reproducible and cached by content, so
// that the same commit gives the same bytes and a second synth builds nothing.
package release
