package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"cloudstorage/app/object"
	"cloudstorage/app/object/mediatype"
)

// Get writes the content of a file, or of one version of it ("" is the newest),
// to w, as Download does. A server without /v1 has the newest version only.
func (c *Client) Get(ctx context.Context, key object.Key, version string, w io.Writer, progress Progress) (Result, error) {
	if _, err := parseKey(key); err != nil {
		return Result{}, err
	}
	query := url.Values{}
	if version != "" {
		query.Set("version", version)
	}
	return c.fetch(ctx, key, w, progress, func() (object.Signed, string, error) {
		signed, err := c.signedBy(ctx, v1Call{method: http.MethodGet, route: "/v1/files/", rest: string(key), query: query})
		if errors.Is(err, ErrOlderServer) && version == "" {
			return c.sign(ctx, downloadRoute, http.MethodGet, key)
		}
		return signed, "", needsV1("read an older version", err)
	})
}

// PutOptions say how Put writes. The zero value replaces what is there.
type PutOptions struct {
	Type  string // its Content-Type; "" is what the name's ending suggests
	IfNew bool   // refuse to replace a file
}

// Put stores size bytes of r, from where it stands, under key, as Upload does.
// A server without /v1 cannot be told of a type, and not with IfNew.
func (c *Client) Put(ctx context.Context, key object.Key, r io.ReadSeeker, size int64, o PutOptions, progress Progress) (Result, error) {
	if _, err := parseKey(key); err != nil {
		return Result{}, err
	}
	if o.Type == "" {
		o.Type = mediatype.Of(key)
	}
	terms := struct {
		Type  string `json:"type,omitempty"`
		Size  int64  `json:"size,omitempty"`
		IfNew bool   `json:"if_new,omitempty"`
	}{o.Type, size, o.IfNew}
	return c.store(ctx, key, r, size, progress, func() (object.Signed, string, error) {
		signed, err := c.signedBy(ctx, v1Call{method: http.MethodPut, route: "/v1/files/", rest: string(key), query: url.Values{"sign": {"1"}}, body: terms})
		if errors.Is(err, ErrOlderServer) && !o.IfNew {
			return c.sign(ctx, uploadRoute, http.MethodPut, key)
		}
		return signed, "", needsV1("write only what is new", err)
	})
}

// signedBy asks for a request to the storage.
func (c *Client) signedBy(ctx context.Context, q v1Call) (object.Signed, error) {
	header, body, err := c.v1(ctx, q)
	if err != nil {
		return object.Signed{}, err
	}
	var answer signedJSON
	if err := c.decode(body, &answer); err != nil {
		return object.Signed{}, err
	}
	s, ok := c.signed(answer, q.method, header)
	if !ok {
		return object.Signed{}, c.stranger(http.StatusOK)
	}
	return s, nil
}
