package main

import (
	"bufio"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"cloudstorage/app/client"
)

// entryResult is a line of ls, stat and versions. It has either a key or a
// prefix, and what is not known is absent.
type entryResult struct {
	Key      string    `json:"key,omitempty"`
	Prefix   string    `json:"prefix,omitempty"` // what names were rolled up to
	Size     *int64    `json:"size,omitempty"`   // bytes
	Modified time.Time `json:"modified,omitzero"`
	Type     string    `json:"type,omitempty"`
	ETag     string    `json:"etag,omitempty"`
	Version  string    `json:"version,omitempty"`
}

func entryOf(e client.Entry) entryResult {
	if e.IsPrefix {
		return entryResult{Prefix: string(e.Key)}
	}
	r := entryResult{Key: string(e.Key), Modified: e.Modified, Type: e.Type, ETag: e.ETag, Version: e.Version}
	if e.Size != client.UnknownSize {
		r.Size = &e.Size
	}
	return r
}

func (p program) ls(o *options) *cobra.Command {
	var recursive, long, raw bool
	cmd := &cobra.Command{
		Use:   "ls [prefix or pattern]...",
		Short: "List files, folder by folder",
		Long: `List the files whose names begin with a prefix, a page at a time. What is below a
folder is one line, photos/, unless --recursive.

` + patternHelp,
		Example: `  storagectl ls
  storagectl ls -l photos/
  storagectl ls --recursive photos/ --json
  storagectl ls 'photos/**.jpg'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var selected []selection
			for _, arg := range args {
				s, name, found, err := pattern(arg, raw)
				if err != nil {
					return err
				}
				if !found {
					s = selection{prefix: name, flat: !recursive, match: everyName}
				}
				selected = append(selected, s)
			}
			if len(args) == 0 {
				selected = []selection{{flat: !recursive, match: everyName}}
			}
			c, err := p.client(o)
			if err != nil {
				return err
			}
			defer c.Close()
			out := bufio.NewWriter(p.stdout)
			defer out.Flush() // what was listed before an error
			write := func(e client.Entry) error {
				switch {
				case o.json:
					return encode(out, entryOf(e))
				case long:
					return writeRow(out, e)
				case p.isTerminal(p.stdout):
					_, err := fmt.Fprintln(out, printable(string(e.Key)))
					return err
				}
				_, err := fmt.Fprintln(out, e.Key)
				return err
			}
			for _, s := range selected {
				for e, err := range s.entries(cmd.Context(), c) {
					if err != nil {
						return err
					}
					if err := write(e); err != nil {
						return err
					}
				}
			}
			return out.Flush()
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&recursive, "recursive", "r", false, "list what is below folders, too")
	flags.BoolVarP(&long, "long", "l", false, "with size and time")
	flags.BoolVar(&raw, "raw", false, "take *, ?, [ and \\ literally")
	return cmd
}

// writeRow writes a row of a table whose columns are as wide as they ever get,
// so that it need not wait for the last one.
func writeRow(out *bufio.Writer, e client.Entry) error {
	size, modified := "-", "-"
	if !e.IsPrefix && e.Size != client.UnknownSize {
		size = byteCount(e.Size)
	}
	if !e.Modified.IsZero() {
		modified = e.Modified.Local().Format("2006-01-02 15:04")
	}
	_, err := fmt.Fprintf(out, "%10s  %-16s  %s\n", size, modified, printable(string(e.Key)))
	return err
}
