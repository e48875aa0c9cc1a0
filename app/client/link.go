package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"cloudstorage/app/object"
)

// sharedRoute is where links lead.
const sharedRoute = "/v1/shared/"

// Link is a share link: whoever has it can read one file until it ends.
type Link struct {
	ID      string     // names it in the server's audit; it opens nothing
	Key     object.Key // the file
	Version string     // the version that it is bound to; "" is the newest, whenever it is used
	URL     string     // at the address that this client calls
	Token   string     // the last segment of URL, which revokes the link, too
	Expires time.Time
}

// LinkOptions say how a link differs from one to the newest content that lives
// as long as the server has it live.
type LinkOptions struct {
	Version   string        // this version, for ever
	ExpiresIn time.Duration // of whole seconds; 0 leaves it to the server: 7 days, if it lets links live that long
}

// CreateLink makes a link by which anyone can read one file. The API keeps no
// list of links: who may want to revoke it keeps its URL or its token.
func (c *Client) CreateLink(ctx context.Context, key object.Key, o LinkOptions) (Link, error) {
	if _, err := parseKey(key); err != nil {
		return Link{}, err
	}
	if o.ExpiresIn < 0 || o.ExpiresIn%time.Second != 0 {
		return Link{}, &Error{Code: object.CodeInvalid, Message: fmt.Sprintf("a link cannot live %s: say whole seconds", o.ExpiresIn)}
	}
	_, body, err := c.v1(ctx, v1Call{method: http.MethodPost, route: "/v1/links", once: true, body: struct {
		Key       object.Key `json:"key"`
		Version   string     `json:"version,omitempty"`
		ExpiresIn int64      `json:"expires_in,omitempty"`
	}{key, o.Version, int64(o.ExpiresIn / time.Second)}})
	if err != nil {
		return Link{}, needsV1("share '"+string(key)+"'", err)
	}
	var made struct {
		ID      string    `json:"id"`
		Version string    `json:"version"`
		Token   string    `json:"token"`
		Expires time.Time `json:"expires_at"`
	}
	if err := c.decode(body, &made); err != nil {
		return Link{}, err
	}
	if made.Token == "" || strings.Contains(made.Token, "/") {
		return Link{}, c.stranger(http.StatusCreated)
	}
	address := c.endpoint(sharedRoute, object.Key(made.Token)).String()
	return Link{ID: made.ID, Key: key, Version: made.Version, URL: address, Token: made.Token, Expires: made.Expires}, nil
}

// LinkState is what a link is good for.
type LinkState string

// The states.
const (
	LinkActive LinkState = "active"
	LinkEnded  LinkState = "ended"   // it has expired or was revoked
	LinkNoFile LinkState = "no-file" // what it leads to is not there, or it is no link of this server
)

// LinkState asks, as anyone may, whether a link, named by its URL or its token,
// leads to its file now.
func (c *Client) LinkState(ctx context.Context, link string) (LinkState, error) {
	token, err := tokenOf(link)
	if err != nil {
		return "", err
	}
	_, _, err = c.v1(ctx, v1Call{method: http.MethodGet, route: sharedRoute, rest: token, stay: true})
	var p *Problem
	switch {
	case err == nil:
		return LinkActive, nil
	case errors.As(err, &p) && p.Status == http.StatusGone:
		return LinkEnded, nil
	case errors.As(err, &p) && p.Status == http.StatusNotFound:
		return LinkNoFile, nil
	}
	return "", needsV1("ask about a link", err)
}

// RevokeLink ends a link, named by its URL or its token. One that has ended is
// no error.
func (c *Client) RevokeLink(ctx context.Context, link string) error {
	token, err := tokenOf(link)
	if err != nil {
		return err
	}
	_, _, err = c.v1(ctx, v1Call{method: http.MethodDelete, route: "/v1/links/", rest: token})
	return needsV1("revoke a link", err)
}

func tokenOf(link string) (string, error) {
	token := link
	if u, err := url.Parse(link); err == nil {
		if _, last, found := strings.Cut(u.Path, sharedRoute); found {
			token = last
		}
	}
	if token == "" || strings.ContainsAny(token, "/ ") {
		return "", &Error{Code: object.CodeInvalid, Message: "a link is named by its URL, …" + sharedRoute + "<token>, or by its token"}
	}
	return token, nil
}
