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
	"strings"

	"cloudstorage/app/client/localname"
	"cloudstorage/app/object"
)

// UploadFile stores the file at name under key, as Upload does; "" stands for its
// base name.
func (c *Client) UploadFile(ctx context.Context, name string, key object.Key, progress Progress) (Result, error) {
	return c.sendFile(name, key, func(key object.Key, f *os.File, size int64) (Result, error) {
		return c.Upload(ctx, key, f, size, progress)
	})
}

// PutFile stores the file at name under key, as Put does; "" stands for its base
// name.
func (c *Client) PutFile(ctx context.Context, name string, key object.Key, o PutOptions, progress Progress) (Result, error) {
	return c.sendFile(name, key, func(key object.Key, f *os.File, size int64) (Result, error) {
		return c.Put(ctx, key, f, size, o, progress)
	})
}

func (c *Client) sendFile(name string, key object.Key, send func(object.Key, *os.File, int64) (Result, error)) (Result, error) {
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
	result, err := send(key, f, info.Size())
	result.Path = name
	return result, err
}

// DownloadFile fetches key into the folder dir, under the last segment of the
// key, as Download does, and replaces a file of that name. It writes to a hidden
// temporary file beside it (.name.*.part) and renames that when all of it has
// come, so there is never a half file under the real name; on a failure the
// temporary file is removed.
func (c *Client) DownloadFile(ctx context.Context, key object.Key, dir string, progress Progress) (Result, error) {
	if _, err := parseKey(key); err != nil {
		return Result{}, err
	}
	base, err := localName(key)
	if err != nil {
		return Result{}, err
	}
	return saveFile(dir, base, func(f *os.File) (Result, error) { return c.Download(ctx, key, f, progress) })
}

// GetFile fetches key, or one version of it ("" is the newest), into the folder
// dir, as DownloadFile does; base is its name there, "" the last segment of the
// key.
func (c *Client) GetFile(ctx context.Context, key object.Key, version, dir, base string, progress Progress) (Result, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Result{}, fileError(err, "cannot save %q: %s", filepath.Join(dir, base), cause(err))
	}
	defer root.Close()
	return c.GetInto(ctx, key, version, root, base, progress)
}

// GetInto is GetFile into a folder that is open: no link leads out of it.
func (c *Client) GetInto(ctx context.Context, key object.Key, version string, root *os.Root, base string, progress Progress) (Result, error) {
	if _, err := parseKey(key); err != nil {
		return Result{}, err
	}
	if base == "" {
		var err error
		if base, err = localName(key); err != nil {
			return Result{}, err
		}
	}
	return saveInto(root, base, func(f *os.File) (Result, error) { return c.Get(ctx, key, version, f, progress) })
}

func saveFile(dir, base string, fetch func(*os.File) (Result, error)) (_ Result, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Result{}, fileError(err, "cannot save %q: %s", filepath.Join(dir, base), cause(err))
	}
	defer root.Close()
	return saveInto(root, base, fetch)
}

func saveInto(root *os.Root, base string, fetch func(*os.File) (Result, error)) (_ Result, err error) {
	target := filepath.Join(root.Name(), base)
	if info, err := root.Lstat(base); err == nil && !info.Mode().IsRegular() && info.Mode()&fs.ModeSymlink == 0 {
		return Result{}, fileError(nil, "cannot save %q: something of that name is there which is no file; move it away", target)
	}
	if err := localname.New(root).Claim(base); err != nil {
		return Result{}, fileError(err, "cannot save %q: %s", target, err)
	}
	f, part, err := createPart(root, base)
	if err != nil {
		return Result{}, fileError(err, "cannot save %q: %s", target, cause(err))
	}
	defer func() {
		if err != nil {
			f.Close() // again, harmlessly, after a failed rename
			_ = root.Remove(part)
		}
	}()
	result, err := fetch(f)
	if err != nil {
		return Result{}, err
	}
	if err := f.Close(); err != nil {
		return Result{}, fileError(err, "cannot save %q: %s", target, cause(err))
	}
	if err := root.Rename(part, base); err != nil {
		return Result{}, fileError(err, "cannot save %q: %s", target, cause(err))
	}
	result.Path = target
	return result, nil
}

// localName is the file name for a key: its last segment, where that names a
// file right in a folder on this system.
func localName(key object.Key) (string, error) {
	_, base := path.Split(string(key))
	if localname.Check(base) != nil {
		return "", fileError(nil, "cannot save %q: its last segment is no file name on this system", key)
	}
	return base, nil
}

// maxNameBytes is the longest file name that all common file systems take.
const maxNameBytes = 255

// createPart creates the temporary file. Unlike os.CreateTemp it gives the file
// the usual permissions, since it becomes the real one.
func createPart(dir *os.Root, base string) (f *os.File, name string, err error) {
	suffix := "." + rand.Text()[:8] + ".part"
	if limit := maxNameBytes - 1 - len(suffix); len(base) > limit {
		base = strings.ToValidUTF8(base[:limit], "")
	}
	name = "." + base + suffix
	f, err = dir.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	return f, name, err
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
