package main

import (
	"github.com/spf13/cobra"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

func (p program) cat(o *options) *cobra.Command {
	var version string
	cmd := &cobra.Command{
		Use:   "cat name...",
		Short: "Write the content of files to standard output",
		Long: `Write the content of files to standard output, one after the other, as it comes.
Where one breaks off, a part of it has been written: the exit code tells.`,
		Example: `  storagectl cat notes.txt
  storagectl cat logs/1.log logs/2.log | wc -l
  storagectl cat notes.txt --version 3HL4kqtJlcpXrof3vjVBH40Nrxf6wQ2l`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.each(o, args, func(c *client.Client, key object.Key) error {
				_, err := c.Get(cmd.Context(), key, version, p.stdout, nil)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&version, "version", "", "write this version, and not the newest")
	return cmd
}
