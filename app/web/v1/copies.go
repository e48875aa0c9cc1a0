package v1

import (
	"cmp"
	"log/slog"
	"net/http"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/object/history"
	"cloudstorage/app/web/problem"
)

// copyRequest says what to copy.
type copyRequest struct {
	From    string `json:"from" doc:"The file to copy."`
	To      string `json:"to" doc:"What the copy is called."`
	Version string `json:"version,omitempty" doc:"Copy this version; the newest where it is not given."`
	IfNew   bool   `json:"if_new,omitempty" doc:"Refuse (412) where there is a file called to."`
	IfMatch string `json:"if_match,omitempty" doc:"Refuse (412) where from has another ETag."`
}

// moveRequest says what to move.
type moveRequest struct {
	From    string `json:"from" doc:"The file to move."`
	To      string `json:"to" doc:"What it is called then."`
	IfNew   bool   `json:"if_new,omitempty" doc:"Refuse (412) where there is a file called to."`
	IfMatch string `json:"if_match,omitempty" doc:"Refuse (412) where from has another ETag."`
}

func copyOperations() []operation {
	written := append(writtenFields(), field{"Location", "The file's path."})
	return []operation{{
		id: "copyFile", method: http.MethodPost, path: "/copies",
		summary: "Copy a file, of any size, without moving its bytes through the API.",
		about: "It needs the verb read on from and write on to. What was called to before stays a version of it. " +
			"A large copy may take longer than a balancer waits, and goes on: HEAD of to tells when it is there.",
		body:    copyRequest{},
		answers: []answer{{status: http.StatusCreated, about: "The copy.", body: fileInfo{}, headers: written}},
		errors:  []problem.Kind{problem.NotFound, problem.Conflict, problem.PreconditionFailed},
		handle:  copyFile,
	}, {
		id: "moveFile", method: http.MethodPost, path: "/moves",
		summary: "Move a file: copy it, then delete it where it was.",
		about: "It needs the verbs read and delete on from and write on to. Nothing is ever lost: where from cannot be deleted, or was written during the copy, the answer says so and the copy stays. " +
			"The Link with rel=\"urn:cloudstorage:undo\" brings from back and leaves the copy.",
		body:    moveRequest{},
		answers: []answer{{status: http.StatusCreated, about: "The file where it is now.", body: fileInfo{}, headers: append(written, field{"Link", "A POST to it brings from back, with rel=\"urn:cloudstorage:undo\"."})}},
		errors:  []problem.Kind{problem.NotFound, problem.Conflict, problem.PreconditionFailed},
		handle:  moveFile,
	}}
}

func copyFile(c *call) error {
	var asked copyRequest
	if err := c.decode(&asked); err != nil {
		return err
	}
	from, to, err := c.pair(asked.From, asked.To, asked.IfMatch, auth.Read)
	if err != nil {
		return err
	}
	info, err := c.copy(from, to, history.CopyOptions{Version: asked.Version, IfMatch: asked.IfMatch, IfNew: asked.IfNew})
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", fileAddress(to))
	return c.answerFile(http.StatusCreated, info)
}

// pair returns two different files: one that the caller may do verbs to, and one
// that it may write.
func (c *call) pair(fromName, toName, ifMatch string, verbs ...auth.Verb) (from, to object.Key, err error) {
	if from, err = c.named("from", fromName, verbs...); err != nil {
		return "", "", err
	}
	if to, err = c.named("to", toName, auth.Write); err != nil {
		return "", "", err
	}
	if from == to {
		return "", "", wrong("to", "it is the same file: POST /v1/versions/<key>?version=<id> restores an old version of it")
	}
	return from, to, entityTag("if_match", ifMatch)
}

func (c *call) copy(from, to object.Key, o history.CopyOptions) (object.Info, error) {
	if o.IfNew {
		// S3 decides it in the copy itself. Not everything that speaks S3 does.
		_, err := c.api.Store.Stat(c.r.Context(), to, "")
		if err == nil {
			return object.Info{}, problem.New(problem.PreconditionFailed, "to: there is a file of that name")
		}
		if object.CodeOf(err) != object.CodeNotFound {
			return object.Info{}, err
		}
	}
	info, err := c.api.Store.Copy(c.lasting(), from, to, o)
	if err == nil {
		c.audit("file.copy", to, info.Version, slog.String("from", string(from)))
	}
	return info, err
}

func moveFile(c *call) error {
	var asked moveRequest
	if err := c.decode(&asked); err != nil {
		return err
	}
	from, to, err := c.pair(asked.From, asked.To, asked.IfMatch, auth.Read, auth.Delete)
	if err != nil {
		return err
	}
	source, err := c.api.Store.Stat(c.r.Context(), from, "")
	if err != nil {
		return err
	}
	info, err := c.copy(from, to, history.CopyOptions{IfMatch: cmp.Or(asked.IfMatch, source.ETag), IfNew: asked.IfNew})
	if err != nil {
		return err
	}
	marker, err := c.leave(source)
	if err != nil {
		d, _ := problem.Of(err)
		return &object.Error{Code: object.CodeOf(err), Op: "move", Key: from, Err: err,
			Message: "the copy is at " + fileAddress(to) + " and stays; the file was not deleted where it was: " + d.Detail}
	}
	c.audit("file.move", from, marker, slog.String("to", string(to)))
	c.linkUndo(from, marker)
	c.w.Header().Set("Location", fileAddress(to))
	return c.answerFile(http.StatusCreated, info)
}

// leave deletes a file that was copied, unless it was written since: a copy may
// take minutes.
func (c *call) leave(source object.Info) (marker string, err error) {
	now, err := c.api.Store.Stat(c.lasting(), source.Key, "")
	if err != nil {
		return "", err
	}
	if now.ETag != source.ETag || now.Version != source.Version {
		return "", &object.Error{Code: object.CodeConflict, Op: "move", Key: source.Key, Message: "it was written while it was copied"}
	}
	return c.api.Store.Delete(c.lasting(), source.Key)
}
