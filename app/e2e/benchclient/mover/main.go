// Command mover is package transfer as a program and nothing else, so that what
// is measured is the moving of files.
//
//	mover ADDRESS up   FILE|FOLDER KEY|PREFIX/
//	mover ADDRESS down KEY|PREFIX/ FOLDER
//	mover ADDRESS list PREFIX/
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"cloudstorage/app/client"
	"cloudstorage/app/client/transfer"
	"cloudstorage/app/object"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mover:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) < 3 {
		return errors.New("usage: mover ADDRESS up|down|list FROM [TO]")
	}
	c, err := client.New(args[0])
	if err != nil {
		return err
	}
	defer c.Close()
	if args[1] == "list" {
		return list(ctx, c, args[2])
	}
	if len(args) != 4 {
		return errors.New("name where to")
	}
	from, to := args[2], args[3]
	x := transfer.New(c, transfer.Options{})
	var failed []error
	done := func(o transfer.Outcome) {
		switch {
		case o.Err != nil:
			failed = append(failed, o.Err)
		case !o.Verified:
			failed = append(failed, fmt.Errorf("%s was not verified", o.Key))
		}
	}
	if args[1] == "up" {
		x.Upload(ctx, local(from, to), done)
		return errors.Join(failed...)
	}
	dir, err := os.OpenRoot(to)
	if err != nil {
		return err
	}
	defer dir.Close()
	var listing error
	x.Download(ctx, remote(ctx, c, from, dir, &listing), done)
	return errors.Join(append(failed, listing)...)
}

func list(ctx context.Context, c *client.Client, prefix string) error {
	out := bufio.NewWriter(os.Stdout)
	for e, err := range c.Files(ctx, client.FilesOptions{Prefix: prefix}) {
		if err != nil {
			return err
		}
		fmt.Fprintln(out, e.Modified.Format("2006/01/02 15:04:05"), e.Size, e.Key)
	}
	return out.Flush()
}

func local(from, to string) iter.Seq[transfer.File] {
	return func(yield func(transfer.File) bool) {
		if !strings.HasSuffix(to, "/") {
			yield(transfer.File{Key: object.Key(to), Path: from})
			return
		}
		// What cannot be walked is missed when it is downloaded.
		_ = filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			if !yield(transfer.File{Key: object.Key(to + filepath.ToSlash(path[len(from)+1:])), Path: path}) {
				return fs.SkipAll
			}
			return nil
		})
	}
}

func remote(ctx context.Context, c *client.Client, from string, dir *os.Root, failed *error) iter.Seq[transfer.Remote] {
	return func(yield func(transfer.Remote) bool) {
		if !strings.HasSuffix(from, "/") {
			yield(transfer.Remote{Key: object.Key(from), Size: client.UnknownSize, Dir: dir, Name: from[strings.LastIndexByte(from, '/')+1:]})
			return
		}
		for e, err := range c.Files(ctx, client.FilesOptions{Prefix: from}) {
			if err != nil {
				*failed = err
				return
			}
			if !yield(transfer.Remote{Key: e.Key, Size: e.Size, Dir: dir, Name: strings.TrimPrefix(string(e.Key), from)}) {
				return
			}
		}
	}
}
