package v1

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/object/history"
	"cloudstorage/app/web/problem"
)

// fileVersion describes one state that a file was in.
type fileVersion struct {
	Key      object.Key `json:"key" doc:"The file's name."`
	Size     int64      `json:"size" doc:"Bytes; 0 for a deletion."`
	ETag     string     `json:"etag,omitempty" doc:"Changes with the content; in quotes, as HTTP writes it. Absent for a deletion."`
	Modified time.Time  `json:"modified" doc:"When it was written or deleted, in UTC."`
	Version  string     `json:"version" doc:"The id of this version."`
	Newest   bool       `json:"newest" doc:"It is what is there now."`
	Deleted  bool       `json:"deleted" doc:"It is a deletion: from then on the file was not there."`
}

// versionList is a page of a file's versions.
type versionList struct {
	Versions []fileVersion `json:"versions" doc:"The newest first."`
	Next     string        `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent on the last one."`
}

func versionOperations() []operation {
	return []operation{{
		id: "listVersions", method: http.MethodGet, path: "/versions/{key...}",
		summary: "List a file's versions, the newest first.",
		about:   "Deletions are among them. It needs the verb read, since whoever may read a file may read its versions. A page may have fewer items than limit asks for: only an absent next_cursor is the end.",
		query: []param{
			{name: "limit", about: "At most this many versions; 1,000 where it is not given.", kind: integer, low: 1, high: object.MaxPage},
			{name: "cursor", about: "The next_cursor of the page before."},
		},
		answers: []answer{{status: http.StatusOK, about: "A page.", body: versionList{}, headers: []field{{"Link", "The next page, with rel=\"next\"."}}}},
		errors:  []problem.Kind{problem.NotFound},
		handle:  listVersions,
	}, {
		id: "restoreVersion", method: http.MethodPost, path: "/versions/{key...}",
		summary: "Make an old version of a file the newest, or undo the newest.",
		about: "The old content is copied forward, so that what was there last stays a version, too. It needs the verbs read and write. " +
			"Give version or before, not both. before is an undo, and refuses (412) where the version is not the newest any more: it never hides what somebody wrote since.",
		query: []param{
			{name: "version", about: "Restore this version, whatever is there now."},
			{name: "before", about: "Restore the newest content that is older than this version (an overwrite or a deletion), which must be the newest one.", example: "3HL4kqtJlcpXrof3vjVBH40Nrxf6wQ2l"},
		},
		answers: []answer{{status: http.StatusOK, about: "The file as it is now, with the id of its new version.", body: fileInfo{}, headers: writtenFields()}},
		errors:  []problem.Kind{problem.NotFound, problem.Conflict, problem.PreconditionFailed},
		handle:  restoreVersion,
	}}
}

func listVersions(c *call) error {
	k, err := c.key(auth.Read)
	if err != nil {
		return err
	}
	cursor, err := c.resume(string(k))
	if err != nil {
		return err
	}
	page, err := c.api.Store.Versions(c.r.Context(), k, history.VersionsOptions{Limit: int(c.query.number("limit")), Cursor: cursor})
	if err != nil {
		return err
	}
	if len(page.Items) == 0 && cursor == "" && page.Next == "" {
		return problem.New(problem.NotFound, "there is no such file, and no version of it is left")
	}
	list := versionList{Versions: make([]fileVersion, 0, len(page.Items))}
	for _, v := range page.Items {
		list.Versions = append(list.Versions, fileVersion{v.Key, v.Size, v.ETag, v.Modified.UTC(), v.Version, v.Newest, v.Deleted})
	}
	if list.Next, err = c.cursor(page.Next, string(k)); err != nil {
		return err
	}
	c.linkNext(list.Next)
	return c.answer(http.StatusOK, list)
}

func restoreVersion(c *call) error {
	k, err := c.key(auth.Write)
	if err != nil {
		return err
	}
	if err := c.caller.May(auth.Read, string(k)); err != nil {
		return err
	}
	from := history.CopyOptions{Version: c.query.text("version")}
	before := c.query.text("before")
	if (from.Version == "") == (before == "") {
		return problem.New(problem.InvalidRequest, "give either version, to restore it, or before, to undo it")
	}
	if before != "" {
		if from, err = c.undo(k, before); err != nil {
			return err
		}
	}
	info, err := c.api.Store.Copy(c.lasting(), k, k, from)
	if err != nil {
		return err
	}
	c.audit("version.restore", k, info.Version, slog.String("from", from.Version))
	return c.answerFile(http.StatusOK, info)
}

// undo finds what to copy to undo the newest version: the newest content before
// it. Deletions in between are passed over: who deletes twice wants the file
// back, not the first deletion.
func (c *call) undo(k object.Key, newest string) (history.CopyOptions, error) {
	var copying history.CopyOptions
	for o := (history.VersionsOptions{}); ; {
		page, err := c.api.Store.Versions(c.r.Context(), k, o)
		if err != nil {
			return copying, err
		}
		for _, v := range page.Items {
			switch {
			case v.Newest && v.Version != newest:
				return copying, problem.New(problem.PreconditionFailed, fmt.Sprintf("the version %q is not the newest (%q is): list the versions, and restore the one that you mean by ?version=", newest, v.Version))
			case v.Newest:
				// Who writes after this was listed is not overwritten. An
				// overwrite can be undone without such a guard only.
				copying.IfNew = v.Deleted
			case !v.Deleted:
				copying.Version = v.Version
				return copying, nil
			}
		}
		if o.Cursor = page.Next; o.Cursor == "" {
			return copying, problem.New(problem.NotFound, "no older content of this file is left")
		}
	}
}

// answerFile describes what was written. A copy in parts does not tell when that
// was.
func (c *call) answerFile(status int, info object.Info) error {
	if info.Modified.IsZero() {
		stat, err := c.api.Store.Stat(c.r.Context(), info.Key, info.Version)
		if err != nil {
			return err
		}
		info = stat
	}
	c.tellWritten(info)
	return c.answer(status, describe(info))
}
