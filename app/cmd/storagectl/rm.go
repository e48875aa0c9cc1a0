package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

// maxCount is how many names are held in memory to say how many there are.
const maxCount = 10_000

// deletionResult is a line of rm.
type deletionResult struct {
	Key     string `json:"key"`
	Version string `json:"version,omitempty"` // that is the deletion
	Undo    string `json:"undo,omitempty"`    // restore --undo takes it
}

func (p program) rm(o *options) *cobra.Command {
	var recursive, raw, yes bool
	cmd := &cobra.Command{
		Use:   "rm name or pattern...",
		Short: "Delete files, so that they can be brought back",
		Long: `Delete files. restore brings them back, as long as the bucket keeps old versions.
More than one is deleted only after a question on a terminal, or with --yes. A name
that is not there is no error, but a pattern that matches nothing is.

` + patternHelp,
		Example: `  storagectl rm report.pdf
  storagectl rm 'logs/2025-*.gz' --yes
  storagectl rm --recursive photos/old --yes`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var selected []selection
			for _, arg := range args {
				s, err := selectFiles(arg, recursive, raw)
				if err != nil {
					return err
				}
				selected = append(selected, s)
			}
			c, err := p.client(o)
			if err != nil {
				return err
			}
			defer c.Close()
			return p.remove(cmd.Context(), o, c, args, selected, yes)
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&recursive, "recursive", "r", false, "delete what is below the folders that are named")
	flags.BoolVar(&raw, "raw", false, "take *, ?, [ and \\ literally")
	flags.BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func (p program) remove(ctx context.Context, o *options, c *client.Client, args []string, selected []selection, yes bool) error {
	next, stop := iter.Pull2(filesOf(ctx, c, args, selected))
	defer stop()
	var first []object.Key
	whole := false
	for len(first) < maxCount && !whole {
		e, err, more := next()
		switch {
		case err != nil:
			return err
		case !more:
			whole = true
		default:
			first = append(first, e.Key)
		}
	}
	if len(first) > 1 && !yes {
		if !p.asks() {
			return usagef("this deletes more than one file: say --yes, or ask at a terminal")
		}
		count := fmt.Sprint(len(first))
		if !whole {
			count = "more than " + count
		}
		if err := p.confirm(count, string(first[0]), string(first[len(first)-1])); err != nil {
			return err
		}
	}
	var listing error
	keys := func(yield func(object.Key) bool) {
		for _, key := range first {
			if !yield(key) {
				return
			}
		}
		for !whole {
			e, err, more := next()
			if listing = err; err != nil || !more || !yield(e.Key) {
				return
			}
		}
	}
	f := p.failures(0)
	if whole {
		f.of = len(first)
	}
	for d, err := range c.RemoveMany(ctx, keys) {
		if err != nil {
			if d.Key != "" && f.of != 1 {
				err = fmt.Errorf("%s: %w", d.Key, err)
			}
			if d.Key == "" || f.add(err) {
				return err
			}
			continue
		}
		if err := p.report(o, "Deleted "+string(d.Key), deletionResult{string(d.Key), d.Version, d.Undo}); err != nil {
			return err
		}
	}
	return errors.Join(listing, f.err())
}

// filesOf lists the files that are selected, each pattern's at least one. Of one
// that is named, only the key is known.
func filesOf(ctx context.Context, c *client.Client, args []string, selected []selection) iter.Seq2[client.Entry, error] {
	return func(yield func(client.Entry, error) bool) {
		for i, s := range selected {
			if s.match == nil {
				if !yield(client.Entry{Info: object.Info{Key: s.one, Size: client.UnknownSize}}, nil) {
					return
				}
				continue
			}
			found := false
			for e, err := range s.entries(ctx, c) {
				if err == nil && e.IsPrefix {
					continue
				}
				found = true
				if !yield(e, err) || err != nil {
					return
				}
			}
			if !found && !yield(client.Entry{}, fmt.Errorf("there is no file that %s names", args[i])) {
				return
			}
		}
	}
}

// asks says whether there is somebody to ask.
func (p program) asks() bool { return p.isTerminal(p.stdin) && p.isTerminal(p.stderr) }

// confirm asks whether to delete that many files, of which two are named.
func (p program) confirm(count, first, last string) error {
	what := fmt.Sprintf("%s files, from %s to %s", count, printable(first), printable(last))
	if count == "1" {
		what = printable(first)
	}
	fmt.Fprintf(p.stderr, "Delete %s? [y/N] ", what)
	line, err := bufio.NewReader(p.stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return nil
	}
	return errors.New("nothing was deleted")
}
