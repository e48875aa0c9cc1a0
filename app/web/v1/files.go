package v1

import (
	"net/http"
	"strconv"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/web/problem"
)

func fileOperations() []operation {
	version := param{name: "version", about: "This version; the newest where it is not given."}
	return []operation{{
		id: "statFile", method: http.MethodHead, path: "/files/{key...}",
		summary: "Describe a file.",
		query:   []param{version},
		answers: []answer{{status: http.StatusOK, about: "The fields describe the file.", headers: fileFields()}},
		errors:  []problem.Kind{problem.NotFound},
		handle:  statFile,
	}}
}

// fileFields are the fields that describe a file.
func fileFields() []field {
	return []field{
		{"Content-Length", "Bytes."},
		{"Content-Type", "The file's media type."},
		{"ETag", "Changes with the content."},
		{"Last-Modified", "When it was written."},
		{"X-Version-Id", "The id of this version."},
	}
}

func statFile(c *call) error {
	k, err := c.key(auth.Read)
	if err != nil {
		return err
	}
	info, err := c.api.Store.Stat(c.r.Context(), k, c.query.text("version"))
	if err != nil {
		return err
	}
	c.describe(info)
	c.w.Header().Set("Content-Length", strconv.FormatInt(info.Size, 10))
	return c.empty(http.StatusOK)
}

// describe sets the fields that describe a file.
func (c *call) describe(i object.Info) {
	h := c.w.Header()
	if i.Type != "" {
		h.Set("Content-Type", i.Type)
	}
	h.Set("ETag", i.ETag)
	h.Set("Last-Modified", i.Modified.UTC().Format(http.TimeFormat))
	if i.Version != "" {
		h.Set("X-Version-Id", i.Version)
	}
}
