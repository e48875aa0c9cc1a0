// Package mirror makes what is below one folder the same as what is below
// another, of which one is here and one in the storage, or both in the storage:
// it moves what differs, and deletes what only the target has where it is told to.
//
// Both sides are listed in the order of their names' bytes and compared as they
// come, so memory does not grow with their number. Nothing is deleted before all
// else has succeeded.
package mirror
