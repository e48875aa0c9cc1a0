package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"cloudstorage/app/client"
	"cloudstorage/app/client/transfer"
	"cloudstorage/app/object"
)

// standardStream stands for standard input, or output.
const standardStream = "-"

// sending is what put was told.
type sending struct {
	to        string
	recursive bool
	how       client.PutOptions
	speed     speed
}

func (p program) put(o *options) *cobra.Command {
	var s sending
	cmd := &cobra.Command{
		Use:   "put file...",
		Short: "Send files, folders or standard input to the bucket",
		Long: `Send files to the bucket, under their own names without their folders, or into a
folder of the bucket (--to photos/). --recursive sends what is below folders, under
the folder's name. A file of that name is replaced, and stays as an older version,
unless --if-new.

A large file goes in parts, several at once. Who is interrupted says the same again:
the parts that have arrived are not sent twice. The storage checks every byte.

With - standard input is sent as it comes, to the name that --to gives: up to 10,000
parts of 8 MiB, or of --part-size. What was read is gone, so this starts over when it
is interrupted.`,
		Example: `  storagectl put report.pdf
  storagectl put report.pdf --to 2026/march.pdf --if-new
  storagectl put *.pdf --to 2026/
  storagectl put --recursive photos
  tar cz photos | storagectl put - --to backup/photos.tar.gz --type application/gzip`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.sendAll(cmd.Context(), o, args, s)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&s.to, "to", "", "the name in the bucket, or the folder (photos/)")
	flags.BoolVarP(&s.recursive, "recursive", "r", false, "send what is below the folders that are named")
	flags.StringVar(&s.how.Type, "type", "", "the media type; what the name's ending suggests unless given")
	flags.BoolVar(&s.how.IfNew, "if-new", false, "replace no file")
	s.speed.flags(cmd)
	return cmd
}

func (p program) sendAll(ctx context.Context, o *options, args []string, s sending) error {
	one := len(args) == 1 && !s.recursive
	into := s.to == "" || strings.HasSuffix(s.to, "/")
	switch {
	case !one && !into:
		return usagef("many files go into a folder: --to %s/", s.to)
	case !one && slices.Contains(args, standardStream), one && args[0] == standardStream && into:
		return usagef("what is standard input called in the bucket? Send it alone, and say --to")
	}
	if one {
		name := s.to
		if into {
			name += filepath.Base(args[0])
		}
		if _, err := parseKey(name); err != nil {
			return err
		}
	}
	how, err := s.speed.options()
	if err != nil {
		return err
	}
	c, err := p.client(o)
	if err != nil {
		return err
	}
	defer c.Close()
	how.State = p.statePath()
	label := filepath.Base(args[0])
	if !one {
		label = "" // how many there are
	}
	m := p.moving(ctx, o, c, "Sent", one, label)
	how.Progress = m.shown.moved
	if args[0] == standardStream {
		s.stream(m, transfer.New(c, how))
		return m.finish()
	}
	files := s.files(args, into, m.fail)
	transfer.New(c, how).Upload(m.ctx, files, func(got transfer.Outcome) {
		older := func(ctx context.Context) (client.Result, error) { return c.PutFile(ctx, got.Path, got.Key, s.how, nil) }
		m.outcome(got, older, "Sent %[2]s as %[1]s")
	})
	return m.finish()
}

// stream sends standard input. A server without /v1 takes no parts, so it is kept
// in a temporary file first.
func (s sending) stream(m *moving, t *transfer.Transfers) {
	f := transfer.File{Key: object.Key(s.to), Type: s.how.Type, IfNew: s.how.IfNew}
	got := transfer.Outcome{Key: f.Key}
	// What is read is gone, so the server is asked before.
	if _, got.Err = m.c.SignReads(m.ctx, []client.ReadTerms{{Key: f.Key}}); !errors.Is(got.Err, client.ErrOlderServer) {
		in := until(m.ctx, m.p.stdin)
		defer in.Close()
		got, got.Err = t.UploadFrom(m.ctx, f, in)
	}
	got.Path = standardStream
	m.outcome(got, func(ctx context.Context) (client.Result, error) {
		spool, err := spooled(ctx, m.p.stdin)
		if err != nil {
			return client.Result{}, fmt.Errorf("keep standard input: %w", err)
		}
		defer os.Remove(spool)
		r, err := m.c.PutFile(ctx, spool, f.Key, s.how, nil)
		r.Path = standardStream
		return r, err
	}, "Sent %[2]s as %[1]s")
}

// until reads r until ctx ends, even while r waits for somebody to type: that read
// ends with the process.
func until(ctx context.Context, r io.Reader) io.ReadCloser {
	out, in := io.Pipe()
	stop := context.AfterFunc(ctx, func() { out.CloseWithError(context.Cause(ctx)) })
	go func() {
		_, err := io.Copy(in, r)
		in.CloseWithError(err)
		stop()
	}()
	return out
}

// files finds the files to send, and fails those that cannot be.
func (s sending) files(args []string, into bool, fail func(object.Key, error)) iter.Seq[transfer.File] {
	return func(yield func(transfer.File) bool) {
		send := func(path, name string) bool {
			key, err := parseKey(name)
			if err != nil {
				fail("", &client.Error{Code: object.CodeInvalid, Message: fmt.Sprintf("%s: %s", path, err), Err: err})
				return true
			}
			return yield(transfer.File{Key: key, Path: path, Type: s.how.Type, IfNew: s.how.IfNew})
		}
		for _, arg := range args {
			name := s.to
			if into {
				name += filepath.Base(arg)
			}
			info, err := os.Stat(arg)
			more := true
			switch {
			case err == nil && info.IsDir() && s.recursive:
				more = s.below(arg, send, fail)
			case err == nil && info.IsDir():
				fail("", &client.Error{Code: object.CodeInvalid, Message: fmt.Sprintf("%q is a directory: say --recursive", arg)})
			default: // the transfer says what is wrong with it
				more = send(arg, name)
			}
			if !more {
				return
			}
		}
	}
}

// below finds what is below a folder. Links to files are sent as files; links to
// folders are not entered, so that none is sent twice or for ever.
func (s sending) below(dir string, send func(path, name string) bool, fail func(object.Key, error)) (more bool) {
	prefix := s.to
	if base := filepath.Base(filepath.Clean(dir)); base != "." && base != ".." && base != string(filepath.Separator) {
		prefix += base + "/"
	}
	more = true
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			fail("", fileError(err))
			return nil
		}
		if entry.IsDir() {
			return nil
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			fail("", fileError(err))
			return nil
		}
		if more = send(path, prefix+filepath.ToSlash(rel)); !more {
			return fs.SkipAll
		}
		return nil
	})
	return more
}

// fileError is an error of one file here.
func fileError(err error) error {
	code := object.CodeInternal
	if errors.Is(err, fs.ErrNotExist) {
		code = object.CodeNotFound
	}
	return &client.Error{Code: code, Message: err.Error(), Err: err}
}

// spooled keeps what r has in a temporary file, which the caller removes.
func spooled(ctx context.Context, r io.Reader) (name string, err error) {
	f, err := os.CreateTemp("", "storagectl-*")
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	in := until(ctx, r)
	defer in.Close()
	_, err = io.Copy(f, in)
	if closing := f.Close(); err == nil {
		err = closing
	}
	return f.Name(), err
}
