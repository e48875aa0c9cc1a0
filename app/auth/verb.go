package auth

import "slices"

// Verb is what a caller does to files.
type Verb string

// The verbs.
const (
	List   Verb = "list"   // see names, sizes and times
	Read   Verb = "read"   // get contents, and share links to them
	Write  Verb = "write"  // put, copy to, restore
	Delete Verb = "delete" // delete, move away
)

// Verbs returns all verbs.
func Verbs() []Verb { return []Verb{List, Read, Write, Delete} }

func (v Verb) valid() bool { return slices.Contains(Verbs(), v) }
