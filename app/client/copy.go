package client

import (
	"context"
	"net/http"

	"cloudstorage/app/object"
)

// CopyOptions say what to copy or move, and when not to.
type CopyOptions struct {
	Version string // copy this version; "" is the newest. Move has none
	IfNew   bool   // refuse to replace a file
	IfMatch string // refuse where the source has another ETag; "" is any
}

// copying is a copy or a move as the API reads it.
type copying struct {
	From    object.Key `json:"from"`
	To      object.Key `json:"to"`
	Version string     `json:"version,omitempty"`
	IfNew   bool       `json:"if_new,omitempty"`
	IfMatch string     `json:"if_match,omitempty"`
}

// Copy copies a file to another name, without moving its bytes to this machine,
// and describes the copy. It is not repeated where the connection broke: the
// copy may be there.
func (c *Client) Copy(ctx context.Context, from, to object.Key, o CopyOptions) (object.Info, error) {
	info, _, err := c.copy(ctx, "/v1/copies", from, to, o)
	return info, needsV1("copy '"+string(from)+"'", err)
}

// Move copies a file to another name and then deletes it under its own. It
// describes the file where it is now; undo brings back the one that was moved,
// by Client.Undo, and leaves the copy. Nothing is lost where it fails: the copy
// may be there, and then so is the file.
func (c *Client) Move(ctx context.Context, from, to object.Key, o CopyOptions) (info object.Info, undo string, err error) {
	if o.Version != "" {
		return object.Info{}, "", &Error{Code: object.CodeInvalid, Message: "only the newest version can be moved: copy an older one"}
	}
	info, header, err := c.copy(ctx, "/v1/moves", from, to, o)
	return info, undoOf(header), needsV1("move '"+string(from)+"'", err)
}

func (c *Client) copy(ctx context.Context, route string, from, to object.Key, o CopyOptions) (object.Info, http.Header, error) {
	for _, key := range []object.Key{from, to} {
		if _, err := parseKey(key); err != nil {
			return object.Info{}, nil, err
		}
	}
	header, body, err := c.v1(ctx, v1Call{method: http.MethodPost, route: route, body: copying{from, to, o.Version, o.IfNew, o.IfMatch}, once: true})
	if err != nil {
		return object.Info{}, nil, err
	}
	var f fileJSON
	if err := c.decode(body, &f); err != nil {
		return object.Info{}, nil, err
	}
	return f.info(), header, nil
}
