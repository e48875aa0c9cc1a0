package transfer

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"cloudstorage/app/object"
	"cloudstorage/app/object/upload"
)

// uploadJournal is what is needed to go on with an interrupted upload. It is
// good for one file, as it was, on its way to one key of one API.
type uploadJournal struct {
	path string

	API      string     `json:"api"`
	Key      object.Key `json:"key"`
	File     string     `json:"file"`
	Size     int64      `json:"size"`
	Modified time.Time  `json:"modified"`

	ID   string `json:"id"`             // of the upload
	Part int64  `json:"part_size"`      // bytes
	ETag string `json:"etag,omitempty"` // that the file gets, when all of it has arrived
}

// uploadJournal returns the journal of s, with an ID where an earlier try left
// one for the same file. stale is the upload of a file that has changed since.
func (t *Transfers) uploadJournal(s *sending) (j *uploadJournal, stale string) {
	file := absolute(s.Path)
	j = &uploadJournal{API: t.client.Address(), Key: s.Key, File: file, Size: s.info.Size(), Modified: s.info.ModTime().UTC()}
	if t.o.State == "" {
		return j, ""
	}
	sum := sha256.Sum256([]byte(j.API + "\x00" + string(j.Key) + "\x00" + file))
	j.path = filepath.Join(t.o.State, hex.EncodeToString(sum[:16])+".upload")
	text, err := os.ReadFile(j.path)
	var was uploadJournal
	if err != nil || json.Unmarshal(text, &was) != nil {
		return j, "" // none, or one that was cut: what it began, the bucket's lifecycle ends
	}
	if was.API != j.API || was.Key != j.Key || was.File != j.File || was.Size != j.Size || !was.Modified.Equal(j.Modified) {
		return j, was.ID
	}
	if plan, err := upload.NewPlan(was.Size, was.Part); err != nil || plan.Part != was.Part {
		return j, was.ID // it is not as it was written
	}
	was.path = j.path
	return &was, ""
}

// save replaces the journal as a whole.
func (j *uploadJournal) save() error {
	if j.path == "" {
		return nil
	}
	text, err := json.Marshal(j)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(j.path), 0o700)
	}
	mine := j.path + "." + rand.Text()[:8] // another process may be about to do the same
	if err == nil {
		err = os.WriteFile(mine, text, 0o600)
	}
	if err == nil {
		err = os.Rename(mine, j.path)
	}
	if err != nil {
		return fail(object.CodeInternal, fmt.Sprintf("cannot note how far the upload is: %s", err), err)
	}
	return nil
}

// forget removes the journal.
func (j *uploadJournal) forget() {
	if j.path != "" {
		_ = os.Remove(j.path) // one that stays leads to an upload that is not there any more
	}
}
