package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"cloudstorage/app/object"
)

// The routes of the exercise; a key follows the last three.
const (
	rootRoute     = "/"
	listRoute     = "/list_files"
	deleteRoute   = "/delete/"
	downloadRoute = "/download/"
	uploadRoute   = "/upload/"
)

// maxAnswer bounds an answer of the API, in bytes: a listing of millions of
// names fits, an endless answer does not.
const maxAnswer = 512 << 20

// maxErrorBody bounds what is read of an answer that is not the expected one.
const maxErrorBody = 64 << 10

// UnknownSize is the size of a listed file where the API does not tell it.
const UnknownSize = -1

// answer is the shape of all of the API's answers.
type answer struct {
	Status  int             `json:"status"`
	Message string          `json:"message"`
	Content json.RawMessage `json:"content"`
}

// Ping returns the API's greeting.
func (c *Client) Ping(ctx context.Context) (string, error) {
	a, err := c.call(ctx, rootRoute, "")
	return a.Message, err
}

// List returns all files in the bucket, in the order of their names' bytes, by
// the exercise's route (Files pages). It tells their names only, so every Size is UnknownSize. Names that other
// tools made are listed as they are, even where ParseKey would refuse them.
func (c *Client) List(ctx context.Context) ([]object.Info, error) {
	a, err := c.call(ctx, listRoute, "")
	if err != nil {
		return nil, err
	}
	var names []object.Key
	if err := json.Unmarshal(a.Content, &names); err != nil || names == nil {
		return nil, c.stranger(http.StatusOK)
	}
	files := make([]object.Info, len(names))
	for i, n := range names {
		files[i] = object.Info{Key: n, Size: UnknownSize}
	}
	return files, nil
}

// Delete deletes a file by the exercise's route and returns the API's message
// (Remove tells how to undo it). A file that is not there is no error.
func (c *Client) Delete(ctx context.Context, key object.Key) (string, error) {
	if _, err := parseKey(key); err != nil {
		return "", err
	}
	a, err := c.call(ctx, deleteRoute, key)
	return a.Message, err
}

// SignDownload returns a request that downloads the file until it expires. The
// API signs without looking: for a file that is not there, the storage answers
// 404. The API does not tell when it expires, so Expires is zero.
func (c *Client) SignDownload(ctx context.Context, key object.Key) (object.Signed, error) {
	s, _, err := c.sign(ctx, downloadRoute, http.MethodGet, key)
	return s, err
}

// SignUpload returns a request that stores its body under key, until it
// expires. Expires is zero, as for SignDownload.
func (c *Client) SignUpload(ctx context.Context, key object.Key) (object.Signed, error) {
	s, _, err := c.sign(ctx, uploadRoute, http.MethodPut, key)
	return s, err
}

// sign returns the signed request and the API's message.
func (c *Client) sign(ctx context.Context, route, method string, key object.Key) (object.Signed, string, error) {
	if _, err := parseKey(key); err != nil {
		return object.Signed{}, "", err
	}
	a, err := c.call(ctx, route, key)
	if err != nil {
		return object.Signed{}, "", err
	}
	var signed string
	if err := json.Unmarshal(a.Content, &signed); err != nil {
		return object.Signed{}, "", c.stranger(http.StatusOK)
	}
	u, err := url.Parse(signed)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return object.Signed{}, "", c.stranger(http.StatusOK)
	}
	return object.Signed{Method: method, URL: signed, Header: http.Header{}}, a.Message, nil
}

// call asks the API; all its routes are idempotent GETs.
func (c *Client) call(ctx context.Context, route string, key object.Key) (answer, error) {
	var a answer
	err := c.retry(ctx, func() (err error) {
		a, err = c.callOnce(ctx, route, key)
		return err
	})
	return a, err
}

func (c *Client) callOnce(ctx context.Context, route string, key object.Key) (answer, error) {
	ctx, dog := c.watch(ctx)
	defer dog.stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base.String(), nil)
	if err != nil {
		return answer{}, fmt.Errorf("build the request: %w", err)
	}
	r.URL = c.endpoint(route, key)
	r.Header.Set("User-Agent", c.userAgent)
	r.Header.Set("Accept", "application/json")
	c.authorize(r)
	res, err := c.api.Do(r)
	if e := c.redirected(err); e != nil {
		return answer{}, e
	}
	if err != nil {
		return answer{}, c.broken(ctx, API, c.base, err)
	}
	c.heard.api.Store(true)
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return answer{}, c.refused(res)
	}
	body, err := io.ReadAll(io.LimitReader(&fedReader{res.Body, dog}, maxAnswer+1))
	switch {
	case err != nil:
		return answer{}, c.broken(ctx, API, c.base, err)
	case len(body) > maxAnswer:
		return answer{}, &Error{Code: object.CodeInternal, Peer: API, Message: fmt.Sprintf("%s sent an answer of more than %d MiB", name(API, c.base), maxAnswer>>20)}
	}
	var a answer
	if json.Unmarshal(body, &a) != nil || a.Status != http.StatusOK || a.Message == "" {
		return answer{}, c.stranger(res.StatusCode)
	}
	a.Message = clean(a.Message, nil)
	return a, nil
}

// endpoint is the URL of a route. All of the key but unreserved characters and
// slashes is encoded, so that every server decodes it to the same name.
func (c *Client) endpoint(route string, key object.Key) *url.URL {
	return &url.URL{
		Scheme:  c.base.Scheme,
		Host:    c.base.Host,
		Path:    c.base.Path + route + string(key),
		RawPath: c.base.EscapedPath() + route + escape(string(key)),
	}
}

func escape(key string) string {
	segments := strings.Split(key, "/")
	for i, s := range segments {
		// QueryEscape encodes what PathEscape leaves (+, &, =), but writes a
		// space as +.
		segments[i] = strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
	}
	return strings.Join(segments, "/")
}

// refused explains an answer of the API other than 200.
func (c *Client) refused(res *http.Response) *Error {
	e := &Error{Peer: API, Status: res.StatusCode, Code: codeOf(res.StatusCode), wait: c.retryAfter(res.Header)}
	switch res.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		e.again = true
	}
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxErrorBody))
	var a answer
	if json.Unmarshal(body, &a) != nil || a.Status != res.StatusCode || a.Message == "" {
		// A balancer without a healthy server behind it, or no storage API at all.
		e.Message = fmt.Sprintf("%s (and not in the way of the API, so perhaps something else answers at %s)", http.StatusText(res.StatusCode), c.base)
		return e
	}
	e.Message = clean(a.Message, nil)
	if res.StatusCode == http.StatusBadGateway {
		e.Code, e.again = object.CodeDenied, false // the API itself says so when the storage denied it
	}
	return e
}

// stranger is the error for a success that does not look like the API's.
func (c *Client) stranger(status int) *Error {
	return &Error{Code: object.CodeInternal, Peer: API, Status: status,
		Message: fmt.Sprintf("what came back is not an answer of the storage API: is %s its address?", c.base)}
}

// parseKey checks a key again: a conversion makes one of any string.
func parseKey(key object.Key) (object.Key, error) {
	k, err := object.ParseKey(string(key))
	if err == nil {
		return k, nil
	}
	e := &Error{Code: object.CodeInvalid, Err: err, Message: err.Error()}
	if key == "" {
		e.Message = "the file name is empty"
	} else if known := (*object.Error)(nil); errors.As(err, &known) {
		e.Message = known.Message
	}
	return "", e
}

// fedReader feeds the watchdog.
type fedReader struct {
	r   io.Reader
	dog *watchdog
}

func (r *fedReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if n > 0 {
		r.dog.feed()
	}
	return n, err
}
