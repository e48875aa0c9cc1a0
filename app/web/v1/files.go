package v1

import (
	"fmt"
	"net/http"
	"strconv"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/web/httpfield"
	"cloudstorage/app/web/problem"
)

func fileOperations() []operation {
	reading := []param{
		{name: "version", about: "This version; the newest where it is not given."},
		{name: "inline", about: "1 lets a browser show the file, where its type can run no script: images but SVG, sound, video and plain text. Any other file is saved, as is every file without this.", kind: flag},
		{name: "stream", about: "1 answers with the content itself.", kind: flag},
	}
	conditions := []field{
		{"If-Match", "Answer only if the file has one of these ETags (412)."},
		{"If-None-Match", "Answer only if the file has none of these ETags (304)."},
		{"If-Unmodified-Since", "Answer only if the file was not written since (412). If-Match tells more."},
		{"If-Modified-Since", "Answer only if the file was written since (304). If-None-Match tells more."},
	}
	unchanged := answer{status: http.StatusNotModified, about: "The caller has it already.", headers: validators()}
	return []operation{{
		id: "statFile", method: http.MethodHead, path: "/files/{key...}",
		summary: "Describe a file.",
		about:   "It needs the verb read. The fields are those of the content, as ?stream=1 sends it.",
		query:   reading,
		headers: conditions,
		answers: []answer{{status: http.StatusOK, about: "The fields describe the file.", headers: append(contentFields(),
			field{checksumField, "The content's SHA-256 in base64 or, with -3 behind it, that of the SHA-256 of its 3 parts, one after the other; absent where it is not known."})}, unchanged},
		errors: []problem.Kind{problem.NotFound, problem.PreconditionFailed},
		handle: statFile,
	}, {
		id: "getFile", method: http.MethodGet, path: "/files/{key...}",
		summary: "Read a file: be sent to a URL of the storage that has it, or get its content.",
		about: "It needs the verb read. The URL is good for this file only, until it expires, and needs no Authorization: the storage refuses a request that has both. " +
			"Conditions are checked before anything is signed. With stream, the content goes through the API, from the first byte or from the one that Range asks for; several ranges are answered with the whole. " +
			"A connection that ends before Content-Length bytes is a failure: what came is not the file.",
		query: append(reading, param{name: "expires_in", about: "Seconds that the URL lives.", kind: integer, low: 1, high: maxURLSeconds}),
		headers: append(conditions,
			field{"Accept", "application/json, with nothing wanted more, is answered with the URL in JSON."},
			field{"Range", "With stream: only these bytes (206)."},
			field{"If-Range", "With stream: Range counts only if the file has this ETag."}),
		answers: []answer{
			{status: http.StatusTemporaryRedirect, about: "The URL is in Location.", headers: []field{{"Location", "A URL that anyone can read the file at until it expires."}}},
			{status: http.StatusOK, about: "The URL, where JSON is accepted.", body: signedRequest{}},
			{status: http.StatusOK, about: "The content, with stream.", media: "*/*", headers: contentFields()},
			{status: http.StatusPartialContent, about: "The bytes that Range asks for, with stream.", media: "*/*",
				headers: append(contentFields(), field{"Content-Range", "Which bytes they are, and how many the file has."})},
			unchanged,
		},
		errors: []problem.Kind{problem.NotFound, problem.PreconditionFailed, problem.RangeNotSatisfiable},
		handle: getFile,
	}, {
		id: "putFile", method: http.MethodPut, path: "/files/{key...}",
		summary: "Write a file, or sign the request that writes it.",
		about: "It needs the verb write. The body is the content: all of it is stored, as a new version, or nothing is. A body above the server's limit is refused (413): sign the request, which may have 5 GiB, or upload in parts (/v1/uploads). " +
			"With sign, the body is JSON that says what will be written. What it names is in the signature, so the storage refuses anything else.",
		query: []param{{name: "sign", about: "1 signs a request in place of writing.", kind: flag}},
		headers: []field{
			{"Content-Type", "The file's media type; the one that the name's ending suggests where it is not given."},
			{"Content-Digest", "sha-256=:<base64>: is the content's SHA-256 (RFC 9530): the storage refuses other content (400)."},
			{"If-None-Match", "* writes only if there is no such file (412)."},
			{"If-Match", "Write only over the file with this one ETag (412)."},
		},
		raw:  true,
		body: writeTerms{},
		answers: []answer{
			{status: http.StatusOK, about: "The file as it was written.", body: fileInfo{}, headers: writtenFields()},
			{status: http.StatusOK, about: "The request to send, with sign.", body: signedRequest{}},
			{status: http.StatusCreated, about: "The file, where If-None-Match says that there was none.", body: fileInfo{}, headers: append(writtenFields(), field{"Location", "The file's path."})},
		},
		errors: []problem.Kind{problem.LengthRequired, problem.PreconditionFailed, problem.Conflict, problem.BodyTooLarge, problem.UnsupportedMediaType, problem.TooSlow},
		handle: putFile,
	}, {
		id: "deleteFile", method: http.MethodDelete, path: "/files/{key...}",
		summary: "Delete a file; it can be brought back.",
		about:   "It needs the verb delete. The deletion is a version of its own, and hides the others. A file that is not there is no error.",
		answers: []answer{{status: http.StatusNoContent, about: "It is not there any more.", headers: []field{
			{"Link", "A POST to it brings the file back, with rel=\"urn:cloudstorage:undo\"."},
			{"X-Version-Id", "The id of the version that is the deletion."},
		}}},
		handle: deleteFile,
	}}
}

// writtenFields are the fields that tell what was written.
func writtenFields() []field {
	return []field{{"ETag", "Changes with the content."}, {"X-Version-Id", "The id of the new version."}}
}

// contentFields are the fields that describe a file's content.
func contentFields() []field {
	return append(validators(),
		field{"Content-Length", "Bytes."},
		field{"Content-Type", "The file's media type."},
		field{"Content-Disposition", "Its name, and whether a browser may show it."},
		field{"Content-Security-Policy", "sandbox: nothing in it runs as a page of this server."},
		field{"Accept-Ranges", "bytes"})
}

// validators are the fields that tell one state of a file from another.
func validators() []field {
	return []field{
		{"ETag", "Changes with the content."},
		{"Last-Modified", "When it was written."},
		{"X-Version-Id", "The id of this version."},
	}
}

// stat describes the file in the path, as it is now or in the version that is
// asked for.
func (c *call) stat() (object.Info, error) {
	k, err := c.key(auth.Read)
	if err != nil {
		return object.Info{}, err
	}
	version := c.query.text("version")
	info, err := c.api.Store.Stat(c.r.Context(), k, version)
	if version != "" && object.CodeOf(err) == object.CodeInvalid {
		return info, wrong("version", fmt.Sprintf("%q is no version's id: GET %s lists those that there are", version, address("/versions/", k)))
	}
	return info, err
}

func statFile(c *call) error {
	info, err := c.stat()
	if err != nil {
		return err
	}
	if answered, err := c.conditions(info); answered || err != nil {
		return err
	}
	c.describeContent(info)
	c.w.Header().Set("Content-Length", strconv.FormatInt(info.Size, 10))
	if info.SHA256 != "" {
		c.w.Header().Set(checksumField, info.SHA256)
	}
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// checksumField tells what the storage checks content by. Repr-Digest (RFC 9530)
// knows no digests of parts.
const checksumField = "X-Checksum-Sha256"

func getFile(c *call) error {
	info, err := c.stat()
	if err != nil {
		return err
	}
	if answered, err := c.conditions(info); answered || err != nil {
		return err
	}
	if c.query.flag("stream") {
		return c.stream(info)
	}
	return c.redirect(info)
}

// conditions evaluates the request's conditions, and answers where the caller
// has the file already.
func (c *call) conditions(info object.Info) (answered bool, err error) {
	outcome, err := httpfield.Check(c.r.Header, info.ETag, info.Modified)
	switch {
	case err != nil:
		return false, problem.New(problem.InvalidRequest, err.Error())
	case outcome == httpfield.Failed:
		return false, problem.New(problem.PreconditionFailed, "the file has the ETag "+info.ETag+" and was written on "+info.Modified.UTC().Format(http.TimeFormat))
	case outcome == httpfield.NotModified:
		c.describe(info)
		c.keep()
		c.w.WriteHeader(http.StatusNotModified)
		return true, nil
	}
	return false, nil
}

// describe sets the fields that describe a file.
func (c *call) describe(i object.Info) {
	h := c.w.Header()
	if i.Type != "" {
		h.Set("Content-Type", i.Type)
	}
	h.Set("ETag", i.ETag)
	h.Set("Last-Modified", i.Modified.UTC().Format(http.TimeFormat))
	c.tellVersion(i.Version)
}

// tellWritten sets the fields that tell what was written.
func (c *call) tellWritten(i object.Info) {
	c.w.Header().Set("ETag", i.ETag)
	c.tellVersion(i.Version)
}

// tellVersion sets the field with a version's id, where the store keeps any.
func (c *call) tellVersion(id string) {
	if id != "" {
		c.w.Header().Set("X-Version-Id", id)
	}
}

func deleteFile(c *call) error {
	k, err := c.key(auth.Delete)
	if err != nil {
		return err
	}
	marker, err := c.api.Store.Delete(c.lasting(), k)
	if err != nil {
		return err
	}
	c.audit("file.delete", k, marker)
	c.linkUndo(k, marker)
	c.tellVersion(marker)
	return c.empty(http.StatusNoContent)
}
