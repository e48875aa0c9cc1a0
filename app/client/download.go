package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"cloudstorage/app/object"
)

// Download writes the content of a file to w. Where the connection breaks it goes
// on with the same content. A body that is shorter or longer than announced is an
// error, so after nil w has all of it; after an error it may have a part. progress
// may be nil.
func (c *Client) Download(ctx context.Context, key object.Key, w io.Writer, progress Progress) (Result, error) {
	return c.fetch(ctx, key, w, progress, func() (object.Signed, string, error) {
		return c.sign(ctx, downloadRoute, http.MethodGet, key)
	})
}

func (c *Client) fetch(ctx context.Context, key object.Key, w io.Writer, progress Progress, sign signer) (Result, error) {
	d := download{c: c, key: key, w: w, progress: progress}
	result := Result{Key: key}
	patience := c.Patience()
	for {
		signed, message, err := sign()
		if err != nil {
			return result, final(err)
		}
		result.Message = message
		before := d.written
		err = d.more(ctx, signed)
		result.Size = d.written
		if err == nil || d.etag != "" && d.written == d.total && Temporary(err) {
			return result, nil // HTTP/2 can break off between the last byte and the end
		}
		if d.written-before >= slow {
			patience.Reset()
		}
		if d.written > 0 && d.etag == "" {
			return result, final(err) // what is there next may be other content
		}
		if err := patience.Wait(ctx, err, false); err != nil {
			return result, err
		}
	}
}

// download is one file on its way to w.
type download struct {
	c        *Client
	key      object.Key
	w        io.Writer
	progress Progress

	written, total int64
	etag           string // of what is written; "" where nothing tells content apart
}

// more writes what is left of the content.
func (d *download) more(ctx context.Context, signed object.Signed) error {
	c := d.c
	ctx, dog := c.watch(ctx)
	defer dog.stop()
	r, err := c.request(ctx, signed, nil)
	if err != nil {
		return err
	}
	// As it is stored: net/http would unpack what it asked to be packed.
	r.Header.Set("Accept-Encoding", "identity")
	if d.written > 0 {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", d.written))
		r.Header.Set("If-Match", d.etag)
	}
	res, err := c.storage.Do(r)
	if err != nil {
		return c.broken(ctx, Storage, r.URL, err)
	}
	c.heard.storage.Store(true)
	defer res.Body.Close()
	if err := d.begins(res, r); err != nil {
		return err
	}
	meter := &meter{dog: dog, done: d.written, total: d.total, progress: d.progress}
	meter.start()
	source := &measuredReader{r: res.Body, ctx: ctx, pace: c.pace, meter: meter}
	n, err := io.CopyBuffer(patientWriter{d.w, dog}, struct{ io.Reader }{source}, make([]byte, bufferBytes))
	d.written += n
	switch {
	case source.err != nil && errors.Is(err, source.err):
		if e := ended(ctx, Storage, r.URL); e != nil {
			return e
		}
		return &Error{Code: object.CodeUnavailable, Peer: Storage, Status: res.StatusCode, Err: source.err, again: !strings.Contains(source.err.Error(), tooLong), Message: fmt.Sprintf(
			"the download of '%s' broke off after %d of %s bytes: %s", d.key, d.written, bytesOf(d.total), clean(source.err.Error(), r.URL))}
	case err != nil:
		return &Error{Code: object.CodeInternal, Err: err, Message: fmt.Sprintf("cannot write '%s': %s", d.key, err)}
	}
	return nil
}

// tooLong is in net/http's error, which has no type, of a body that is longer than
// announced.
const tooLong = "more than declared Content-Length"

// begins looks whether an answer brings what is left, and of how much that is.
func (d *download) begins(res *http.Response, r *http.Request) error {
	etag := res.Header.Get("ETag")
	switch {
	case d.written == 0 && res.StatusCode == http.StatusOK:
		d.total, d.etag = res.ContentLength, "" // what an answer before said is over
		if d.total < 0 && res.ProtoMajor == 1 && len(res.TransferEncoding) == 0 {
			return &Error{Code: object.CodeInternal, Peer: Storage, Message: fmt.Sprintf(
				"%s does not say how long the file '%s' is, so a broken transfer could not be told from a whole one", name(Storage, r.URL), d.key)}
		}
		if !strings.HasPrefix(etag, "W/") && d.total >= 0 {
			d.etag = etag
		}
		return nil
	case d.written > 0 && res.StatusCode == http.StatusPreconditionFailed:
		return &Error{Code: object.CodeConflict, Peer: Storage, Status: res.StatusCode, Message: fmt.Sprintf(
			"the file '%s' was changed while it was downloaded: download it again", d.key)}
	case d.written > 0 && (res.StatusCode == http.StatusOK || res.StatusCode == http.StatusPartialContent):
		first, total := contentRange(res.Header.Get("Content-Range"))
		if first != d.written || total != d.total || res.ContentLength != total-first || etag != d.etag {
			return &Error{Code: object.CodeInternal, Peer: Storage, Status: res.StatusCode, Message: fmt.Sprintf(
				"%s sent other bytes of '%s' than it was asked for", name(Storage, r.URL), d.key)}
		}
		return nil
	}
	return d.c.storageError(res, r.URL, "download", d.key)
}
