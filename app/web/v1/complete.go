package v1

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"

	"cloudstorage/app/object"
	"cloudstorage/app/object/upload"
	"cloudstorage/app/web/problem"
)

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
	if asked.IfNew && asked.IfMatch != "" {
		return wrong("if_match", "it contradicts if_new: give one of them")
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
	info, err := c.api.Store.Complete(c.lasting(), u.Upload, parts, upload.CompleteOptions{IfNew: asked.IfNew, IfMatch: asked.IfMatch})
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
	d, _ := problem.Of(err) // of the upload, or of the file that if_match is about
	return &problem.Error{Kind: problem.NotFound, Detail: d.Detail + "; HEAD " + fileAddress(u.Key) + " tells whether the file is there", Err: err}
}

// done checks what the caller says has been sent.
func (u uploading) done(list []partDone) ([]upload.Part, error) {
	if len(list) == 0 || len(list) > upload.MaxParts {
		return nil, wrong("parts", fmt.Sprintf("there are %d: name 1 to %d", len(list), upload.MaxParts))
	}
	parts := make([]upload.Part, len(list))
	for i, p := range list {
		at := fmt.Sprintf("parts[%d]", i)
		if _, err := u.length(at, p.Number, nil); err != nil {
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
