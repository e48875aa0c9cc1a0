// Package state keeps the API's own small facts as objects of a bucket of their
// own, so that all instances agree on them and none of them shows in a listing
// of files: who may call, the key that seals links and cursors, and which links
// were revoked.
package state
