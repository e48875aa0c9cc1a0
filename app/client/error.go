package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"cloudstorage/app/object"
)

// Peer says which side of a transfer failed.
type Peer string

// The peers. An error of neither is one of this machine: an argument, a file.
const (
	API     Peer = "api"
	Storage Peer = "storage"
)

// Error is a failed call. object.CodeOf finds its code, errors.Is its cause.
type Error struct {
	Code    object.Code
	Peer    Peer   // who failed; "" is this machine
	Status  int    // its HTTP status; 0 where there was no answer
	Message string // one sentence without a secret; the API's own where it sent one
	Err     error  // the cause, if any

	again   bool          // a repetition may succeed
	unheard bool          // there is no connection, and never was an answer
	wait    time.Duration // the Retry-After that came with it
}

// Error returns the message, and says so where it is the API's.
func (e *Error) Error() string {
	if e.Peer == API && e.Status != 0 {
		return fmt.Sprintf("the storage API answered %d: %s", e.Status, e.Message)
	}
	return e.Message
}

// Unwrap returns the cause and the error as the domain knows it.
func (e *Error) Unwrap() []error {
	errs := []error{&object.Error{Code: e.Code, Op: "client", Message: e.Message}}
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	return errs
}

// stalledError is the cause of a call that the watchdog ended.
type stalledError time.Duration

func (e stalledError) Error() string {
	return fmt.Sprintf("no byte moved for %s", time.Duration(e))
}

// broken explains a request to peer at u that got no answer, or an answer that
// broke off.
func (c *Client) broken(ctx context.Context, peer Peer, u *url.URL, err error) *Error {
	if e := ended(ctx, peer, u); e != nil {
		return e
	}
	// url.Error quotes the URL, signature and all.
	if inner := (*url.Error)(nil); errors.As(err, &inner) {
		err = inner.Err
	}
	return &Error{Code: object.CodeUnavailable, Peer: peer, again: mayPass(err, c.hasHeard(peer)), unheard: unconnected(err) && !c.hasHeard(peer), Err: err,
		Message: fmt.Sprintf("cannot reach %s: %s", name(peer, u), clean(err.Error(), u))}
}

// lasting are errors of net/http that have no type and do not pass.
var lasting = []string{"HTTP response to HTTPS client", "malformed HTTP", "invalid header field", "unsupported protocol scheme", "Proxy Authentication Required"}

// mayPass says whether a request that got no answer may get one later. A name
// that led somewhere before is one whose resolver is out of reach.
func mayPass(err error, heard bool) bool {
	var noHost *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.As(err, &noHost) && noHost.IsNotFound:
		return heard
	case errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &alert), errors.Is(err, errRedirects):
		return false
	}
	return !slices.ContainsFunc(lasting, func(s string) bool { return strings.Contains(err.Error(), s) })
}

// unconnected says whether a request failed before there was a connection.
func unconnected(err error) bool {
	var dial *net.OpError
	return errors.As(err, &dial) && dial.Op == "dial"
}

func (c *Client) hasHeard(peer Peer) bool {
	if peer == API {
		return c.heard.api.Load()
	}
	return c.heard.storage.Load()
}

// ended explains a call whose context is done, by its caller or the watchdog.
func ended(ctx context.Context, peer Peer, u *url.URL) *Error {
	var stalled stalledError
	switch cause := context.Cause(ctx); {
	case cause == nil:
		return nil
	case errors.As(cause, &stalled):
		return &Error{Code: object.CodeUnavailable, Peer: peer, again: true, Err: cause,
			Message: fmt.Sprintf("the connection to %s stalled: %s", name(peer, u), cause)}
	case errors.Is(cause, context.DeadlineExceeded):
		return &Error{Code: object.CodeUnavailable, Peer: peer, Err: cause, Message: "the time set for the call is over"}
	default:
		return &Error{Code: object.CodeInternal, Err: errors.Join(context.Canceled, cause), Message: "cancelled"}
	}
}

// name is what an error calls a peer: never with a query.
func name(peer Peer, u *url.URL) string {
	if peer == API {
		return "the storage API at " + (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
	}
	return "the storage at " + u.Host
}

// maxDetail bounds what is repeated of another side's text, in runes. The
// longest honest message holds the longest key.
const maxDetail = 2000

// clean makes another side's text fit for a sentence on a terminal: one line,
// no control characters, not endless, and no part of the signed URL u's query.
func clean(s string, u *url.URL) string {
	if u != nil && u.RawQuery != "" {
		s = strings.ReplaceAll(s, u.RawQuery, "…")
		for _, values := range u.Query() {
			for _, v := range values {
				if len(v) >= 12 { // shorter ones, like a lifetime, are no secrets
					s = strings.ReplaceAll(s, v, "…")
					s = strings.ReplaceAll(s, url.QueryEscape(v), "…")
				}
			}
		}
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	s = strings.TrimSpace(s)
	if runes := []rune(s); len(runes) > maxDetail {
		s = string(runes[:maxDetail]) + "…"
	}
	return s
}

// codeOf is the code of an answer's status.
func codeOf(status int) object.Code {
	switch {
	case status == http.StatusNotFound:
		return object.CodeNotFound
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return object.CodeDenied
	case status == http.StatusConflict:
		return object.CodeConflict
	case status == http.StatusPreconditionFailed:
		return object.CodePrecondition
	case status == http.StatusRequestEntityTooLarge:
		return object.CodeTooLarge
	case status == http.StatusRequestedRangeNotSatisfiable:
		return object.CodeUnsatisfiable
	case status == http.StatusTooManyRequests || status >= 500 && status != http.StatusInternalServerError:
		return object.CodeUnavailable
	case status >= 400 && status < 500:
		return object.CodeInvalid
	default:
		return object.CodeInternal
	}
}
