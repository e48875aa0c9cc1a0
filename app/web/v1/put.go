package v1

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/object/mediatype"
	"cloudstorage/app/web/httpfield"
	"cloudstorage/app/web/problem"
)

func putFile(c *call) error {
	k, err := c.key(auth.Write)
	if err != nil {
		return err
	}
	if c.query.flag("sign") {
		return c.signPut(k)
	}
	o, err := c.putOptions(k)
	if err != nil {
		return err
	}
	// A body that ends early stores nothing, by its length.
	ctx, store, done := watch(c.lasting())
	defer done()
	info, err := c.api.Store.Put(ctx, k, toStore{c.r.Body, store}, o)
	if o.IfMatch != "" && object.CodeOf(err) == object.CodeNotFound {
		return &problem.Error{Kind: problem.PreconditionFailed, Detail: "there is no such file, so that its ETag is not " + o.IfMatch, Err: err}
	}
	if err != nil {
		return err
	}
	c.audit("file.put", k, info.Version, slog.Int64("size", info.Size))
	c.tellWritten(info)
	status := http.StatusOK // whether there was one before is known to nobody
	if o.IfNew {
		status = http.StatusCreated
		c.w.Header().Set("Location", fileAddress(k))
	}
	return c.answer(status, describe(info))
}

// putOptions reads what the request's fields say about its body.
func (c *call) putOptions(k object.Key) (o file.PutOptions, err error) {
	h := c.r.Header
	if h.Get("Content-Range") != "" {
		return o, problem.New(problem.InvalidRequest, "a part of a file cannot be written: send all of it without Content-Range, or upload in parts (/v1/uploads)")
	}
	if coding := h.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return o, &problem.Error{Kind: problem.UnsupportedMediaType, Header: http.Header{"Accept-Encoding": {"identity"}},
			Detail: fmt.Sprintf("the content has the coding %q, which the storage does not remember: send the file as it is, under a name that tells what it is (.gz)", coding)}
	}
	if c.r.ContentLength < 0 || h.Get("Content-Length") == "" {
		return o, problem.New(problem.LengthRequired, "send Content-Length: the storage wants to know the size before the first byte; or upload in parts (/v1/uploads), the size of which may be unknown")
	}
	if c.r.ContentLength > c.api.MaxBody {
		return o, problem.New(problem.BodyTooLarge, fmt.Sprintf("the file has %d bytes and at most %d pass through the API: sign the upload (PUT %s?sign=1), or upload in parts (POST /v1/uploads)",
			c.r.ContentLength, c.api.MaxBody, fileAddress(k)))
	}
	if err := mediaType("Content-Type", h.Get("Content-Type")); err != nil {
		return o, err
	}
	o.Size, o.Type = c.r.ContentLength, cmp.Or(h.Get("Content-Type"), mediatype.OrUnknown(k))
	if o.SHA256, err = httpfield.ContentDigest(h.Values("Content-Digest")); err == nil {
		o.IfNew, o.IfMatch, err = httpfield.WriteCondition(h)
	}
	if err != nil {
		return o, problem.New(problem.InvalidRequest, err.Error())
	}
	return o, nil
}
