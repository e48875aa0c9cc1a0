package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"cloudstorage/app/client"
)

// keptAfter is how long a link that has ended is listed.
const keptAfter = 30 * 24 * time.Hour

// linkNote is what is kept of a link that was made here, in a file of its own that
// nobody else may read. Without the token, nobody could revoke a link that got
// lost; one that is revoked is kept without it.
type linkNote struct {
	API     string    `json:"api"`
	ID      string    `json:"id"`
	Key     string    `json:"key"`
	Version string    `json:"version,omitempty"`
	Token   string    `json:"token,omitempty"`
	Expires time.Time `json:"expires_at"`
	Revoked time.Time `json:"revoked_at,omitzero"`
}

// linkNotes are those of one API.
type linkNotes struct{ dir, api string }

func (p program) linkNotes(c *client.Client) linkNotes {
	dir := p.statePath()
	if dir != "" {
		dir = filepath.Join(dir, "links")
	}
	return linkNotes{dir, c.Address()}
}

// linkID is what a link's ID looks like, which names a file here.
var linkID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

var errNoState = errors.New("there is no folder for it: neither HOME nor XDG_STATE_HOME is set")

// write keeps a note, as a whole or not at all.
func (n linkNotes) write(note linkNote) error {
	switch {
	case n.dir == "":
		return errNoState
	case !linkID.MatchString(note.ID):
		return errors.New("the link's ID is none")
	}
	text, err := json.Marshal(note)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(n.dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(n.dir, ".*.new") // only its owner may read it
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(n.dir, note.ID+".json"))
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// all returns the notes, that of the link which ends first at the beginning, and
// forgets links that have ended long ago. Whatever else is in the folder is let
// alone.
func (n linkNotes) all(now time.Time) ([]linkNote, error) {
	if n.dir == "" {
		return nil, errNoState
	}
	files, err := os.ReadDir(n.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var notes []linkNote
	for _, f := range files {
		id, isNote := strings.CutSuffix(f.Name(), ".json")
		if !isNote || !linkID.MatchString(id) {
			continue
		}
		path := filepath.Join(n.dir, f.Name())
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) { // forgotten meanwhile, by another run
			continue
		}
		if err != nil {
			return nil, err
		}
		var note linkNote
		switch {
		case json.Unmarshal(text, &note) != nil || note.ID != id:
		case now.Sub(note.Expires) > keptAfter:
			_ = os.Remove(path) // or the next time
		case note.API == n.api:
			notes = append(notes, note)
		}
	}
	slices.SortFunc(notes, func(a, b linkNote) int { return cmp.Or(a.Expires.Compare(b.Expires), cmp.Compare(a.ID, b.ID)) })
	return notes, nil
}

// find returns the note of a link that is named by its ID, its token or its URL.
func (n linkNotes) find(link string, now time.Time) (linkNote, bool) {
	notes, err := n.all(now)
	if err != nil {
		return linkNote{}, false
	}
	i := slices.IndexFunc(notes, func(note linkNote) bool {
		return note.ID == link || note.Token != "" && (note.Token == link || strings.HasSuffix(strings.TrimSuffix(link, "?inline=1"), "/"+note.Token))
	})
	if i < 0 {
		return linkNote{}, false
	}
	return notes[i], true
}
