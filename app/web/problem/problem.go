// Package problem answers errors as problem details (RFC 9457), whose types are
// stable and explained one by one.
package problem

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/auth"
	"cloudstorage/app/link"
	"cloudstorage/app/object"
	"cloudstorage/app/web"
)

// ContentType is that of every problem.
const ContentType = "application/problem+json"

// Error is an error of a kind that no other error stands for.
type Error struct {
	Kind
	Detail string      // one sentence about the occasion, for whoever asked
	Header http.Header // more fields of the answer
	Err    error       // for the log
}

// New returns an error of a kind.
func New(k Kind, detail string) *Error { return &Error{Kind: k, Detail: detail} }

func (e *Error) Error() string {
	if e.Err == nil {
		return e.Detail
	}
	return e.Detail + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Details is a problem as it is answered.
type Details struct {
	Type      string `json:"type" doc:"The kind of problem: a path of this server that explains it. Stable." example:"/v1/problems/not-found"`
	Title     string `json:"title" doc:"The kind in one sentence."`
	Status    int    `json:"status" doc:"The answer's status."`
	Detail    string `json:"detail,omitempty" doc:"What happened this time, and the way out."`
	RequestID string `json:"request_id,omitempty" doc:"Names the request in the server's log."`
}

// Of returns the problem that err is, and the fields of its answer. What it does
// not know is Internal and says nothing.
func Of(err error) (Details, http.Header) {
	kind, detail, header := Internal, "", http.Header{}
	var own *Error
	var shared *web.Error
	var routed *echo.HTTPError
	var stored *object.Error
	var forbidden *auth.ForbiddenError
	var invalid *auth.InvalidError
	var away *auth.UnavailableError
	var ended *link.EndedError
	switch {
	case errors.As(err, &own):
		kind, detail = own.Kind, own.Detail
		for name, values := range own.Header {
			header[name] = values
		}
	case errors.As(err, &shared):
		kind, detail = ofStatus(shared.Status), shared.Message
		if wait := shared.Wait(); wait > 0 {
			header.Set("Retry-After", seconds(wait))
		}
	case errors.As(err, &routed): // of a path that reads as one of an area's once it is decoded
		kind = ofStatus(routed.Code)
	case errors.As(err, &forbidden):
		kind, detail = Forbidden, forbidden.Error()
	case errors.As(err, &invalid):
		kind, detail = Unauthenticated, invalid.Reason
	case errors.Is(err, auth.ErrMissing):
		kind, detail = Unauthenticated, auth.ErrMissing.Error()
	case errors.As(err, &away):
		kind, detail = Unavailable, away.Message()
	case errors.As(err, &ended):
		kind, detail = LinkEnded, ended.Message()
	case errors.Is(err, link.ErrBroken):
		kind, detail = NotFound, link.ErrBroken.Error()
	case errors.As(err, &stored):
		kind, detail = OfCode(stored.Code), stored.Message
	}
	if challenge := auth.Challenge(err); challenge != "" {
		header.Set("WWW-Authenticate", challenge)
	}
	if kind == Unavailable && header.Get("Retry-After") == "" {
		header.Set("Retry-After", seconds(web.RetryAfter))
	}
	return Details{Type: kind.Type(), Title: kind.Title, Status: kind.Status, Detail: detail}, header
}

// Write answers err with its problem; requestID names the request in the log.
func Write(w http.ResponseWriter, err error, requestID string) error {
	d, header := Of(err)
	d.RequestID = requestID
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // a way out is written as it is meant: /v1/versions/<key>
	if err := encoder.Encode(d); err != nil {
		return err
	}
	for name, values := range header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", ContentType)
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(d.Status)
	_, err = w.Write(body.Bytes())
	return err
}

// OfCode is the kind of a failure of the store.
func OfCode(code object.Code) Kind {
	switch code {
	case object.CodeInvalid:
		return InvalidRequest
	case object.CodeNotFound:
		return NotFound
	case object.CodePrecondition:
		return PreconditionFailed
	case object.CodeConflict:
		return Conflict
	case object.CodeUnsatisfiable:
		return RangeNotSatisfiable
	case object.CodeTooLarge:
		return BodyTooLarge
	case object.CodeDenied: // our credentials, not the caller's
		return StorageRefused
	case object.CodeUnavailable:
		return Unavailable
	}
	return Internal
}

// ofStatus is for errors of what stands around every route.
func ofStatus(status int) Kind {
	for _, k := range Kinds() {
		if k.Status == status {
			return k
		}
	}
	return Internal
}

func seconds(d time.Duration) string { return strconv.Itoa(int((d + time.Second - 1) / time.Second)) }
