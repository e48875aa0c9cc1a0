package object

import "errors"

// Code says what kind of failure an error is, for machines: the server maps it
// to an HTTP status, the client to an exit code.
type Code string

// The codes.
const (
	CodeInvalid       Code = "invalid"               // the caller asked for something that can never work
	CodeNotFound      Code = "not_found"             // what was asked for is not there
	CodeNotModified   Code = "not_modified"          // the caller has it already: If-None-Match
	CodePrecondition  Code = "precondition_failed"   // it is not as the caller said: If-Match, or If-None-Match on a write
	CodeConflict      Code = "conflict"              // somebody else wrote at the same time
	CodeUnsatisfiable Code = "range_not_satisfiable" // the range lies behind the end
	CodeTooLarge      Code = "too_large"             // more bytes than the store takes in this way
	CodeDenied        Code = "denied"                // the store refused our credentials or our action
	CodeUnavailable   Code = "unavailable"           // the store did not answer, or asked us to come back later
	CodeInternal      Code = "internal"              // everything else
)

// Error is a failure with its code. Message is for whoever asked; Op, Key and
// Err are for the log.
type Error struct {
	Code    Code
	Op      string // what was being done; for a store, the action that it needed
	Key     Key    // the object, where there is one
	Message string // one sentence that may be shown to anyone
	Err     error  // the cause, nil where the message says it all
}

// Error returns all parts that are set.
func (e *Error) Error() string {
	s := e.Op
	if e.Key != "" {
		s += " " + string(e.Key)
	}
	s += ": " + e.Message
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the first Error in err's chain, CodeInternal if
// there is none, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}
