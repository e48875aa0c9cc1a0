package v1

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/object/upload"
	"cloudstorage/app/seal"
	"cloudstorage/app/web/problem"
)

// uploadPurpose keeps the ids of uploads apart from other sealed tokens.
const uploadPurpose seal.Purpose = "upload"

// uploadRequest says what is going to be uploaded.
type uploadRequest struct {
	Key      string `json:"key" doc:"What the file is called."`
	Size     *int64 `json:"size,omitempty" doc:"Bytes, where they are known: then the answer says how to cut the file, and no part takes another number of bytes."`
	Type     string `json:"type,omitempty" doc:"The file's media type."`
	PartSize int64  `json:"part_size,omitempty" doc:"Bytes of a part, at least; only with size. It grows where there would be more than 10,000 parts."`
	Digests  bool   `json:"digests,omitempty" doc:"Each part is signed with its SHA-256: the storage refuses one with another."`
}

// uploadInfo is an upload that is under way.
type uploadInfo struct {
	ID       string `json:"id" doc:"Names the upload, on every server; whoever may write the key may go on with it."`
	Key      string `json:"key" doc:"What the file is called."`
	Digests  bool   `json:"digests" doc:"Each part needs its SHA-256."`
	Size     *int64 `json:"size,omitempty" doc:"Bytes of the file; absent where nobody said."`
	PartSize int64  `json:"part_size,omitempty" doc:"Bytes of each part but the last; absent without size."`
	Parts    int    `json:"parts,omitempty" doc:"How many parts; absent without size."`
	Last     *int64 `json:"last_part_size,omitempty" doc:"Bytes of the last part; absent without size."`
}

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
	Size   int64  `json:"size,omitempty" doc:"Bytes, 5 MiB to 5 GiB but for the last part: the storage refuses another number. Where the upload has a size, it is known already."`
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

// completeRequest says what the file is made of.
type completeRequest struct {
	Parts   []partDone `json:"parts,omitempty" doc:"The parts, each once. Absent stands for all that have arrived, where the upload has a size and they make up all of it."`
	IfNew   bool       `json:"if_new,omitempty" doc:"Refuse (412) where there is a file of that name."`
	IfMatch string     `json:"if_match,omitempty" doc:"Refuse (412) where the file of that name has another ETag."`
}

type partDone struct {
	Number int    `json:"number" doc:"Its number."`
	ETag   string `json:"etag" doc:"The ETag that the storage answered."`
	SHA256 string `json:"sha256,omitempty" doc:"Its SHA-256, where the upload has digests."`
}

func uploadOperations() []operation {
	return []operation{{
		id: "createUpload", method: http.MethodPost, path: "/uploads",
		summary: "Begin an upload in parts, of up to 50 TB.",
		about: "It needs the verb write. Then: sign parts, send them to the storage, complete. The API remembers nothing, the storage does: any server answers any step. " +
			"What has arrived takes up room until the upload is completed or aborted.",
		body:    uploadRequest{},
		answers: []answer{{status: http.StatusCreated, about: "The upload, and how to cut the file.", body: uploadInfo{}, headers: []field{{"Location", "The upload's path."}}}},
		handle:  createUpload,
	}, {
		id: "showUpload", method: http.MethodGet, path: "/uploads/{id}",
		summary: "Tell which parts of an upload have arrived.",
		about:   "It needs the verb write. Who goes on with an upload sends what is missing.",
		query: []param{
			{name: "limit", about: "At most this many parts; 1,000 where it is not given.", kind: integer, low: 1, high: object.MaxPage},
			{name: "cursor", about: "The next_cursor of the page before."},
		},
		answers: []answer{{status: http.StatusOK, about: "A page.", body: arrivals{}, headers: []field{{"Link", "The next page, with rel=\"next\"."}}}},
		handle:  showUpload,
	}, {
		id: "signParts", method: http.MethodPost, path: "/uploads/{id}/parts",
		summary: "Sign the requests that send parts to the storage.",
		about:   "It needs the verb write. Parts can be sent in any order, at the same time, and again: the last one counts.",
		body:    partsRequest{},
		answers: []answer{{status: http.StatusOK, about: "The requests.", body: signedParts{}}},
		handle:  signParts,
	}, {
		id: "completeUpload", method: http.MethodPost, path: "/uploads/{id}/complete",
		summary: "Make the file of its parts.",
		about: "It needs the verb write. Only now the file is there, or its new version. A condition that fails leaves the upload as it was. " +
			"An upload that was completed before is not found: HEAD of the file tells whether it is there.",
		body:    completeRequest{},
		answers: []answer{{status: http.StatusOK, about: "The file.", body: fileInfo{}, headers: []field{{"Location", "The file's path."}}}},
		handle:  completeUpload,
	}, {
		id: "abortUpload", method: http.MethodDelete, path: "/uploads/{id}",
		summary: "Drop an upload and what has arrived of it.",
		about:   "It needs the verb write. An upload that is not there any more is no error.",
		answers: []answer{{status: http.StatusNoContent, about: "It is gone."}},
		handle:  abortUpload,
	}}
}

// uploading is what an upload's id says: all that a step must know.
type uploading struct {
	upload.Upload
	digests bool
	size    *int64 // nil where nobody knows it
	plan    upload.Plan
}

// token is the id: sealed, since what it says decides what is signed. No part
// of it has a NUL.
func (u uploading) token(s *seal.Sealer) string {
	size := ""
	if u.size != nil {
		size = strconv.FormatInt(*u.size, 10)
	}
	return s.Seal(uploadPurpose, []byte(strings.Join([]string{
		u.ID, strconv.FormatBool(u.digests), size, strconv.FormatInt(u.plan.Part, 10), string(u.Key),
	}, "\x00")))
}

// upload returns the upload that the path names, if the caller may write its
// file.
func (c *call) upload() (uploading, error) {
	var u uploading
	payload, err := c.api.Sealer.Open(uploadPurpose, c.rest)
	parts := strings.Split(string(payload), "\x00")
	if err != nil || len(parts) != 5 {
		return u, problem.New(problem.NotFound, "there is no such upload: its id was cut or changed, or is of another server")
	}
	u.ID, u.digests, u.Key = parts[0], parts[1] == "true", object.Key(parts[4])
	if size, err := strconv.ParseInt(parts[2], 10, 64); err == nil {
		part, _ := strconv.ParseInt(parts[3], 10, 64) // as it was sealed
		u.size = &size
		if u.plan, err = upload.NewPlan(size, part); err != nil {
			return u, err
		}
	}
	return u, c.caller.May(auth.Write, string(u.Key))
}

func (u uploading) describe(id string) uploadInfo {
	info := uploadInfo{ID: id, Key: string(u.Key), Digests: u.digests}
	if u.size != nil {
		info.Size, info.PartSize, info.Parts, info.Last = u.size, u.plan.Part, u.plan.Count, &u.plan.Last
	}
	return info
}

// length returns how many bytes a part has, where it is known; asked is what the
// caller says.
func (u uploading) length(field string, number int, asked int64) (int64, error) {
	switch {
	case number < 1 || number > upload.MaxParts:
		return 0, wrong(field+".number", fmt.Sprintf("%d: parts have the numbers 1 to %d", number, upload.MaxParts))
	case asked < 0 || asked > upload.MaxPart:
		return 0, wrong(field+".size", fmt.Sprintf("%d: a part has up to %d bytes", asked, int64(upload.MaxPart)))
	case u.size == nil:
		return asked, nil
	case number > u.plan.Count:
		return 0, wrong(field+".number", fmt.Sprintf("%d: the file has %d parts", number, u.plan.Count))
	}
	_, length := u.plan.Range(number)
	if asked != 0 && asked != length {
		return 0, wrong(field+".size", fmt.Sprintf("%d: part %d of this upload has %d bytes", asked, number, length))
	}
	return length, nil
}

// digest reads the SHA-256 of a part, which must be there where the upload has
// digests, and only there.
func (u uploading) digest(field, value string) (d *[32]byte, err error) {
	switch {
	case u.digests && value == "":
		return nil, wrong(field, "it is missing: this upload has digests")
	case !u.digests && value != "":
		return nil, wrong(field, "this upload has no digests: begin one with digests=true")
	}
	return parseDigest(field, value)
}

func createUpload(c *call) error {
	var asked uploadRequest
	if err := c.decode(&asked); err != nil {
		return err
	}
	k, err := c.named("key", asked.Key, auth.Write)
	if err != nil {
		return err
	}
	if err := mediaType("type", asked.Type); err != nil {
		return err
	}
	u := uploading{digests: asked.Digests, size: asked.Size}
	switch {
	case u.size != nil:
		if u.plan, err = upload.NewPlan(*u.size, asked.PartSize); err != nil {
			return err
		}
	case asked.PartSize != 0:
		return wrong("part_size", "it needs size: without it, each part is as large as it is sent")
	}
	if u.Upload, err = c.api.Store.Create(c.r.Context(), k, upload.Options{Type: asked.Type, Digests: asked.Digests}); err != nil {
		return err
	}
	c.audit("upload.create", k, "", slog.String("upload", u.ID))
	id := u.token(c.api.Sealer)
	c.w.Header().Set("Location", Path+"/uploads/"+id)
	return c.answer(http.StatusCreated, u.describe(id))
}

func showUpload(c *call) error {
	u, err := c.upload()
	if err != nil {
		return err
	}
	cursor, err := c.resume(c.rest)
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
	if list.Next, err = c.cursor(page.Next, c.rest); err != nil {
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

func completeUpload(c *call) error {
	u, err := c.upload()
	if err != nil {
		return err
	}
	var asked completeRequest
	if err := c.decode(&asked); err != nil {
		return err
	}
	if err := entityTag("if_match", asked.IfMatch); err != nil {
		return err
	}
	var parts []upload.Part
	if asked.Parts == nil {
		parts, err = c.arrived(u)
	} else {
		parts, err = u.done(asked.Parts)
	}
	if err != nil {
		return u.explain(err)
	}
	// S3 finishes what it has begun, whoever waits for it: so does its line in
	// the audit.
	ctx := context.WithoutCancel(c.r.Context())
	info, err := c.api.Store.Complete(ctx, u.Upload, parts, upload.CompleteOptions{IfNew: asked.IfNew, IfMatch: asked.IfMatch})
	if err != nil {
		return u.explain(err)
	}
	c.audit("upload.complete", u.Key, info.Version, slog.String("upload", u.ID))
	c.w.Header().Set("Location", fileAddress(u.Key))
	return c.answerFile(http.StatusOK, info)
}

// explain tells who completes an upload that is not there where to look: the
// answer to an earlier try may have been lost.
func (u uploading) explain(err error) error {
	if object.CodeOf(err) != object.CodeNotFound {
		return err
	}
	return &problem.Error{Kind: problem.NotFound, Err: err,
		Detail: "there is no such upload: it was completed, aborted or never begun; HEAD " + fileAddress(u.Key) + " tells whether the file is there"}
}

// done checks what the caller says has been sent.
func (u uploading) done(list []partDone) ([]upload.Part, error) {
	if len(list) == 0 || len(list) > upload.MaxParts {
		return nil, wrong("parts", fmt.Sprintf("there are %d: name 1 to %d", len(list), upload.MaxParts))
	}
	parts := make([]upload.Part, len(list))
	for i, p := range list {
		at := fmt.Sprintf("parts[%d]", i)
		if _, err := u.length(at, p.Number, 0); err != nil {
			return nil, err
		}
		if err := entityTag(at+".etag", p.ETag); err != nil || p.ETag == "" {
			return nil, wrong(at+".etag", "give the ETag that the storage answered, with its quotes")
		}
		d, err := u.digest(at+".sha256", p.SHA256)
		if err != nil {
			return nil, err
		}
		parts[i] = upload.Part{Number: p.Number, ETag: p.ETag, SHA256: d}
	}
	slices.SortFunc(parts, func(a, b upload.Part) int { return a.Number - b.Number })
	for i := 1; i < len(parts); i++ {
		if parts[i].Number == parts[i-1].Number {
			return nil, wrong("parts", fmt.Sprintf("part %d is named twice", parts[i].Number))
		}
	}
	return parts, u.whole(parts)
}

// arrived lists the parts of a whole file.
func (c *call) arrived(u uploading) ([]upload.Part, error) {
	if u.size == nil {
		return nil, wrong("parts", "name them: the upload was begun without a size, so that nobody else knows whether all have arrived")
	}
	var parts []upload.Part
	var size int64
	for o := (upload.PartsOptions{}); ; {
		page, err := c.api.Store.Parts(c.r.Context(), u.Upload, o)
		if err != nil {
			return nil, err
		}
		for _, p := range page.Items {
			size += p.Size
		}
		parts = append(parts, page.Items...)
		if o.Cursor = page.Next; o.Cursor == "" {
			break
		}
	}
	if err := u.whole(parts); err != nil {
		return nil, err
	}
	if size != *u.size {
		return nil, problem.New(problem.UploadIncomplete, fmt.Sprintf("%d bytes have arrived of %d", size, *u.size))
	}
	return parts, nil
}

// whole says whether parts, in the order of their numbers, are all that a file
// of known size has.
func (u uploading) whole(parts []upload.Part) error {
	if u.size == nil {
		return nil
	}
	for number := 1; number <= u.plan.Count; number++ {
		if number > len(parts) || parts[number-1].Number != number {
			return problem.New(problem.UploadIncomplete, fmt.Sprintf("part %d of %d is missing", number, u.plan.Count))
		}
	}
	return nil
}

func abortUpload(c *call) error {
	u, err := c.upload()
	if err != nil {
		return err
	}
	if err := c.api.Store.Abort(c.r.Context(), u.Upload); err != nil {
		return err
	}
	c.audit("upload.abort", u.Key, "", slog.String("upload", u.ID))
	return c.empty(http.StatusNoContent)
}
