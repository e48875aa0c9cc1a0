package v1

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/web/disposition"
	"cloudstorage/app/web/httpfield"
	"cloudstorage/app/web/problem"
)

// maxURLSeconds is as long as S3 takes a URL: seven days.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
const maxURLSeconds = 7 * 24 * 60 * 60

// signedRequest is a request that anyone can send to the storage.
type signedRequest struct {
	URL     string            `json:"url" doc:"Where to send it."`
	Method  string            `json:"method" doc:"GET or PUT."`
	Headers map[string]string `json:"headers" doc:"The fields to send along, as they are. A browser sets Content-Length by itself."`
	Expires time.Time         `json:"expires_at" doc:"When the storage will refuse it, in UTC: the end of the asked time, or of the server's own credentials."`
}

func signed(s object.Signed) signedRequest {
	return signedRequest{s.URL, s.Method, oneEach(s.Header), s.Expires.UTC()}
}

// writeTerms are what a signed request writes. Whatever is named is in the
// signature.
type writeTerms struct {
	Type      string `json:"type,omitempty" doc:"Media type: the request must have it as its Content-Type. Where it is not given, the request may have any."`
	Size      *int64 `json:"size,omitempty" doc:"Bytes, at most 5 GiB: the request must have exactly as many. Where it is not given, it may have any number."`
	SHA256    string `json:"sha256,omitempty" doc:"The content's SHA-256 in lower-case hex, as sha256sum prints it."`
	IfNew     bool   `json:"if_new,omitempty" doc:"Write only if there is no such file when the request is sent."`
	IfMatch   string `json:"if_match,omitempty" doc:"Write only over the file with this ETag."`
	ExpiresIn int64  `json:"expires_in,omitempty" doc:"Seconds that the URL lives."`
}

// redirect sends the caller to a URL that has the file.
func (c *call) redirect(info object.Info) error {
	ttl, err := c.ttl(c.query.number("expires_in"))
	if err != nil {
		return err
	}
	s, err := c.api.Store.SignRead(c.r.Context(), info.Key, ttl, c.readOptions(info, c.query.text("version")))
	if err != nil {
		return err
	}
	c.w.Header().Add("Vary", "Accept")
	if httpfield.Prefers(c.r.Header.Values("Accept"), "application/json") {
		return c.answer(http.StatusOK, signed(s))
	}
	c.w.Header().Set("Location", s.URL)
	return c.empty(http.StatusTemporaryRedirect)
}

// readOptions say how a URL reads a version of the file that info describes:
// saved, or shown where the request asks for it and that can hurt nobody.
func (c *call) readOptions(info object.Info, version string) file.ReadOptions {
	show := c.query.flag("inline")
	o := file.ReadOptions{Head: c.r.Method == http.MethodHead, Version: version, Disposition: disposition.Of(info.Key, info.Type, show)}
	if show && disposition.MayShow(info.Type) {
		o.Type = info.Type // whatever somebody puts there while the URL lives
	}
	return o
}

// signPut answers with the request that writes k.
func (c *call) signPut(k object.Key) error {
	if err := httpfield.Unconditional(c.r.Header, "If-Match", "If-None-Match", "If-Unmodified-Since", "Content-Digest"); err != nil {
		return problem.New(problem.InvalidRequest, "the fields of the request that signs say nothing about the one that writes: use if_new, if_match and sha256 in the JSON")
	}
	var terms writeTerms
	if err := c.decode(&terms); err != nil {
		return err
	}
	s, err := c.signWrite(k, terms)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, signed(s))
}

// signWrite signs the request that writes k on terms.
func (c *call) signWrite(k object.Key, terms writeTerms) (object.Signed, error) {
	ttl, err := c.ttl(terms.ExpiresIn)
	if err != nil {
		return object.Signed{}, err
	}
	o, err := terms.options()
	if err != nil {
		return object.Signed{}, err
	}
	s, err := c.api.Store.SignWrite(c.r.Context(), k, ttl, o)
	if err == nil {
		c.audit("file.sign-put", k, "", slog.Time("expires", s.Expires.UTC()))
	}
	return s, err
}

func (t writeTerms) options() (o file.WriteOptions, err error) {
	if o.SHA256, err = parseDigest("sha256", t.SHA256); err != nil {
		return o, err
	}
	if err := mediaType("type", t.Type); err != nil {
		return o, err
	}
	if err := entityTag("if_match", t.IfMatch); err != nil {
		return o, err
	}
	if t.IfNew && t.IfMatch != "" {
		return o, wrong("if_match", "it contradicts if_new: give one of them")
	}
	if t.Size != nil && (*t.Size < 0 || *t.Size > file.MaxPut) {
		return o, wrong("size", fmt.Sprintf("it is %d: one request writes up to %d bytes; upload more in parts (/v1/uploads)", *t.Size, int64(file.MaxPut)))
	}
	o.Type, o.Size, o.IfNew, o.IfMatch = t.Type, t.Size, t.IfNew, t.IfMatch
	return o, nil
}
