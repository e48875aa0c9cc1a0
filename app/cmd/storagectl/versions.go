package main

import (
	"bufio"
	"fmt"

	"github.com/spf13/cobra"

	"cloudstorage/app/client"
)

// versionResult is a line of versions.
type versionResult struct {
	entryResult
	Newest  bool `json:"newest"`
	Deleted bool `json:"deleted"`
}

func (p program) versions(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "versions name",
		Short: "List what a file was before, the newest first",
		Long: `List a file's versions and deletions, the newest first: the version's id, its time,
its size, and what it is. restore brings one back; stat, cat, get and cp take it with
--version.`,
		Example: `  storagectl versions report.pdf
  storagectl versions report.pdf --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := parseKey(args[0])
			if err != nil {
				return err
			}
			c, err := p.client(o)
			if err != nil {
				return err
			}
			defer c.Close()
			out := bufio.NewWriter(p.stdout)
			defer out.Flush() // what was listed before an error
			for v, err := range c.Versions(cmd.Context(), key) {
				if err != nil {
					return err
				}
				if o.json {
					err = encode(out, versionResult{entryOf(client.Entry{Info: v.Info}), v.Newest, v.Deleted})
				} else {
					_, err = fmt.Fprintf(out, "%-32s  %s  %10s%s\n", printable(v.Version), v.Modified.Local().Format("2006-01-02 15:04:05"), byteCount(v.Size), state(v))
				}
				if err != nil {
					return err
				}
			}
			return out.Flush()
		},
	}
}

// state says what a version is, where it is more than an older one.
func state(v client.Version) string {
	switch {
	case v.Newest && v.Deleted:
		return "  deleted (newest)"
	case v.Deleted:
		return "  deleted"
	case v.Newest:
		return "  newest"
	}
	return ""
}
