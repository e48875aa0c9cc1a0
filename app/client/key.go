package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"cloudstorage/app/object"
)

// token is what RFC 6750 (section 2.1) lets follow the word Bearer.
var token = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)

// maxRedirects is net/http's own.
const maxRedirects = 10

var errRedirects = errors.New("stopped after 10 redirects")

// WithKey sends an API key, or an issuer's token, with each call to the API:
// never to the storage, whose URLs are signed, and never to where the API
// redirects. White space around it is a slip of copying; "" sends none.
func WithKey(key string) Option {
	return func(c *Client) { c.key = strings.TrimSpace(key) }
}

// checkKey refuses what cannot be sent, without quoting it.
func (c *Client) checkKey() error {
	if c.key == "" || token.MatchString(c.key) {
		return nil
	}
	return &Error{Code: object.CodeInvalid, Message: "the key holds characters that are in no key and no token: copy it again"}
}

// authorize adds the key to a call to the API.
func (c *Client) authorize(r *http.Request) {
	if c.key != "" {
		r.Header.Set("Authorization", "Bearer "+c.key)
	}
}

// elsewhereError is the cause of a call that would have taken the key elsewhere.
// net/http would drop it only where the host's name differs, not its port.
type elsewhereError struct{ to *url.URL }

func (e elsewhereError) Error() string { return "redirected to " + e.origin() }

func (e elsewhereError) origin() string {
	return (&url.URL{Scheme: e.to.Scheme, Host: e.to.Host}).String()
}

func (c *Client) checkRedirect(r *http.Request, via []*http.Request) error {
	switch {
	case len(via) >= maxRedirects:
		return errRedirects
	case c.key != "" && (r.URL.Scheme != c.base.Scheme || r.URL.Host != c.base.Host):
		return elsewhereError{r.URL}
	}
	return nil
}

// redirected explains a call that err says was to take the key elsewhere; nil
// where it was not.
func (c *Client) redirected(err error) *Error {
	var elsewhere elsewhereError
	if !errors.As(err, &elsewhere) {
		return nil
	}
	return &Error{Code: object.CodeInvalid, Peer: API, Err: err, Message: fmt.Sprintf(
		"%s redirects to %s, where the key is not sent: name that address instead, if it is the API's", name(API, c.base), elsewhere.origin())}
}
