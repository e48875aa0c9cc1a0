package link

import "errors"

// ErrBroken says that a token is no link of this server. Whoever made it up, or
// lost half of it, is told that there is no such link, and nothing else.
var ErrBroken = errors.New("there is no such link: it was cut or changed, or is of another server")

// Why a link ended.
type Why string

// The reasons.
const (
	Expired Why = "expired"
	Revoked Why = "revoked"
)

// EndedError says that a link was good once. Why is for the log and for whoever
// made the link; who only holds it is shown Message, which does not tell what
// somebody decided about it.
type EndedError struct {
	ID  ID
	Why Why
}

func (e *EndedError) Error() string { return "link " + e.ID.String() + " is " + string(e.Why) }

// Message can be shown to anyone who holds the link.
func (e *EndedError) Message() string {
	return "this link has ended: ask whoever gave it to you for a new one"
}
