package auth

import (
	"errors"
	"fmt"
	"strings"
)

// ErrMissing says that a request names nobody: 401.
var ErrMissing = errors.New("no key: send one as 'Authorization: Bearer <key>'")

// InvalidError says why what a request names is nobody: 401. Reason can be shown
// to the caller; it never holds what was sent.
type InvalidError struct {
	Reason string
	Err    error // for the log, nil where the reason says it all
}

func (e *InvalidError) Error() string {
	if e.Err == nil {
		return e.Reason
	}
	return e.Reason + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *InvalidError) Unwrap() error { return e.Err }

// UnavailableError says that nobody can tell now who a request names: 503.
type UnavailableError struct {
	Err error // for the log
}

func (e *UnavailableError) Error() string { return e.Message() + ": " + e.Err.Error() }

// Message can be shown to the caller.
func (e *UnavailableError) Message() string {
	return "your token cannot be checked now: try again in a few seconds"
}

// Unwrap returns the cause.
func (e *UnavailableError) Unwrap() error { return e.Err }

// ForbiddenError says what a known caller may not do: 403.
type ForbiddenError struct {
	Caller string
	Verb   Verb
	Name   string // the key or the prefix
}

func (e *ForbiddenError) Error() string {
	return fmt.Sprintf("%s may not %s %q: ask for a key with that verb and prefix", e.Caller, e.Verb, e.Name)
}

// Challenge returns the WWW-Authenticate header (RFC 6750, section 3) of the
// answer to err, "" where it has none. A request that names nobody is told the
// scheme and no error.
func Challenge(err error) string {
	var invalid *InvalidError
	var forbidden *ForbiddenError
	switch {
	case errors.Is(err, ErrMissing):
		return `Bearer realm="storage"`
	case errors.As(err, &invalid):
		return `Bearer realm="storage", error="invalid_token", error_description="` + description(invalid.Reason) + `"`
	case errors.As(err, &forbidden):
		return `Bearer realm="storage", error="insufficient_scope", scope="` + description(string(forbidden.Verb)) + `"`
	}
	return ""
}

// description keeps what RFC 6750 allows between its quotes.
func description(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '\''
		}
		return r
	}, s)
}
