package main

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"cloudstorage/app/client"
	"cloudstorage/app/client/localname"
	"cloudstorage/app/client/transfer"
	"cloudstorage/app/object"
)

// fetching is what get was told.
type fetching struct {
	to, version    string
	recursive, raw bool
	speed          speed
}

func (p program) get(o *options) *cobra.Command {
	var f fetching
	cmd := &cobra.Command{
		Use:   "get name or pattern...",
		Short: "Fetch files from the bucket",
		Long: `Fetch files from the bucket into the working directory, or into a folder (--to there/):
a file under the last segment of its name, what is below a folder (--recursive) under
the folder's name, what a pattern selects as it is called behind the last folder
without wildcards. --to gives a single file another name, or sends it to standard
output (-).

A file of that name is replaced, but only once all of the new one is there and
checked. A large one comes in ranges, several at once, in a hidden file beside it
(.name.part). Who is interrupted says the same again: what has come is kept.

No name leads out of the folder. Where the file system takes a name for that of
another file (A and a), that file stays, and the exit code is 1.

` + patternHelp,
		Example: `  storagectl get report.pdf
  storagectl get 2026/report.pdf --to Documents/
  storagectl get report.pdf --to draft.pdf --version 3HL4kqtJlcpXrof3vjVBH40Nrxf6wQ2l
  storagectl get --recursive photos
  storagectl get 'logs/2025-*.gz' --to old-logs/
  storagectl get report.pdf --to - | wc -c`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.fetchAll(cmd.Context(), o, args, f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.to, "to", "", "the folder, or for a single file its name here; - is standard output")
	flags.StringVar(&f.version, "version", "", "fetch this version of a single file, and not the newest")
	flags.BoolVarP(&f.recursive, "recursive", "r", false, "fetch what is below the folders that are named")
	flags.BoolVar(&f.raw, "raw", false, "take *, ?, [ and \\ literally")
	f.speed.flags(cmd)
	return cmd
}

func (p program) fetchAll(ctx context.Context, o *options, args []string, f fetching) error {
	var selected []selection
	for _, arg := range args {
		s, err := selectFiles(arg, f.recursive, f.raw)
		if err != nil {
			return err
		}
		selected = append(selected, s)
	}
	one := len(selected) == 1 && selected[0].match == nil
	if !one && (f.version != "" || f.to == standardStream) {
		return usagef("--version and --to - are for a single file")
	}
	how, err := f.speed.options()
	if err != nil {
		return err
	}
	c, err := p.client(o)
	if err != nil {
		return err
	}
	defer c.Close()
	if f.to == standardStream {
		return p.copyOut(ctx, c, selected[0].one, f.version)
	}
	dir, name, err := p.destination(f.to, one)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	label := path.Base(args[0])
	if !one {
		label = "" // how many there are
	}
	m := p.moving(ctx, o, c, "Saved", one, label)
	how.Progress = m.shown.moved
	var listing error
	files := f.files(m.ctx, c, args, selected, root, name, m.fail, &listing)
	transfer.New(c, how).Download(m.ctx, files, func(got transfer.Outcome) {
		older := func(ctx context.Context) (client.Result, error) {
			return fetchOlder(ctx, c, root, got, f.version)
		}
		m.outcome(got, older, "Saved %s as %s")
	})
	if err := m.finish(); err != nil && listing == nil {
		return err
	}
	return listing
}

// fetchOlder fetches from a server without /v1, into root and nowhere else.
func fetchOlder(ctx context.Context, c *client.Client, root *os.Root, got transfer.Outcome, version string) (client.Result, error) {
	name, err := filepath.Rel(root.Name(), got.Path)
	if err != nil {
		return client.Result{}, fileError(err)
	}
	folder := filepath.Dir(name)
	if err := root.MkdirAll(folder, 0o777); err != nil {
		return client.Result{}, fileError(err)
	}
	into, err := root.OpenRoot(folder)
	if err != nil {
		return client.Result{}, fileError(err)
	}
	defer into.Close()
	return c.GetInto(ctx, got.Key, version, into, filepath.Base(name), nil)
}

// destination makes the folder that files go to, and returns it with the name of
// a single file there, "" for its own.
func (p program) destination(to string, one bool) (dir, name string, err error) {
	info, err := os.Stat(to)
	switch {
	case to == "":
		return p.dir, "", nil
	case err == nil && info.IsDir():
		return to, "", nil
	case one && !os.IsPathSeparator(to[len(to)-1]):
		return filepath.Dir(to), filepath.Base(to), nil
	}
	if err := os.MkdirAll(to, 0o777); err != nil {
		return "", "", err
	}
	return to, "", nil
}

// files finds the files to fetch and what they are called here, and fails those
// that can have no name of their own. An error of the listing ends it.
func (f fetching) files(ctx context.Context, c *client.Client, args []string, selected []selection, root *os.Root, name string, fail func(object.Key, error), listing *error) iter.Seq[transfer.Remote] {
	names := localname.New(root)
	return func(yield func(transfer.Remote) bool) {
		for i, s := range selected {
			// What stands in front of it here has no place there.
			cut := strings.LastIndex(s.prefix, "/") + 1
			if f.recursive { // the folder itself has
				cut = strings.LastIndex(strings.TrimSuffix(s.prefix, "/"), "/") + 1
			}
			for e, err := range filesOf(ctx, c, args[i:i+1], []selection{s}) {
				if err != nil {
					*listing = err
					return
				}
				called := name
				switch {
				case called != "":
				case s.match == nil:
					called = path.Base(string(e.Key))
				default:
					called = string(e.Key)[cut:]
				}
				if strings.HasSuffix(string(e.Key), "/") && e.Size == 0 && s.match != nil {
					continue // it stands for a folder, as some tools have it
				}
				if err := names.Claim(called); err != nil {
					fail(e.Key, &client.Error{Code: object.CodeInvalid, Message: fmt.Sprintf("cannot save %q: %s", e.Key, err), Err: err})
					continue
				}
				if !yield(transfer.Remote{Key: e.Key, Version: f.version, Size: e.Size, Dir: root, Name: called}) {
					return
				}
			}
		}
	}
}
