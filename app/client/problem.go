package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"cloudstorage/app/object"
)

// problemType is the media type of a Problem (RFC 9457).
const problemType = "application/problem+json"

// problemPath is where the API explains its kinds of problems.
const problemPath = "/v1/problems/"

// Problem is what the API says about a refusal. errors.As finds it in the error
// of a call below /v1.
type Problem struct { //nolint:errname // the RFC's name for it
	Kind      string // such as "not-found": stable, and explained at /v1/problems/<kind>
	Title     string // the kind in one sentence
	Detail    string // what happened this time, and the way out
	Status    int    // the answer's status, or what it would be where the problem is one line of many
	RequestID string // names the request in the server's log
}

// Error returns the detail, or the title where there is none.
func (p *Problem) Error() string {
	if p.Detail != "" {
		return p.Detail
	}
	return p.Title
}

// problemDetails is a Problem as it is sent.
type problemDetails struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	RequestID string `json:"request_id"`
}

func (d problemDetails) problem() *Problem {
	return &Problem{
		Kind:  strings.TrimPrefix(clean(d.Type, nil), problemPath),
		Title: clean(d.Title, nil), Detail: clean(d.Detail, nil), Status: d.Status, RequestID: clean(d.RequestID, nil),
	}
}

// err is the error that a problem is.
func (p *Problem) err() *Error {
	e := &Error{Code: codeOf(p.Status), Peer: API, Status: p.Status, Message: p.Error(), Err: p}
	if p.Status == http.StatusBadGateway {
		e.Code = object.CodeDenied // the storage denied it
	}
	if p.Status >= http.StatusInternalServerError && p.RequestID != "" {
		e.Message += fmt.Sprintf(" (request %s in the server's log)", p.RequestID)
	}
	return e
}

// noSuchRoute is the kind of problem that a route is missing.
const noSuchRoute = "no-such-route"

// refusal explains an answer below /v1 that is no success. ErrOlderServer is the
// cause where the server has no /v1, or not this route of it.
func (c *Client) refusal(res *http.Response) *Error {
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if kind != problemType {
		e := c.refused(res)
		if res.StatusCode == http.StatusNotFound {
			e.Err = ErrOlderServer
			e.Message = "this server knows the exercise's five routes only, not /v1"
		}
		return e
	}
	d := problemDetails{Title: http.StatusText(res.StatusCode)} // an answer to HEAD has no body
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxErrorBody))
	_ = json.Unmarshal(body, &d)
	d.Status = res.StatusCode
	if d.RequestID == "" {
		d.RequestID = res.Header.Get("X-Request-Id")
	}
	p := d.problem()
	e := p.err()
	if p.Kind == noSuchRoute { // as of a server that is built from source, which has a part of /v1
		e.Err = errors.Join(e.Err, ErrOlderServer)
	}
	e.wait = c.retryAfter(res.Header)
	switch res.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		e.again = true
	}
	return e
}
