package v1

import (
	"errors"
	"fmt"
	"net/http"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/web/problem"
)

// deleteRequest names the files to delete.
type deleteRequest struct {
	Keys []string `json:"keys" doc:"1 to 1,000 names. One that comes twice is deleted once, and answered twice."`
}

// deleted is what became of one of them.
type deleted struct {
	Key     string           `json:"key" doc:"The name, as it was given."`
	Version string           `json:"version,omitempty" doc:"The id of the version that is the deletion."`
	Undo    string           `json:"undo,omitempty" doc:"A POST to this path brings the file back."`
	Error   *problem.Details `json:"error,omitempty" doc:"Why it was not deleted; absent where the file is gone."`
}

func deleteOperations() []operation {
	return []operation{{
		id: "deleteFiles", method: http.MethodPost, path: "/batch/delete",
		summary: "Delete up to 1,000 files.",
		about: "It needs the verb delete on each. The answer has a line for each name, in the order of the request; what may not or cannot be deleted has an error in its line and hinders no other. " +
			"A file that is not there is deleted, too.",
		body:    deleteRequest{},
		answers: []answer{{status: http.StatusOK, about: "A line of JSON for each name.", body: deleted{}, media: linesType}},
		handle:  deleteFiles,
	}}
}

func deleteFiles(c *call) error {
	var asked deleteRequest
	if err := c.decode(&asked); err != nil {
		return err
	}
	if len(asked.Keys) == 0 || len(asked.Keys) > object.MaxPage {
		return wrong("keys", fmt.Sprintf("there are %d: name 1 to %d files", len(asked.Keys), object.MaxPage))
	}
	results := make([]deleted, len(asked.Keys))
	var keys []object.Key
	at := map[object.Key][]int{}
	for i, name := range asked.Keys {
		results[i].Key = name
		k, err := c.named(fmt.Sprintf("keys[%d]", i), name, auth.Delete)
		if err != nil {
			results[i].fail(err)
			continue
		}
		if at[k] == nil {
			keys = append(keys, k)
		}
		at[k] = append(at[k], i)
	}
	deletions, err := c.api.Store.DeleteMany(c.lasting(), keys)
	if err != nil {
		return err
	}
	var failed error
	for _, d := range deletions {
		if d.Err == nil {
			c.audit("file.delete", d.Key, d.Marker)
		} else if failed == nil {
			failed = d.Err
		}
		for _, i := range at[d.Key] {
			if d.Err != nil {
				results[i].fail(d.Err)
				continue
			}
			results[i].Version, results[i].Undo = d.Marker, undoAddress(d.Key, d.Marker)
		}
	}
	// The log gets the first of what the store refused: they tend to be alike.
	return errors.Join(answerLines(c, results), failed)
}

func (d *deleted) fail(err error) {
	details, _ := problem.Of(err)
	d.Error = &details
}
