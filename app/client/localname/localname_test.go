package localname

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

func TestWhatLeadsOutOfAFolderIsNoName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", ".", "..", "/", "/etc/passwd", "../x", "a/../../x", "a/..", "a//b", "a/", "/a", "./a", "a/./b"} {
		if !errors.Is(Check(name), ErrName) {
			t.Errorf("%q is taken for a name", name)
		}
	}
	for _, name := range []string{"a", "a b", "...", ".hidden", "a/b/c", "ü/日本語", "..a", "-dash", "~"} {
		if err := Check(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// disk is a file system in memory that takes names of the same fold for one,
// where it folds.
type disk struct {
	folding bool
	names   map[string][]string // by folder
	asked   atomic.Int32
}

func (d *disk) folds() (bool, error) { d.asked.Add(1); return d.folding, nil }

func (d *disk) exists(name string) bool {
	for dir, names := range d.names {
		for _, n := range names {
			full := n
			if dir != "." {
				full = dir + "/" + n
			}
			if full == name || d.folding && fold(full) == fold(name) {
				return true
			}
		}
	}
	return false
}

func (d *disk) entries(dir string) ([]string, error) { return d.names[dir], nil }

func TestTwoNamesThatAFileSystemTakesForOneAreToldApart(t *testing.T) {
	t.Parallel()
	there := map[string][]string{".": {"Report.pdf", "photos", "caf\u00e9"}, "photos": {"A.jpg"}}
	for _, tt := range []struct {
		claims   []string
		collides string // with the last one; "" is with none
	}{
		{[]string{"new"}, ""},
		{[]string{"Report.pdf"}, ""}, // a new version of it
		{[]string{"report.pdf"}, "Report.pdf"},
		{[]string{"cafe\u0301"}, "caf\u00e9"},
		{[]string{"CAFE\u0301"}, "caf\u00e9"},
		{[]string{"photos/A.jpg"}, ""},
		{[]string{"photos/a.jpg"}, "photos/A.jpg"},
		{[]string{"Photos/A.jpg"}, "photos"},
		{[]string{"new", "NEW"}, "new"},
		{[]string{"n/e", "N/e"}, "n/e"},
		{[]string{"\u00fc", "u\u0308"}, "\u00fc"},
	} {
		for _, folding := range []bool{true, false} {
			f := newFolder(&disk{folding: folding, names: there})
			var err error
			for _, name := range tt.claims {
				err = f.Claim(name)
			}
			var collision *CollisionError
			switch {
			case !folding || tt.collides == "":
				if err != nil {
					t.Errorf("%q (folding: %v): %v", tt.claims, folding, err)
				}
			case !errors.As(err, &collision) || collision.Other != tt.collides:
				t.Errorf("%q: %v, want a collision with %q", tt.claims, err, tt.collides)
			}
		}
	}
}

func TestANameIsGivenAwayOnce(t *testing.T) {
	t.Parallel()
	for _, folding := range []bool{true, false} {
		f := newFolder(&disk{folding: folding, names: map[string][]string{".": {"old"}}})
		if err := f.Claim("Else"); err != nil {
			t.Error(err)
		}
		for _, name := range []string{"new", "old"} {
			var collision *CollisionError
			if first, second := f.Claim(name), f.Claim(name); first != nil || !errors.As(second, &collision) || collision.Other != name {
				t.Errorf("%s: %v, then %v", name, first, second)
			}
		}
		if first, second := f.Claim("ELSE"), f.Claim("ELSE"); (first == nil) == folding || second == nil {
			t.Errorf("folding: %v: %v, then %v", folding, first, second)
		}
	}
}

func TestTheFileSystemIsAskedOnceAndOnlyWhereItMatters(t *testing.T) {
	t.Parallel()
	d := &disk{names: map[string][]string{".": {"old0", "old1", "old2", "old3"}}}
	f := newFolder(d)
	for i := range 100 {
		if err := f.Claim(fmt.Sprintf("new%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if d.asked.Load() != 0 {
		t.Errorf("asked %d times for new names", d.asked.Load())
	}
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			if err := f.Claim(fmt.Sprintf("old%d", i)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if folds, err := f.Folds(); folds || err != nil {
		t.Errorf("folds: %t, %v", folds, err)
	}
	if d.asked.Load() != 1 {
		t.Errorf("asked %d times, want once", d.asked.Load())
	}
}

func TestARealFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := os.MkdirAll(filepath.Join(dir, "photos"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Report.pdf", "photos/A.jpg"} {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err = os.Lstat(filepath.Join(dir, "rEPORT.PDF"))
	folds := err == nil
	if got, err := New(root).Folds(); got != folds || err != nil {
		t.Errorf("the file system folds: %t, %v; want %t", got, err, folds)
	}
	for name, collides := range map[string]bool{"Report.pdf": false, "report.PDF": folds, "photos/A.jpg": false, "photos/a.jpg": folds, "new/b": false} {
		err := New(root).Claim(name)
		var collision *CollisionError
		if errors.As(err, &collision) != collides || err != nil && !collides {
			t.Errorf("%s: %v; the file system folds: %v", name, err, folds)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
	if err := New(root).Claim("../x"); !errors.Is(err, ErrName) {
		t.Errorf("%v, want the name refused", err)
	}
}
