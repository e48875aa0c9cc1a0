package mirror

import (
	"os"
	"path/filepath"

	"cloudstorage/app/object"
)

// Place is a folder here, or one in the storage.
type Place struct {
	Path   string // of the folder here; "" where it is in the storage
	Prefix string // that it is there, such as photos/; "" is everything

	dir *os.Root
}

// open opens a folder here; a target's that is not there is made, unless nothing
// may be changed.
func (p *Place) open(make bool) (err error) {
	if p.Path == "" {
		return nil
	}
	if make {
		if err := os.MkdirAll(p.Path, 0o777); err != nil {
			return err
		}
	}
	p.dir, err = os.OpenRoot(p.Path)
	return err
}

func (p Place) close() {
	if p.dir != nil {
		p.dir.Close()
	}
}

func (p Place) key(name string) object.Key { return object.Key(p.Prefix + name) }

func (p Place) path(name string) string {
	return filepath.Join(p.Path, filepath.FromSlash(name))
}
