package client

import (
	"context"
	"encoding/hex"
	"net/http"
	"net/url"
	"time"

	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/object/upload"
)

const uploadsRoute = "/v1/uploads/"

// UploadTerms say what an upload in parts will be.
type UploadTerms struct {
	Key      object.Key
	Size     int64  // bytes; UnknownSize where nobody knows
	Type     string // media type; "" leaves it to the API
	PartSize int64  // bytes of a part, at least; only with a known size
}

// PartsUpload is an upload in parts that is under way. Each part is sent with
// its SHA-256.
type PartsUpload struct {
	ID       string
	PartSize int64 // bytes of each part but the last; 0 where the size is not known
}

// Begin begins an upload in parts. What is sent takes up room until it is
// completed or aborted.
func (c *Client) Begin(ctx context.Context, t UploadTerms) (PartsUpload, error) {
	if _, err := parseKey(t.Key); err != nil {
		return PartsUpload{}, err
	}
	in := struct {
		Key      object.Key `json:"key"`
		Size     *int64     `json:"size,omitempty"`
		Type     string     `json:"type,omitempty"`
		PartSize int64      `json:"part_size,omitempty"`
		Digests  bool       `json:"digests"`
	}{t.Key, nil, t.Type, t.PartSize, true}
	if t.Size >= 0 {
		in.Size = &t.Size
	}
	var out struct {
		ID       string `json:"id"`
		PartSize int64  `json:"part_size"`
	}
	if err := c.upload(ctx, v1Call{method: http.MethodPost, route: "/v1/uploads", body: in}, &out); err != nil {
		return PartsUpload{}, err
	}
	if out.ID == "" {
		return PartsUpload{}, c.stranger(http.StatusCreated)
	}
	return PartsUpload{out.ID, out.PartSize}, nil
}

// signedJSON is a signed request as the API answers it.
type signedJSON struct {
	URL     string            `json:"url"`
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers"`
	Expires time.Time         `json:"expires_at"`
}

// signed reads it off an answer with the header answered, where it does what was
// asked for. Expires is by the clock of this machine then.
func (c *Client) signed(s signedJSON, method string, answered http.Header) (object.Signed, bool) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || s.Method != method {
		return object.Signed{}, false
	}
	h := make(http.Header, len(s.Headers))
	for k, v := range s.Headers {
		h.Set(k, v)
	}
	return object.Signed{Method: s.Method, URL: s.URL, Header: h, Expires: c.local(s.Expires, answered)}, true
}

// PartTerms say what a part will be.
type PartTerms struct {
	Number int   // from 1
	Size   int64 // bytes
	SHA256 [32]byte
}

// SignParts signs the requests that send up to 1,000 parts, in their order.
func (c *Client) SignParts(ctx context.Context, id string, parts []PartTerms) ([]object.Signed, error) {
	type part struct {
		Number int    `json:"number"`
		Size   int64  `json:"size,omitempty"`
		SHA256 string `json:"sha256"`
	}
	in := struct {
		Parts []part `json:"parts"`
	}{make([]part, len(parts))}
	for i, p := range parts {
		in.Parts[i] = part{p.Number, p.Size, hex.EncodeToString(p.SHA256[:])}
	}
	var out struct {
		Parts []signedJSON `json:"parts"`
	}
	header, body, err := c.v1(ctx, v1Call{method: http.MethodPost, route: uploadsRoute, rest: id + "/parts", body: in})
	if err == nil {
		err = c.decode(body, &out)
	}
	if err != nil {
		return nil, err
	}
	if len(out.Parts) != len(parts) {
		return nil, c.stranger(http.StatusOK)
	}
	signed := make([]object.Signed, len(parts))
	for i, p := range out.Parts {
		var ok bool
		if signed[i], ok = c.signed(p, http.MethodPut, header); !ok {
			return nil, c.stranger(http.StatusOK)
		}
	}
	return signed, nil
}

// partJSON is a part as the API tells it and is told it.
type partJSON struct {
	Number int    `json:"number"`
	Size   int64  `json:"size,omitempty"`
	ETag   string `json:"etag"`
	SHA256 string `json:"sha256,omitempty"`
}

// Arrived returns the parts of an upload that the storage has. An upload that is
// not there any more is object.CodeNotFound.
func (c *Client) Arrived(ctx context.Context, id string) ([]upload.Part, error) {
	var parts []upload.Part
	for cursor := ""; ; {
		var out struct {
			Arrived []partJSON `json:"arrived"`
			Next    string     `json:"next_cursor"`
		}
		if err := c.upload(ctx, v1Call{method: http.MethodGet, route: uploadsRoute, rest: id, query: after(cursor)}, &out); err != nil {
			return nil, err
		}
		for _, p := range out.Arrived {
			part := upload.Part{Number: p.Number, Size: p.Size, ETag: p.ETag}
			if raw, err := hex.DecodeString(p.SHA256); err == nil && len(raw) == 32 {
				part.SHA256 = file.SHA256((*[32]byte)(raw))
			}
			parts = append(parts, part)
		}
		switch out.Next {
		case "":
			return parts, nil
		case cursor: // for ever
			return nil, c.stranger(http.StatusOK)
		}
		cursor = out.Next
	}
}

// Complete makes the file of its parts, in the order of their numbers. An upload
// that was completed before is object.CodeNotFound.
func (c *Client) Complete(ctx context.Context, id string, parts []upload.Part, o upload.CompleteOptions) (object.Info, error) {
	in := struct {
		Parts   []partJSON `json:"parts"`
		IfNew   bool       `json:"if_new,omitempty"`
		IfMatch string     `json:"if_match,omitempty"`
	}{make([]partJSON, len(parts)), o.IfNew, o.IfMatch}
	for i, p := range parts {
		in.Parts[i] = partJSON{Number: p.Number, ETag: p.ETag, SHA256: hex.EncodeToString(p.SHA256[:])}
	}
	var out struct {
		Key     object.Key `json:"key"`
		Size    int64      `json:"size"`
		ETag    string     `json:"etag"`
		Version string     `json:"version"`
	}
	if err := c.upload(ctx, v1Call{method: http.MethodPost, route: uploadsRoute, rest: id + "/complete", body: in}, &out); err != nil {
		return object.Info{}, err
	}
	return object.Info{Key: out.Key, Size: out.Size, ETag: out.ETag, Version: out.Version}, nil
}

// Abort drops an upload and what has arrived of it.
func (c *Client) Abort(ctx context.Context, id string) error {
	_, _, err := c.v1(ctx, v1Call{method: http.MethodDelete, route: uploadsRoute, rest: id})
	return err
}

// upload calls the API about an upload and reads its answer.
func (c *Client) upload(ctx context.Context, q v1Call, out any) error {
	_, body, err := c.v1(ctx, q)
	if err != nil {
		return err
	}
	return c.decode(body, out)
}

// after is the query for the page behind a cursor; "" is the first page.
func after(cursor string) url.Values {
	if cursor == "" {
		return nil
	}
	return url.Values{"cursor": {cursor}}
}
