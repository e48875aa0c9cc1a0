package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (p program) download(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "download [filename]",
		Short: "Fetch a file from the bucket into the working directory",
		Long: `Fetch a file from the bucket into the working directory, under the last segment
of its name: a/b/c is saved as c. A file of that name is replaced, but only once
all of the new one has come; a broken download leaves nothing behind.`,
		Example: `  storagectl download --filename report.pdf
  storagectl --ip api.example.com --filename 2026/report.pdf download`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := o.key(args)
			if err != nil {
				return err
			}
			c, err := p.client(o)
			if err != nil {
				return err
			}
			defer c.Close()
			shown := p.progress(o, string(key))
			result, err := c.DownloadFile(cmd.Context(), key, p.dir, shown.of(key))
			shown.close(err == nil)
			if err != nil {
				return err
			}
			text := fmt.Sprintf("%s\nSaved as %s (%s)", result.Message, result.Path, byteCount(result.Size))
			return p.report(o, text, transferred(result))
		},
	}
}
