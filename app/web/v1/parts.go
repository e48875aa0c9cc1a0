package v1

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"cloudstorage/app/object"
	"cloudstorage/app/object/upload"
)

// arrivals is a page of what has arrived.
type arrivals struct {
	Upload  uploadInfo `json:"upload" doc:"The upload."`
	Arrived []arrival  `json:"arrived" doc:"The parts that the storage has, in the order of their numbers."`
	Next    string     `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent on the last one."`
}

// arrival is a part that has arrived.
type arrival struct {
	Number   int       `json:"number" doc:"Its number."`
	Size     int64     `json:"size" doc:"Bytes."`
	ETag     string    `json:"etag" doc:"What completing the upload names it by."`
	SHA256   string    `json:"sha256,omitempty" doc:"Its SHA-256, where the upload has digests."`
	Modified time.Time `json:"modified" doc:"When it arrived, in UTC."`
}

// partsRequest says which parts to sign.
type partsRequest struct {
	Parts     []partRequest `json:"parts" doc:"1 to 1,000 of them."`
	ExpiresIn int64         `json:"expires_in,omitempty" doc:"Seconds that the URLs live."`
}

type partRequest struct {
	Number int    `json:"number" doc:"1 to 10,000: where the part stands in the file."`
	Size   *int64 `json:"size,omitempty" doc:"Bytes, 5 MiB to 5 GiB but for the last part: the storage refuses another number. Where the upload has a size, it is known already."`
	SHA256 string `json:"sha256,omitempty" doc:"The part's SHA-256 as lower-case hex. Required where the upload has digests, refused where not."`
}

// signedParts are requests that anyone can send.
type signedParts struct {
	Parts []signedPart `json:"parts" doc:"In the order of the request."`
}

type signedPart struct {
	Number  int               `json:"number" doc:"The part's number."`
	Method  string            `json:"method" doc:"PUT"`
	URL     string            `json:"url" doc:"Where to send the part. The ETag field of the answer is what completing names it by."`
	Headers map[string]string `json:"headers" doc:"The fields to send along, as they are."`
	Expires time.Time         `json:"expires_at" doc:"When the storage will refuse it, in UTC."`
}

func showUpload(c *call) error {
	u, err := c.upload()
	if err != nil {
		return err
	}
	cursor, err := c.resume(u.ID)
	if err != nil {
		return err
	}
	page, err := c.api.Store.Parts(c.r.Context(), u.Upload, upload.PartsOptions{Limit: int(c.query.number("limit")), Cursor: cursor})
	if err != nil {
		return err
	}
	list := arrivals{Upload: u.describe(c.rest), Arrived: make([]arrival, 0, len(page.Items))}
	for _, p := range page.Items {
		list.Arrived = append(list.Arrived, arrival{p.Number, p.Size, p.ETag, formatDigest(p.SHA256), p.Modified.UTC()})
	}
	if list.Next, err = c.cursor(page.Next, u.ID); err != nil {
		return err
	}
	c.linkNext(list.Next)
	return c.answer(http.StatusOK, list)
}

func signParts(c *call) error {
	u, err := c.upload()
	if err != nil {
		return err
	}
	var asked partsRequest
	if err := c.decode(&asked); err != nil {
		return err
	}
	if len(asked.Parts) == 0 || len(asked.Parts) > object.MaxPage {
		return wrong("parts", fmt.Sprintf("there are %d: name 1 to %d", len(asked.Parts), object.MaxPage))
	}
	ttl, err := c.ttl(asked.ExpiresIn)
	if err != nil {
		return err
	}
	list := signedParts{Parts: make([]signedPart, len(asked.Parts))}
	for i, p := range asked.Parts {
		at := fmt.Sprintf("parts[%d]", i)
		var o upload.PartOptions
		if o.Size, err = u.length(at, p.Number, p.Size); err != nil {
			return err
		}
		if o.SHA256, err = u.digest(at+".sha256", p.SHA256); err != nil {
			return err
		}
		signed, err := c.api.Store.SignPart(c.r.Context(), u.Upload, p.Number, ttl, o)
		if err != nil {
			return err
		}
		list.Parts[i] = signedPart{p.Number, signed.Method, signed.URL, oneEach(signed.Header), signed.Expires.UTC()}
	}
	c.audit("upload.sign", u.Key, "", slog.String("upload", u.ID), slog.Int("parts", len(list.Parts)))
	return c.answer(http.StatusOK, list)
}

// oneEach returns header fields for JSON: each has one value.
func oneEach(h http.Header) map[string]string {
	fields := make(map[string]string, len(h))
	for name := range h {
		fields[name] = h.Get(name)
	}
	return fields
}
