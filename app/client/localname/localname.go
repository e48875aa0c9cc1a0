// Package localname decides what files of the storage are called on this machine,
// so that no name leads out of a folder and no two files become one.
package localname

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/unicode/norm"
)

// ErrName is the cause where a name can be no file's here.
var ErrName = errors.New("it is no file name on this system")

// CollisionError is the cause where two files have one name, or names that the
// file system takes for one.
type CollisionError struct{ Name, Other string }

func (e *CollisionError) Error() string {
	if e.Name == e.Other {
		return "another of these files has that name here"
	}
	return fmt.Sprintf("this file system takes it for %q, which is there already", e.Other)
}

// Check says whether name, with slashes between its folders, can be a file's
// below a folder: "..", an empty segment, an absolute path, a drive letter or a
// device's name of Windows cannot.
func Check(name string) error {
	for segment := range strings.SplitSeq(name, "/") {
		// Base knows the system's own separators.
		if segment == "" || segment == "." || !filepath.IsLocal(segment) || filepath.Base(segment) != segment {
			return ErrName
		}
	}
	return nil
}

// files is what a Folder asks the file system.
type files interface {
	folds() (bool, error)                 // whether it takes different names for one
	exists(name string) bool              // a file by any spelling of the name
	entries(dir string) ([]string, error) // as they are spelled
}

// Folder gives names in one folder away, each to one file. It is safe for
// concurrent use.
type Folder struct {
	files files

	mu      sync.Mutex
	given   map[string]bool   // names
	claimed map[string]string // the first of them, by what all spellings have in common
	folds   *bool             // nil until it matters
}

// New returns a Folder whose names are below root.
func New(root *os.Root) *Folder { return newFolder(onDisk{root}) }

func newFolder(f files) *Folder {
	return &Folder{files: f, given: map[string]bool{}, claimed: map[string]string{}}
}

// Claim takes a name that is about to be written, with slashes between its
// folders. It fails where Check does, and with a CollisionError where the name was
// claimed before, or where writing it would replace a file of another name: on a
// file system that takes upper and lower case for the same, or one form of Unicode
// for another.
func (f *Folder) Claim(name string) error {
	if err := Check(name); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.given[name] {
		return &CollisionError{name, name}
	}
	f.given[name] = true
	common := fold(name)
	other, claimed := f.claimed[common]
	if !claimed {
		f.claimed[common] = name
		if !f.files.exists(name) {
			return nil
		}
	}
	folds, err := f.ask()
	if err != nil {
		return err
	}
	switch {
	case !folds:
		return nil
	case claimed:
		return &CollisionError{name, other}
	}
	return f.spelled(name)
}

// Folds says whether the file system takes different names for one. It asks once,
// with a file that is gone afterwards.
func (f *Folder) Folds() (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ask()
}

func (f *Folder) ask() (bool, error) {
	if f.folds == nil {
		folds, err := f.files.folds()
		if err != nil {
			return false, fmt.Errorf("ask the file system whether it tells names apart: %w", err)
		}
		f.folds = &folds
	}
	return *f.folds, nil
}

// spelled fails where one of name's segments is there, but spelled otherwise.
func (f *Folder) spelled(name string) error {
	dir := "."
	for segment := range strings.SplitSeq(name, "/") {
		entries, err := f.files.entries(dir)
		if err != nil {
			return err
		}
		if !slices.Contains(entries, segment) {
			i := slices.IndexFunc(entries, func(e string) bool { return fold(e) == fold(segment) })
			if i < 0 {
				return nil
			}
			return &CollisionError{name, path.Join(dir, entries[i])}
		}
		dir = path.Join(dir, segment)
	}
	return nil
}

// fold returns what the spellings have in common that a file system may take for
// one name.
func fold(name string) string { return norm.NFC.String(strings.ToLower(norm.NFC.String(name))) }

type onDisk struct{ root *os.Root }

func (d onDisk) exists(name string) bool {
	_, err := d.root.Lstat(name)
	return err == nil
}

func (d onDisk) entries(dir string) ([]string, error) {
	entries, err := fs.ReadDir(d.root.FS(), dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

// folds tries it out, with a file that is gone afterwards. It has a letter in
// both forms of Unicode that file systems turn into each other.
func (d onDisk) folds() (bool, error) {
	tail := "." + rand.Text()[:8] + ".part"
	name := ".Caf\u00e9" + tail
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return false, err
	}
	f.Close()
	folds := d.exists(".caf\u00e9"+tail) || d.exists(".Cafe\u0301"+tail)
	return folds, d.root.Remove(name)
}
