package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

// file is one that goes into an archive.
type file struct {
	name, path string
	mode       fs.FileMode // 0o644 unless given
}

// pack writes files into a folder of an archive, a zip or a tar.gz by its name.
// The same files make the same bytes: all are of one time and nobody's.
func pack(path, folder string, files []file, date time.Time) (err error) {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if closing := out.Close(); err == nil {
			err = closing
		}
	}()
	var add func(name string, mode fs.FileMode, content []byte) error
	var end []io.Closer
	if strings.HasSuffix(path, ".zip") {
		archive := zip.NewWriter(out)
		end = []io.Closer{archive}
		add = func(name string, mode fs.FileMode, content []byte) error {
			header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: date}
			header.SetMode(mode)
			w, err := archive.CreateHeader(header)
			if err != nil {
				return err
			}
			_, err = w.Write(content)
			return err
		}
	} else {
		compressed := gzip.NewWriter(out)
		archive := tar.NewWriter(compressed)
		end = []io.Closer{archive, compressed}
		add = func(name string, mode fs.FileMode, content []byte) error {
			if err := archive.WriteHeader(&tar.Header{Name: name, Mode: int64(mode), Size: int64(len(content)), ModTime: date, Format: tar.FormatPAX}); err != nil {
				return err
			}
			_, err := archive.Write(content)
			return err
		}
	}
	for _, f := range files {
		content, err := os.ReadFile(f.path)
		if err != nil {
			return err
		}
		mode := f.mode
		if mode == 0 {
			mode = 0o644
		}
		if err := add(folder+"/"+f.name, mode, content); err != nil {
			return fmt.Errorf("%s: add %s: %w", path, f.name, err)
		}
	}
	for _, c := range end {
		if err := c.Close(); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// unpack writes what an archive holds below a folder, which must be empty.
func unpack(path, dir string) error {
	root, err := os.OpenRoot(dir) // whatever the names say
	if err != nil {
		return err
	}
	defer root.Close()
	save := func(name string, mode fs.FileMode, content io.Reader) error {
		if i := strings.LastIndexByte(name, '/'); i > 0 {
			if err := root.MkdirAll(name[:i], 0o755); err != nil {
				return err
			}
		}
		f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, content)
		if closing := f.Close(); err == nil {
			err = closing
		}
		return err
	}
	if strings.HasSuffix(path, ".zip") {
		archive, err := zip.OpenReader(path)
		if err != nil {
			return err
		}
		defer archive.Close()
		for _, f := range archive.File {
			content, err := f.Open()
			if err != nil {
				return err
			}
			err = save(f.Name, f.Mode(), content)
			content.Close()
			if err != nil {
				return err
			}
		}
		return nil
	}
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	compressed, err := gzip.NewReader(in)
	if err != nil {
		return err
	}
	archive := tar.NewReader(compressed)
	for {
		header, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := save(header.Name, fs.FileMode(header.Mode), archive); err != nil {
			return err
		}
	}
}
