package mirror

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"
)

// tree lists the files below a folder here. Of what it cannot list it says why
// to fail, and goes on.
type tree struct {
	root   *os.Root
	filter Filter
	source bool // what its links lead to counts, in place of themselves
	fail   func(name string, err error)
}

// items lists in the order of the names' bytes. It holds the names of one folder
// at a time, and of those that it is in.
func (t tree) items() iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		t.folder(t.root, "", func(i Item) bool { return yield(i, nil) })
	}
}

func (t tree) folder(dir *os.Root, prefix string, yield func(Item) bool) (more bool) {
	names, err := entries(dir)
	if err != nil {
		t.fail(strings.TrimSuffix(prefix, "/"), err)
	}
	for _, name := range names {
		if base, isFolder := strings.CutSuffix(name, "/"); isFolder {
			if !t.filter.Enter(prefix + base) {
				continue
			}
			below, err := dir.OpenRoot(base)
			if err != nil {
				t.fail(prefix+base, err)
				continue
			}
			more = t.folder(below, prefix+name, yield)
			below.Close()
			if !more {
				return false
			}
			continue
		}
		if hidden(name) || !t.filter.Match(prefix+name) {
			continue
		}
		item, err := t.item(dir, prefix, name)
		if err != nil {
			t.fail(prefix+name, err)
			continue
		}
		if item.Name != "" && !yield(item) {
			return false
		}
	}
	return true
}

// entries returns a folder's names in the order that what is below them has: a
// folder's name ends in a slash.
func entries(dir *os.Root) ([]string, error) {
	f, err := dir.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var names []string
	for {
		some, err := f.ReadDir(1024)
		for _, e := range some {
			name := e.Name()
			if e.IsDir() {
				name += "/"
			}
			names = append(names, name)
		}
		if err != nil {
			slices.Sort(names)
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return names, err
		}
	}
}

// hidden says whether a name is that of a download that has not ended.
func hidden(base string) bool {
	return strings.HasPrefix(base, ".") && (strings.HasSuffix(base, ".part") || strings.HasSuffix(base, ".part.journal"))
}

// cause is err without the path.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// errOther is the cause where something is neither a file nor a folder.
var errOther = errors.New("it is neither a file nor a folder")

// item describes what is no folder. One without a name does not count.
func (t tree) item(dir *os.Root, prefix, name string) (Item, error) {
	info, err := dir.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return Item{}, nil // it is gone
	}
	if err != nil {
		return Item{}, err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		// From the top, since a link may lead out of its folder but not of the tree.
		to, err := t.root.Stat(prefix + name)
		switch {
		case err == nil && to.IsDir():
			return Item{}, nil
		case !t.source: // a link is not the file that it leads to
			return Item{Name: prefix + name, Size: notFile}, nil
		case err != nil:
			return Item{}, fmt.Errorf("the link leads nowhere or out of the folder: %w", cause(err))
		}
		info = to
	}
	if !info.Mode().IsRegular() {
		if !t.source {
			return Item{}, nil
		}
		return Item{}, errOther
	}
	return Item{Name: prefix + name, Size: info.Size(), Modified: info.ModTime()}, nil
}
