package client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"cloudstorage/app/object"
)

// UploadFile stores the file at name under key; "" stands for its base name.
func (c *Client) UploadFile(ctx context.Context, name string, key object.Key, progress Progress) (Result, error) {
	// Looked at before it is opened: opening a pipe waits for its writer.
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Result{}, fileError(err, "there is no file %q here to upload", name)
	case err != nil:
		return Result{}, fileError(err, "cannot upload %q: %s", name, cause(err))
	case info.IsDir():
		return Result{}, fileError(nil, "%q is a directory: upload its files one by one", name)
	case !info.Mode().IsRegular():
		return Result{}, fileError(nil, "%q is not a regular file, so its size is not known in advance", name)
	}
	if key == "" {
		key = object.Key(filepath.Base(name))
	}
	f, err := os.Open(name)
	if err != nil {
		return Result{}, fileError(err, "cannot upload %q: %s", name, cause(err))
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return Result{}, fileError(err, "cannot upload %q: %s", name, cause(err))
	}
	result, err := c.Upload(ctx, key, f, info.Size(), progress)
	result.Path = name
	return result, err
}

// DownloadFile fetches key into the folder dir, under the last segment of the
// key, and replaces a file of that name. It writes to a hidden temporary file
// beside it (.name.*.part) and renames that when all of it has come, so there
// is never a half file under the real name; on a failure the temporary file is
// removed.
func (c *Client) DownloadFile(ctx context.Context, key object.Key, dir string, progress Progress) (_ Result, err error) {
	if _, err := parseKey(key); err != nil {
		return Result{}, err
	}
	base, err := localName(key)
	if err != nil {
		return Result{}, err
	}
	target := filepath.Join(dir, base)
	if info, err := os.Lstat(target); err == nil && !info.Mode().IsRegular() && info.Mode()&fs.ModeSymlink == 0 {
		return Result{}, fileError(nil, "cannot save %q: something of that name is there which is no file; move it away", target)
	}
	f, err := createPart(dir, base)
	if err != nil {
		return Result{}, fileError(err, "cannot save %q: %s", target, cause(err))
	}
	defer func() {
		if err != nil {
			f.Close() // again, harmlessly, after a failed rename
			os.Remove(f.Name())
		}
	}()
	result, err := c.Download(ctx, key, f, progress)
	if err != nil {
		return Result{}, err
	}
	if err := f.Close(); err != nil {
		return Result{}, fileError(err, "cannot save %q: %s", target, cause(err))
	}
	if err := os.Rename(f.Name(), target); err != nil {
		return Result{}, fileError(err, "cannot save %q: %s", target, cause(err))
	}
	result.Path = target
	return result, nil
}

// localName is the file name for a key: its last segment, where that names a
// file right in a folder on this system.
func localName(key object.Key) (string, error) {
	_, base := path.Split(string(key))
	if base == "" || !filepath.IsLocal(base) || filepath.Base(base) != base {
		return "", fileError(nil, "cannot save %q: its last segment is no file name on this system", key)
	}
	return base, nil
}

// maxNameBytes is the longest file name that all common file systems take.
const maxNameBytes = 255

// createPart creates the temporary file. Unlike os.CreateTemp it gives the file
// the usual permissions, since it becomes the real one.
func createPart(dir, base string) (*os.File, error) {
	suffix := "." + rand.Text()[:8] + ".part"
	if limit := maxNameBytes - 1 - len(suffix); len(base) > limit {
		base = base[:limit]
	}
	return os.OpenFile(filepath.Join(dir, "."+base+suffix), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
}

func fileError(err error, format string, args ...any) error {
	code := object.CodeInvalid
	switch {
	case errors.Is(err, fs.ErrNotExist):
		code = object.CodeNotFound
	case err != nil:
		code = object.CodeInternal
	}
	return &Error{Code: code, Err: err, Message: fmt.Sprintf(format, args...)}
}

// cause is err without the path, which the sentence around it names.
func cause(err error) string {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err.Error()
	case errors.As(err, &l):
		return l.Err.Error()
	}
	return err.Error()
}
