package v1

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/object/mediatype"
	"cloudstorage/app/web/disposition"
	"cloudstorage/app/web/httpfield"
	"cloudstorage/app/web/problem"
)

// stream answers with the content, or the range of it that is asked for, of the
// version that info describes: what is written meanwhile does not mix in.
//
// Every answer has its Content-Length. So when the store fails on the way,
// net/http cuts the connection, and nobody takes half a file for the whole.
func (c *call) stream(info object.Info) error {
	o := file.GetOptions{Version: info.Version}
	if ranges := c.r.Header.Values("Range"); len(ranges) == 1 && httpfield.InRange(c.r.Header, info.ETag) {
		if asked, ok := file.ParseRange(ranges[0]); ok {
			if _, _, ok := asked.In(info.Size); !ok {
				return &problem.Error{Kind: problem.RangeNotSatisfiable, Detail: fmt.Sprintf("the file has %d bytes: ask for a range that begins before its end", info.Size),
					Header: http.Header{"Content-Range": {fmt.Sprintf("bytes */%d", info.Size)}}}
			}
			o.Range = &asked
		}
	}
	ctx, store, done := watch(c.r.Context())
	defer done()
	content, err := c.api.Store.Get(ctx, info.Key, o)
	if err != nil {
		return err
	}
	defer content.Close()
	c.describeContent(content.Info)
	h, status := c.w.Header(), http.StatusOK
	h.Set("Content-Length", strconv.FormatInt(content.Length, 10))
	if o.Range != nil {
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", content.First, content.First+content.Length-1, content.Size))
		status = http.StatusPartialContent
	}
	c.w.WriteHeader(status)
	if _, err := io.Copy(c.w, fromStore{content, store}); err != nil {
		return fmt.Errorf("stream %s: %w", info.Key, err)
	}
	return nil
}

// describeContent sets the fields of an answer that is a file's content. Nothing
// in it is to run as a page of this server.
func (c *call) describeContent(i object.Info) {
	c.describe(i)
	h := c.w.Header()
	h.Set("Content-Type", cmp.Or(i.Type, mediatype.Unknown)) // net/http would guess
	h.Set("Content-Disposition", disposition.Of(i.Key, i.Type, c.query.flag("inline")))
	h.Set("Accept-Ranges", "bytes")
	h.Set("Content-Security-Policy", "sandbox")
	c.keep()
}

// keep lets the caller's own cache keep the answer, and ask each time whether it
// still holds.
func (c *call) keep() {
	c.private()
	c.w.Header().Set("Cache-Control", "private, no-cache")
}
