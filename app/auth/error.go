package auth

import (
	"errors"
	"fmt"
)

// ErrMissing says that a request names nobody.
var ErrMissing = errors.New("no key: send one as 'Authorization: Bearer <key>'")

// InvalidError says why what a request names is nobody. Reason can be shown to
// the caller.
type InvalidError struct{ Reason string }

func (e *InvalidError) Error() string { return e.Reason }

// ForbiddenError says what a known caller may not do.
type ForbiddenError struct {
	Caller string
	Verb   Verb
	Name   string // the key or the prefix
}

func (e *ForbiddenError) Error() string {
	return fmt.Sprintf("%s may not %s %q: ask for a key with that verb and prefix", e.Caller, e.Verb, e.Name)
}
