package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"cloudstorage/app/client"
	"cloudstorage/app/client/transfer"
	"cloudstorage/app/object"
)

func (p program) cat(o *options) *cobra.Command {
	var version string
	cmd := &cobra.Command{
		Use:   "cat name...",
		Short: "Write the content of files to standard output",
		Long: `Write the content of files to standard output, one after the other, as it comes.
Where a connection breaks, another goes on behind what was written. Where that fails,
or the file is another one now, a part has been written: the exit code tells.`,
		Example: `  storagectl cat notes.txt
  storagectl cat logs/1.log logs/2.log | wc -l
  storagectl cat notes.txt --version 3HL4kqtJlcpXrof3vjVBH40Nrxf6wQ2l`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.each(o, args, func(c *client.Client, key object.Key) error {
				return p.copyOut(cmd.Context(), c, key, version)
			})
		},
	}
	cmd.Flags().StringVar(&version, "version", "", "write this version, and not the newest")
	return cmd
}

// copyOut writes a file to standard output.
func (p program) copyOut(ctx context.Context, c *client.Client, key object.Key, version string) error {
	from := transfer.Remote{Key: key, Version: version, Size: client.UnknownSize}
	_, err := transfer.New(c, transfer.Options{}).DownloadTo(ctx, from, p.stdout)
	if errors.Is(err, client.ErrOlderServer) {
		_, err = c.Get(ctx, key, version, p.stdout, nil)
	}
	return err
}
