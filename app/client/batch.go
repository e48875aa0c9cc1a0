package client

import (
	"bytes"
	"context"
	"encoding/hex"
	"net/http"

	"cloudstorage/app/object"
)

// MaxBatch is the most that one call signs.
const MaxBatch = object.MaxPage

// WriteTerms say what a signed request will write.
type WriteTerms struct {
	Key    object.Key
	Type   string // media type; "" leaves it to the storage
	Size   int64  // bytes
	SHA256 [32]byte
	IfNew  bool // the storage refuses to overwrite
}

// ReadTerms say what a signed request will read.
type ReadTerms struct {
	Key     object.Key
	Version string // "" is the newest when it is asked for
}

// Signature is what became of one item of a batch.
type Signature struct {
	object.Signed
	Err error // why it was not signed; nil where it was
}

// SignWrites signs the requests that write up to MaxBatch files, in their order.
func (c *Client) SignWrites(ctx context.Context, items []WriteTerms) ([]Signature, error) {
	type item struct {
		Key    object.Key `json:"key"`
		Type   string     `json:"type,omitempty"`
		Size   int64      `json:"size,omitempty"`
		SHA256 string     `json:"sha256"`
		IfNew  bool       `json:"if_new,omitempty"`
	}
	in := make([]item, len(items))
	for i, t := range items {
		in[i] = item{t.Key, t.Type, t.Size, hex.EncodeToString(t.SHA256[:]), t.IfNew}
	}
	return c.signBatch(ctx, "/v1/batch/uploads", http.MethodPut, len(items), map[string]any{"items": in})
}

// SignReads signs the requests that read up to MaxBatch files, in their order.
// Nobody looks whether they are there: the storage answers 404 where not.
func (c *Client) SignReads(ctx context.Context, items []ReadTerms) ([]Signature, error) {
	type item struct {
		Key     object.Key `json:"key"`
		Version string     `json:"version,omitempty"`
	}
	in := make([]item, len(items))
	for i, t := range items {
		in[i] = item(t)
	}
	return c.signBatch(ctx, "/v1/batch/downloads", http.MethodGet, len(items), map[string]any{"items": in})
}

func (c *Client) signBatch(ctx context.Context, route, method string, count int, in any) ([]Signature, error) {
	header, body, err := c.v1(ctx, v1Call{method: http.MethodPost, route: route, accept: "application/x-ndjson", body: in})
	if err != nil {
		return nil, err
	}
	all := make([]Signature, 0, count)
	for line := range bytes.Lines(body) {
		var said struct {
			signedJSON
			Error *problemDetails `json:"error"`
		}
		if err := c.decode(line, &said); err != nil {
			return nil, err
		}
		if said.Error != nil {
			e := said.Error.problem().err()
			e.again = e.Status == http.StatusServiceUnavailable
			all = append(all, Signature{Err: e})
			continue
		}
		s, ok := c.signed(said.signedJSON, method, header)
		if !ok {
			return nil, c.stranger(http.StatusOK)
		}
		all = append(all, Signature{Signed: s})
	}
	if len(all) != count {
		return nil, c.stranger(http.StatusOK)
	}
	return all, nil
}
