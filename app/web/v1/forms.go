package v1

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/object/file"
	"cloudstorage/app/object/mediatype"
	"cloudstorage/app/object/upload"
)

// formRequest says what a form takes.
type formRequest struct {
	Key       string `json:"key" doc:"What the file is called."`
	Type      string `json:"type,omitempty" doc:"The file's media type, which is a field of the form; the one that the name's ending suggests where it is not given."`
	Min       int64  `json:"min_size,omitempty" doc:"Bytes of the file, at least."`
	Max       int64  `json:"max_size" doc:"Bytes of the file, at most; up to 5 GiB."`
	ExpiresIn int64  `json:"expires_in,omitempty" doc:"Seconds that the form lives."`
}

// form is what a browser posts.
type form struct {
	URL     string            `json:"url" doc:"Where to post, as multipart/form-data."`
	Fields  map[string]string `json:"fields" doc:"The form's fields. The file follows them, in a field called file, which is the last."`
	Expires time.Time         `json:"expires_at" doc:"When the storage will refuse it, in UTC."`
}

func formOperations() []operation {
	return []operation{{
		id: "signForm", method: http.MethodPost, path: "/forms",
		summary: "Sign a form by which a browser sends a file to the storage.",
		about:   "It needs the verb write. The storage refuses what is smaller or larger, or of another type. Unlike a signed PUT, it needs no script.",
		body:    formRequest{},
		answers: []answer{{status: http.StatusOK, about: "The form.", body: form{}}},
		handle:  signForm,
	}}
}

func signForm(c *call) error {
	var asked formRequest
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
	if asked.Max < 1 || asked.Max > file.MaxPut || asked.Min < 0 || asked.Min > asked.Max {
		return wrong("max_size", fmt.Sprintf("a form cannot take %d to %d bytes: give max_size from 1 to %d, and min_size up to it", asked.Min, asked.Max, int64(file.MaxPut)))
	}
	ttl, err := c.ttl(asked.ExpiresIn)
	if err != nil {
		return err
	}
	signed, err := c.api.Store.SignForm(c.r.Context(), k, ttl, upload.FormOptions{Type: cmp.Or(asked.Type, mediatype.OrUnknown(k)), Min: asked.Min, Max: asked.Max})
	if err != nil {
		return err
	}
	c.audit("form.sign", k, "", slog.Time("expires", signed.Expires.UTC()))
	return c.answer(http.StatusOK, form{signed.URL, signed.Fields, signed.Expires.UTC()})
}
