package main

import (
	"context"
	"fmt"
	"iter"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"cloudstorage/app/client"
	"cloudstorage/app/client/transfer"
	"cloudstorage/app/object"
)

// copyResult is what cp and mv report of each file.
type copyResult struct {
	From    string `json:"from"`
	Key     string `json:"key"`  // the new name
	Size    int64  `json:"size"` // bytes
	ETag    string `json:"etag"`
	Version string `json:"version,omitempty"`
	Undo    string `json:"undo,omitempty"` // of a move: restore --undo takes it
}

func copied(c client.Copied) copyResult {
	return copyResult{string(c.From), string(c.Info.Key), c.Info.Size, c.Info.ETag, c.Info.Version, c.Undo}
}

// copying is what cp and mv were told.
type copying struct {
	verb           string // Copied or Moved
	recursive, raw bool
	concurrency    int
	how            client.CopyOptions

	one  func(context.Context, *client.Client, client.Pair, client.CopyOptions) client.Copied
	many func(*client.Client, context.Context, iter.Seq[client.Pair], client.CopyOptions, int, func(client.Copied))
}

const intoFolder = `Into a folder (photos/) go files under the last segment of their names, what is below a
folder (--recursive) under the folder's name, what a pattern selects as it is called
behind the last folder without wildcards. A folder may get another name (--recursive
photos album). What is in the target already is not taken.

`

func (p program) cp(o *options) *cobra.Command {
	s := copying{verb: "Copied", many: (*client.Client).CopyMany}
	s.one = func(ctx context.Context, c *client.Client, pair client.Pair, how client.CopyOptions) client.Copied {
		info, err := c.Copy(ctx, pair.From, pair.To, how)
		return client.Copied{Pair: pair, Info: info, Err: err}
	}
	cmd := &cobra.Command{
		Use:   "cp name or pattern... new-name",
		Short: "Copy files in the bucket, without moving their bytes here",
		Long: `Copy a file in the bucket to another name, or many into a folder. A file of that
name is replaced, and stays as an older version, unless --if-new.

` + intoFolder + patternHelp,
		Example: `  storagectl cp report.pdf 2026/
  storagectl cp report.pdf 2026/copy.pdf --if-new
  storagectl cp report.pdf first-draft.pdf --version 3HL4kqtJlcpXrof3vjVBH40Nrxf6wQ2l
  storagectl cp 'logs/2025-*.gz' old-logs/
  storagectl cp --recursive photos backup/`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return p.copy(cmd.Context(), o, args, s) },
	}
	s.flags(cmd)
	cmd.Flags().StringVar(&s.how.Version, "version", "", "copy this version of a single file, and not the newest")
	return cmd
}

func (p program) mv(o *options) *cobra.Command {
	s := copying{verb: "Moved", many: (*client.Client).MoveMany}
	s.one = func(ctx context.Context, c *client.Client, pair client.Pair, how client.CopyOptions) client.Copied {
		info, undo, err := c.Move(ctx, pair.From, pair.To, how)
		return client.Copied{Pair: pair, Info: info, Undo: undo, Err: err}
	}
	cmd := &cobra.Command{
		Use:   "mv name or pattern... new-name",
		Short: "Move files in the bucket, without moving their bytes here",
		Long: `Move a file in the bucket to another name, or many into a folder: each is copied, then
deleted where it was. A file of that name is replaced, and stays as an older version,
unless --if-new. Where the second half fails, both are there; where the first fails,
nothing is deleted.

` + intoFolder + patternHelp,
		Example: `  storagectl mv report.pdf 2026/
  storagectl mv draft.txt notes/final.txt --if-new
  storagectl mv 'logs/*.log' old-logs/
  storagectl mv --recursive album albums/2026`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return p.copy(cmd.Context(), o, args, s) },
	}
	s.flags(cmd)
	return cmd
}

func (s *copying) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&s.how.IfNew, "if-new", false, "replace no file")
	flags.BoolVarP(&s.recursive, "recursive", "r", false, "take what is below the folders that are named")
	flags.BoolVar(&s.raw, "raw", false, "take *, ?, [ and \\ literally")
	flags.IntVar(&s.concurrency, "concurrency", transfer.DefaultConcurrency, "how many files are under way at once, 1 to 256")
}

func (p program) copy(ctx context.Context, o *options, args []string, s copying) error {
	args, to := args[:len(args)-1], args[len(args)-1]
	var selected []selection
	for _, arg := range args {
		from, err := selectFiles(arg, s.recursive, s.raw)
		if err != nil {
			return err
		}
		selected = append(selected, from)
	}
	one := len(selected) == 1 && selected[0].match == nil
	into := strings.HasSuffix(to, "/")
	switch {
	case !one && s.how.Version != "":
		return usagef("--version is for a single file")
	case s.concurrency < 1 || s.concurrency > 256:
		return usagef("--concurrency %d: say 1 to 256", s.concurrency)
	case !one && !into && (len(selected) > 1 || !s.recursive):
		return usagef("many files go into a folder: %s/", to)
	}
	var single client.Pair
	if one {
		name := to
		if into {
			name += path.Base(string(selected[0].one))
		}
		key, err := parseKey(name)
		if err != nil {
			return err
		}
		if single = (client.Pair{From: selected[0].one, To: key}); single.From == single.To {
			return usagef("%q is the same name twice: restore brings an older version back", args[0])
		}
	} else {
		if _, err := parseKey(to); err != nil {
			return err
		}
		if !into && to+"/" == selected[0].prefix {
			return usagef("%q is the same folder twice", to)
		}
	}
	c, err := p.client(o)
	if err != nil {
		return err
	}
	defer c.Close()
	if one {
		done := s.one(ctx, c, single, s.how)
		if done.Err != nil {
			return done.Err
		}
		return p.report(o, fmt.Sprintf("%s %s to %s", s.verb, done.From, done.To), copied(done))
	}
	m := p.moving(ctx, o, c, s.verb, false, "")
	var listing error
	s.many(c, m.ctx, s.pairs(m, c, args, selected, to, &listing), s.how, s.concurrency, func(done client.Copied) {
		if done.Err != nil {
			m.fail(done.From, done.Err)
			return
		}
		m.shown.moved(done.From, done.Info.Size, done.Info.Size)
		m.shown.ended(done.From, true)
		var write func() error
		if o.json {
			write = func() error { return p.writeJSON(copied(done)) }
		}
		m.succeeded(done.Info.Size, write)
	})
	m.end(listing)
	return m.finish()
}

// pairs finds the files to copy and what they are called then, and fails those
// that can have no name of their own. An error of the listing ends it.
func (s copying) pairs(m *moving, c *client.Client, args []string, selected []selection, to string, listing *error) iter.Seq[client.Pair] {
	return func(yield func(client.Pair) bool) {
		there := strings.TrimSuffix(to, "/") + "/"
		taken := map[string]bool{}
		for i, from := range selected {
			if match := from.match; match != nil {
				// Or what is copied would be listed, and copied again.
				from.match = func(name string) bool { return !strings.HasPrefix(name, there) && match(name) }
			}
			for e, err := range filesOf(m.ctx, c, args[i:i+1], []selection{from}) {
				if err != nil {
					*listing = err
					return
				}
				called := s.called(from, string(e.Key), to)
				key, err := parseKey(called)
				if err == nil && taken[called] {
					err = fmt.Errorf("another of these files gets the name %q", called)
				}
				if err != nil {
					m.fail(e.Key, &client.Error{Code: object.CodeInvalid, Message: err.Error(), Err: err})
					continue
				}
				if len(selected) > 1 { // else no two names become one
					taken[called] = true
				}
				if e.Size > 0 {
					m.shown.moved(e.Key, 0, e.Size)
				}
				if !yield(client.Pair{From: e.Key, To: key}) {
					return
				}
			}
		}
	}
}

// called is what a file is called in the target.
func (s copying) called(from selection, name, to string) string {
	switch {
	case from.match == nil:
		return to + path.Base(name)
	case s.recursive && !strings.HasSuffix(to, "/"): // the folder gets that name
		return to + "/" + strings.TrimPrefix(name, from.prefix)
	case s.recursive:
		return to + name[strings.LastIndex(strings.TrimSuffix(from.prefix, "/"), "/")+1:]
	}
	return to + name[strings.LastIndex(from.prefix, "/")+1:]
}
