package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"cloudstorage/app/object"
)

// ErrOlderServer is the cause of a call that the server cannot answer, since it
// has the exercise's routes and no /v1.
var ErrOlderServer = errors.New("the server has no /v1")

// maxJSON bounds an answer below /v1, in bytes: a thousand names of 1,024 bytes,
// each escaped as six, and what stands around them, fit several times.
const maxJSON = 64 << 20

// v1Call is a request to the API below /v1.
type v1Call struct {
	method string
	route  string     // such as /v1/files/
	rest   string     // what stands behind the route: a key or a token
	query  url.Values // nil is none
	accept string     // "" is JSON
	body   any        // sent as JSON; nil is none

	// A call that changes something each time is repeated only where it
	// certainly has not been carried out.
	once bool

	// What the answer leads to is not followed.
	stay bool
}

// v1 calls the API and returns the answer's header and body.
func (c *Client) v1(ctx context.Context, q v1Call) (http.Header, []byte, error) {
	var text []byte
	if q.body != nil {
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(q.body); err != nil {
			return nil, nil, fmt.Errorf("encode the request: %w", err)
		}
		text = b.Bytes()
	}
	var header http.Header
	var body []byte
	err := c.retry(ctx, func() (err error) {
		header, body, err = c.v1Once(ctx, q, text)
		return err
	})
	return header, body, err
}

func (c *Client) v1Once(ctx context.Context, q v1Call, text []byte) (http.Header, []byte, error) {
	ctx, dog := c.watch(ctx)
	defer dog.stop()
	var sent io.Reader = http.NoBody
	if text != nil {
		sent = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, q.method, c.base.String(), sent)
	if err != nil {
		return nil, nil, fmt.Errorf("build the request: %w", err)
	}
	r.URL = c.endpoint(q.route, object.Key(q.rest))
	r.URL.RawQuery = q.query.Encode()
	r.Header.Set("User-Agent", c.userAgent)
	r.Header.Set("Accept", "application/json")
	if q.accept != "" {
		r.Header.Set("Accept", q.accept)
	}
	if text != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	c.authorize(r)
	res, err := c.api.Do(r)
	if err != nil {
		return nil, nil, c.unanswered(ctx, q, err)
	}
	c.heard.api.Store(true)
	defer res.Body.Close()
	if res.StatusCode < 200 || res.StatusCode > 299 {
		e := c.refusal(res)
		if q.once && res.StatusCode != http.StatusTooManyRequests && res.StatusCode != http.StatusServiceUnavailable {
			e.again = false
		}
		return nil, nil, e
	}
	body, err := io.ReadAll(io.LimitReader(&fedReader{res.Body, dog}, maxJSON+1))
	switch {
	case err != nil:
		return nil, nil, c.unanswered(ctx, q, err)
	case len(body) > maxJSON:
		return nil, nil, &Error{Code: object.CodeInternal, Peer: API, Message: fmt.Sprintf("%s sent an answer of more than %d MiB", name(API, c.base), maxJSON>>20)}
	}
	return res.Header, body, nil
}

// unanswered explains a call that got no answer, or half of one.
func (c *Client) unanswered(ctx context.Context, q v1Call, err error) *Error {
	if e := c.redirected(err); e != nil {
		return e
	}
	e := c.broken(ctx, API, c.base, err)
	if q.once && !unconnected(err) {
		e.again = false
	}
	return e
}

// decode reads an answer of the API.
func (c *Client) decode(body []byte, v any) error {
	if json.Unmarshal(body, v) != nil {
		return c.stranger(http.StatusOK)
	}
	return nil
}
