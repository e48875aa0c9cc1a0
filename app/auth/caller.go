package auth

import (
	"slices"
	"strings"
)

// Caller is somebody known.
type Caller struct {
	// ID names the caller in logs: a key's id, or an issuer's subject.
	ID string
	// Verbs that the caller may do.
	Verbs []Verb
	// Prefixes under which it may do them; an empty prefix is everywhere.
	Prefixes []string
}

// Anyone is the caller where nobody is asked who they are.
func Anyone() Caller { return Caller{ID: "anyone", Verbs: Verbs(), Prefixes: []string{""}} }

// May returns a *ForbiddenError unless the caller may do v to the file called
// name. To list, name is the listing's prefix: all names below it must be
// below one of the caller's.
func (c Caller) May(v Verb, name string) error {
	if slices.Contains(c.Verbs, v) {
		for _, prefix := range c.Prefixes {
			if strings.HasPrefix(name, prefix) {
				return nil
			}
		}
	}
	return &ForbiddenError{Caller: c.ID, Verb: v, Name: name}
}
