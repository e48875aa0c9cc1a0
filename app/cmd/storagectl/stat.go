package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

func (p program) stat(o *options) *cobra.Command {
	var version string
	cmd := &cobra.Command{
		Use:   "stat name...",
		Short: "Describe files: size, time, type, ETag and version",
		Example: `  storagectl stat report.pdf
  storagectl stat report.pdf 2026/report.pdf --json
  storagectl stat report.pdf --version 3HL4kqtJlcpXrof3vjVBH40Nrxf6wQ2l`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.each(o, args, func(c *client.Client, key object.Key) error {
				info, err := c.Stat(cmd.Context(), key, version)
				if err != nil {
					return err
				}
				if o.json {
					return p.writeJSON(entryOf(client.Entry{Info: info}))
				}
				return p.write(describe(info))
			})
		},
	}
	cmd.Flags().StringVar(&version, "version", "", "describe this version, and not the newest")
	return cmd
}

func describe(i object.Info) string {
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "%-9s %s\n", name+":", value) }
	line("Name", string(i.Key))
	line("Size", fmt.Sprintf("%s (%d bytes)", byteCount(i.Size), i.Size))
	line("Modified", i.Modified.Local().Format(time.RFC3339))
	line("Type", i.Type)
	line("ETag", i.ETag)
	line("Version", i.Version)
	return strings.TrimSuffix(b.String(), "\n")
}

// each does something to each of the files that are named, whatever becomes of
// the others.
func (p program) each(o *options, names []string, do func(*client.Client, object.Key) error) error {
	keys := make([]object.Key, len(names))
	for i, name := range names {
		var err error
		if keys[i], err = parseKey(name); err != nil {
			return err
		}
	}
	c, err := p.client(o)
	if err != nil {
		return err
	}
	defer c.Close()
	f := p.failures(len(keys))
	for _, key := range keys {
		err := do(c, key)
		if err != nil && len(keys) > 1 {
			err = fmt.Errorf("%s: %w", key, err)
		}
		if f.add(err) {
			return err
		}
	}
	return f.err()
}
