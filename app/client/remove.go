package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"cloudstorage/app/object"
)

// batch is the most that the API deletes in one request.
const batch = 1000

// undoRelation is the relation type of a Link that undoes what was done.
const undoRelation = `rel="urn:cloudstorage:undo"`

// Deletion is a file that is gone.
type Deletion struct {
	Key     object.Key
	Version string // the id of the version that is the deletion; "" where none is kept
	Undo    string // brings the file back, by Client.Undo; "" where nothing can
}

// Remove deletes a file, so that it can be brought back. A file that is not
// there is no error. A server without /v1 does not say how to undo it.
func (c *Client) Remove(ctx context.Context, key object.Key) (Deletion, error) {
	if _, err := parseKey(key); err != nil {
		return Deletion{Key: key}, err
	}
	header, _, err := c.v1(ctx, v1Call{method: http.MethodDelete, route: "/v1/files/", rest: string(key)})
	if errors.Is(err, ErrOlderServer) {
		_, err = c.Delete(ctx, key)
		return Deletion{Key: key}, err
	}
	if err != nil {
		return Deletion{Key: key}, err
	}
	return Deletion{Key: key, Version: header.Get("X-Version-Id"), Undo: undoOf(header)}, nil
}

// RemoveMany deletes files, a thousand in a request, and tells what became of
// each, in their order. An error beside a Deletion with a Key is why that one is
// still there; one without a Key ends it, and of the files not yet told of some
// may be gone.
func (c *Client) RemoveMany(ctx context.Context, keys iter.Seq[object.Key]) iter.Seq2[Deletion, error] {
	return func(yield func(Deletion, error) bool) {
		next, stop := iter.Pull(keys)
		defer stop()
		older := false
		for {
			var names []object.Key
			for len(names) < batch {
				key, ok := next()
				if !ok {
					break
				}
				names = append(names, key)
			}
			if len(names) == 0 {
				return
			}
			var deletions []deletion
			var err error
			if !older {
				deletions, err = c.removeBatch(ctx, names)
				older = errors.Is(err, ErrOlderServer)
			}
			if older {
				for _, key := range names {
					if d, err := c.Remove(ctx, key); !yield(d, err) || ctx.Err() != nil {
						return
					}
				}
				continue
			}
			if err != nil {
				yield(Deletion{}, err)
				return
			}
			for _, d := range deletions {
				if !yield(d.deletion()) {
					return
				}
			}
		}
	}
}

// deletion is a line of the answer to a batch.
type deletion struct {
	Key     string          `json:"key"`
	Version string          `json:"version"`
	Undo    string          `json:"undo"`
	Error   *problemDetails `json:"error"`
}

func (d deletion) deletion() (Deletion, error) {
	result := Deletion{Key: object.Key(d.Key), Version: d.Version, Undo: d.Undo}
	if d.Error != nil {
		return result, d.Error.problem().err()
	}
	return result, nil
}

func (c *Client) removeBatch(ctx context.Context, names []object.Key) ([]deletion, error) {
	_, body, err := c.v1(ctx, v1Call{method: http.MethodPost, route: "/v1/batch/delete", accept: "application/x-ndjson", body: map[string]any{"keys": names}})
	if err != nil {
		return nil, err
	}
	var deletions []deletion
	lines := json.NewDecoder(bufio.NewReader(bytes.NewReader(body)))
	for {
		var d deletion
		switch err := lines.Decode(&d); {
		case errors.Is(err, io.EOF) && len(deletions) == len(names):
			return deletions, nil
		case err != nil, len(deletions) == len(names), d.Key != string(names[len(deletions)]):
			return nil, c.stranger(http.StatusOK)
		}
		deletions = append(deletions, d)
	}
}

// Undo brings back what a deletion or a move took away. It refuses where
// something was written since.
func (c *Client) Undo(ctx context.Context, undo string) (object.Info, error) {
	const route = "/v1/versions/"
	u, err := url.Parse(undo)
	if err != nil || !strings.HasPrefix(undo, route) {
		return object.Info{}, &Error{Code: object.CodeInvalid, Message: "what is to be undone is named as the API named it, " + route + "…"}
	}
	return c.restore(ctx, object.Key(strings.TrimPrefix(u.Path, route)), u.Query())
}

// undoOf returns the address that undoes what the answer tells of.
func undoOf(h http.Header) string {
	for _, link := range h.Values("Link") {
		if target, found := strings.CutSuffix(link, "; "+undoRelation); found {
			return strings.TrimSuffix(strings.TrimPrefix(target, "<"), ">")
		}
	}
	return ""
}
