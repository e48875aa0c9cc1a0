package main

import (
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func (p program) man(*options) *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use:   "man",
		Short: "Write the manual's pages, one for each command",
		Long: `Write the manual's pages for man(1), one for each command, into a folder, which is
made. Their date is now, or what SOURCE_DATE_EPOCH says.`,
		Example: `  storagectl man --to ~/.local/share/man/man1`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			date := time.Now()
			if epoch := p.getenv("SOURCE_DATE_EPOCH"); epoch != "" {
				seconds, err := strconv.ParseInt(epoch, 10, 64)
				if err != nil {
					return usagef("SOURCE_DATE_EPOCH %q: it counts seconds since 1970", epoch)
				}
				date = time.Unix(seconds, 0)
			}
			return writeManual(cmd.Root(), to, date.UTC())
		},
	}
	cmd.Flags().StringVar(&to, "to", ".", "the folder")
	return cmd
}

// writeManual writes a page for root and for each command below it that --help
// lists: storagectl.1, storagectl-share-create.1 and the like.
func writeManual(root *cobra.Command, dir string, date time.Time) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	root.DisableAutoGenTag = true // no line that says which library made the page
	version, _, _ := strings.Cut(root.Version, " ")
	return doc.GenManTree(root, &doc.GenManHeader{Section: "1", Date: &date, Source: "storagectl " + version, Manual: "storagectl manual"}, dir)
}
