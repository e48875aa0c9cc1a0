package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"cloudstorage/app/object"
)

// slow is how many bytes must move before a stall's time is over: a connection
// with fewer is as good as a stalled one, and another one may be better.
const slow = 1 << 10

// Send sends, once, a signed request with size bytes of r as its body, and
// returns the ETag of what was stored. When it returns, it no longer reads r.
// progress may be nil.
func (c *Client) Send(ctx context.Context, s object.Signed, key object.Key, r io.Reader, size int64, progress Progress) (etag string, err error) {
	h, err := c.put(ctx, key, s, r, size, slow, progress)
	return h.Get("ETag"), err
}

// Want says which bytes are read, and of what.
type Want struct {
	First, Length int64  // these bytes; Length 0 is all
	IfMatch       string // only while the file has this ETag: object.CodePrecondition otherwise
}

// Content is a file's bytes as they arrive. Whoever has it closes it.
type Content struct {
	object.Info       // Size is that of the whole file; Key, Modified and Type are what was answered
	Length      int64 // bytes that Read returns, if nothing breaks
	MD5         bool  // the ETag is the content's MD5, or that of its parts' MD5s: not so where a key of KMS or of the customer encrypts it

	ctx     context.Context
	source  io.ReadCloser
	dog     *watchdog
	meter   *meter
	left    int64
	pace    pace
	resting bool
	broken  func(error) error
}

// Open sends, once, a signed request that reads.
func (c *Client) Open(ctx context.Context, s object.Signed, key object.Key, w Want) (_ *Content, err error) {
	ctx, dog := c.watch(ctx)
	defer func() {
		if err != nil {
			dog.stop()
		}
	}()
	r, err := c.request(ctx, s, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept-Encoding", "identity") // as it is stored
	if w.Length > 0 {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", w.First, w.First+w.Length-1))
	}
	if w.IfMatch != "" {
		r.Header.Set("If-Match", w.IfMatch)
	}
	res, err := c.storage.Do(r)
	if err != nil {
		return nil, c.broken(ctx, Storage, r.URL, err)
	}
	c.heard.storage.Store(true)
	defer func() {
		if err != nil {
			res.Body.Close()
		}
	}()
	if res.StatusCode != http.StatusOK && (res.StatusCode != http.StatusPartialContent || w.Length == 0) {
		return nil, c.storageError(res, r.URL, "download", key)
	}
	info := object.Info{Key: key, ETag: res.Header.Get("ETag"), Type: res.Header.Get("Content-Type"), Version: res.Header.Get("x-amz-version-id"), Size: res.ContentLength}
	info.Modified, _ = http.ParseTime(res.Header.Get("Last-Modified")) // zero where it is not told
	first := int64(0)
	if res.StatusCode == http.StatusPartialContent {
		first, info.Size = contentRange(res.Header.Get("Content-Range"))
	}
	switch {
	case res.ContentLength < 0 || info.Size < 0 || info.ETag == "":
		return nil, &Error{Code: object.CodeInternal, Peer: Storage, Message: fmt.Sprintf(
			"%s does not say how long the file '%s' is, or which content it is, so a broken transfer could not be told from a whole one", name(Storage, r.URL), key)}
	case first != w.First, res.StatusCode == http.StatusPartialContent && res.ContentLength > min(w.Length, info.Size-first):
		return nil, &Error{Code: object.CodeInternal, Peer: Storage, Message: fmt.Sprintf(
			"%s sent other bytes of '%s' than it was asked for", name(Storage, r.URL), key)}
	}
	// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
	md5 := !strings.HasPrefix(res.Header.Get("x-amz-server-side-encryption"), "aws:kms") && res.Header.Get("x-amz-server-side-encryption-customer-algorithm") == ""
	content := &Content{Info: info, Length: res.ContentLength, MD5: md5, ctx: ctx, source: res.Body, dog: dog, meter: &meter{dog: dog, total: res.ContentLength, least: slow}, left: res.ContentLength, pace: c.pace}
	content.broken = func(err error) error {
		if e := ended(ctx, Storage, r.URL); e != nil {
			return e
		}
		return &Error{Code: object.CodeUnavailable, Peer: Storage, Status: res.StatusCode, Err: err, again: true, Message: fmt.Sprintf(
			"the download of '%s' broke off %d bytes before its end: %s", key, content.left, clean(err.Error(), r.URL))}
	}
	return content, nil
}

// Read reads what has arrived. Its errors but io.EOF are *Error.
func (c *Content) Read(p []byte) (int, error) {
	if c.resting {
		c.dog.wake()
		c.resting = false
	}
	n, err := c.source.Read(p[:min(len(p), c.pace.most())])
	c.left -= int64(n)
	if n > 0 {
		c.meter.add(n)
		c.pace.wait(c.ctx, n, c.dog)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return n, c.broken(err)
	}
	return n, err
}

// Rest says that what is waited for until the next Read is not the storage.
func (c *Content) Rest() {
	c.dog.rest()
	c.resting = true
}

// Close ends the reading.
func (c *Content) Close() error {
	err := c.source.Close()
	c.dog.stop()
	return err
}

// contentRange reads the header of that name; -1 where it is none.
func contentRange(s string) (first, size int64) {
	s, found := strings.CutPrefix(s, "bytes ")
	span, total, _ := strings.Cut(s, "/")
	from, _, _ := strings.Cut(span, "-")
	first, err := strconv.ParseInt(from, 10, 64)
	size, err2 := strconv.ParseInt(total, 10, 64)
	if !found || err != nil || err2 != nil {
		return -1, -1
	}
	return first, size
}
