package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"cloudstorage/app/object"
)

// Progress is told how many bytes of a transfer have moved, of how many; total
// is UnknownSize where it is not known. It is called with (0, total) first, and
// again when an upload starts over, then after each chunk. Calls never overlap.
type Progress func(done, total int64)

// Result is a finished transfer.
type Result struct {
	Message string     // what the API said
	Key     object.Key // the name in the bucket
	Size    int64      // bytes moved
	Path    string     // the local file; "" for Upload and Download
}

// expectAbove is the size, in bytes, above which an upload asks before it sends
// its body, so that a refusal is read and not lost in a broken connection.
const expectAbove = 1 << 20

// signer asks the API for a signed request, and for its message where it has one.
type signer func() (object.Signed, string, error)

// Upload stores size bytes of r, from where it stands, under key. If r turns
// out to hold fewer or more bytes, nothing is stored. When Upload returns, it
// no longer reads r. progress may be nil.
func (c *Client) Upload(ctx context.Context, key object.Key, r io.ReadSeeker, size int64, progress Progress) (Result, error) {
	return c.store(ctx, key, r, size, progress, func() (object.Signed, string, error) {
		return c.sign(ctx, uploadRoute, http.MethodPut, key)
	})
}

func (c *Client) store(ctx context.Context, key object.Key, r io.ReadSeeker, size int64, progress Progress, sign signer) (Result, error) {
	result := Result{Key: key, Size: size}
	if size < 0 {
		return result, &Error{Code: object.CodeInvalid, Message: fmt.Sprintf("a file cannot have %d bytes", size)}
	}
	start, err := r.Seek(0, io.SeekCurrent)
	if err != nil {
		return result, unreadable(key, err)
	}
	err = c.retry(ctx, func() error {
		if _, err := r.Seek(start, io.SeekStart); err != nil {
			return unreadable(key, err)
		}
		// Signed for each attempt: the one before may have outlived its URL.
		signed, message, err := sign()
		if err != nil {
			return final(err)
		}
		result.Message = message
		_, err = c.put(ctx, key, signed, r, size, 0, progress)
		return err
	})
	return result, err
}

// put returns the header of the answer to a success. It gives up a connection over
// which fewer than least bytes move at a time.
func (c *Client) put(ctx context.Context, key object.Key, signed object.Signed, r io.Reader, size int64, least int64, progress Progress) (http.Header, error) {
	ctx, dog := c.watch(ctx)
	defer dog.stop()
	body := &uploadBody{r: r, ctx: ctx, pace: c.pace, left: size, meter: &meter{dog: dog, total: size, least: least, progress: progress}}
	request, err := c.request(ctx, signed, body)
	if err != nil {
		return nil, err
	}
	body.meter.start()
	request.ContentLength = size
	if size == 0 {
		// An empty body of unknown kind would be sent chunked, which S3 refuses.
		if _, err := body.Read(nil); !errors.Is(err, io.EOF) {
			return nil, unreadable(key, err)
		}
		request.Body = http.NoBody
	}
	if size > expectAbove {
		request.Header.Set("Expect", "100-continue")
	}
	res, err := c.storage.Do(request)
	if err == nil {
		c.heard.storage.Store(true)
		defer res.Body.Close()
	}
	if failure := body.release(); failure != nil {
		return nil, unreadable(key, failure)
	}
	if err != nil {
		return nil, c.broken(ctx, Storage, request.URL, err)
	}
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusCreated && res.StatusCode != http.StatusNoContent {
		return nil, c.storageError(res, request.URL, "upload", key)
	}
	if !body.whole { // whoever says so cannot have stored it
		return nil, &Error{Code: object.CodeUnavailable, Peer: Storage, Status: res.StatusCode, again: true, Message: fmt.Sprintf(
			"%s answered before it had all of '%s'", name(Storage, request.URL), key)}
	}
	// What is left unread costs the connection, not the upload.
	_, _ = io.CopyN(io.Discard, res.Body, maxErrorBody)
	return res.Header, nil
}

// request builds the signed request; an error must not quote its URL.
func (c *Client) request(ctx context.Context, signed object.Signed, body io.Reader) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, signed.Method, signed.URL, body)
	if err != nil {
		return nil, &Error{Code: object.CodeInternal, Peer: API, Message: "the storage API signed a URL that cannot be used"}
	}
	for k, v := range signed.Header {
		r.Header[k] = v
	}
	r.Header.Set("User-Agent", c.userAgent)
	return r, nil
}

// meter counts a transfer's bytes, for its progress and its watchdog.
type meter struct {
	dog         *watchdog
	done, total int64
	least       int64 // as many bytes feed the watchdog; 0 is any
	hungry      int64 // bytes since it was fed
	progress    Progress
}

func (m *meter) start() { m.add(0) }

func (m *meter) add(n int) {
	m.done += int64(n)
	m.hungry += int64(n)
	if n == 0 || m.hungry >= m.least || m.done == m.total {
		m.dog.feed()
		m.hungry = 0
	}
	if m.progress != nil {
		m.progress(m.done, m.total)
	}
}

// measuredReader tells the source's errors from the destination's.
type measuredReader struct {
	r     io.Reader
	ctx   context.Context
	pace  pace
	meter *meter
	err   error
}

func (r *measuredReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p[:min(len(p), r.pace.most())])
	if n > 0 {
		r.meter.add(n)
		r.pace.wait(r.ctx, n, r.meter.dog)
	}
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

func unreadable(key object.Key, err error) error {
	return &Error{Code: object.CodeInternal, Err: err, Message: fmt.Sprintf("cannot upload '%s': %s", key, err)}
}

func bytesOf(total int64) string {
	if total < 0 {
		return "an unknown number of"
	}
	return fmt.Sprint(total)
}
