package v1

import (
	"cmp"
	"log/slog"
	"net/http"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/object/mediatype"
	"cloudstorage/app/object/upload"
	"cloudstorage/app/web/problem"
)

// uploadRequest says what is going to be uploaded.
type uploadRequest struct {
	Key      string `json:"key" doc:"What the file is called."`
	Size     *int64 `json:"size,omitempty" doc:"Bytes, where they are known: then the answer says how to cut the file, and no part takes another number of bytes."`
	Type     string `json:"type,omitempty" doc:"The file's media type; the one that the name's ending suggests where it is not given."`
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
		errors:  []problem.Kind{problem.NotFound},
		handle:  showUpload,
	}, {
		id: "signParts", method: http.MethodPost, path: "/uploads/{id}/parts",
		summary: "Sign the requests that send parts to the storage.",
		about:   "It needs the verb write. Parts can be sent in any order, at the same time, and again: the last one counts.",
		body:    partsRequest{},
		answers: []answer{{status: http.StatusOK, about: "The requests.", body: signedParts{}}},
		errors:  []problem.Kind{problem.NotFound},
		handle:  signParts,
	}, {
		id: "completeUpload", method: http.MethodPost, path: "/uploads/{id}/complete",
		summary: "Make the file of its parts.",
		about: "It needs the verb write. Only now the file is there, or its new version. A condition that fails leaves the upload as it was. " +
			"An upload that was completed before is not found: HEAD of the file tells whether it is there.",
		body:    completeRequest{},
		answers: []answer{{status: http.StatusOK, about: "The file.", body: fileInfo{}, headers: append(writtenFields(), field{"Location", "The file's path."})}},
		errors:  []problem.Kind{problem.NotFound, problem.Conflict, problem.UploadIncomplete, problem.PreconditionFailed},
		handle:  completeUpload,
	}, {
		id: "abortUpload", method: http.MethodDelete, path: "/uploads/{id}",
		summary: "Drop an upload and what has arrived of it.",
		about:   "It needs the verb write. An upload that is not there any more is no error.",
		answers: []answer{{status: http.StatusNoContent, about: "It is gone."}},
		errors:  []problem.Kind{problem.NotFound},
		handle:  abortUpload,
	}}
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
	if u.Upload, err = c.api.Store.Create(c.lasting(), k, upload.Options{Type: cmp.Or(asked.Type, mediatype.OrUnknown(k)), Digests: asked.Digests}); err != nil {
		return err
	}
	c.audit("upload.create", k, "", slog.String("upload", u.ID))
	id := u.token(c.api.Sealer)
	c.w.Header().Set("Location", Path+"/uploads/"+id)
	return c.answer(http.StatusCreated, u.describe(id))
}

func abortUpload(c *call) error {
	u, err := c.upload()
	if err != nil {
		return err
	}
	if err := c.api.Store.Abort(c.lasting(), u.Upload); err != nil {
		return err
	}
	c.audit("upload.abort", u.Key, "", slog.String("upload", u.ID))
	return c.empty(http.StatusNoContent)
}
