package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

func (p program) restore(o *options) *cobra.Command {
	var version, undo string
	cmd := &cobra.Command{
		Use:   "restore [name]",
		Short: "Bring a file back: undo its deletion or its last overwrite, or restore a version",
		Long: `Bring a file back. Without a flag, what was done to it last is undone: a deletion, or
an overwrite. --version makes that version the newest (versions lists them). --undo
takes what rm and mv report with --json, and refuses where something was written
since. Nothing is lost: what is there now stays an older version.`,
		Example: `  storagectl restore report.pdf
  storagectl restore report.pdf --version 3HL4kqtJlcpXrof3vjVBH40Nrxf6wQ2l
  storagectl restore --undo '/v1/versions/report.pdf?before=3HL4kqtJlcpXrof3vjVBH40Nrxf6wQ2l'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if undo != "" && (version != "" || len(args) > 0) {
				return usagef("--undo says which file and which version: name neither")
			}
			var key object.Key
			if undo == "" {
				if len(args) == 0 {
					return usagef("which file? Name it, or say --undo")
				}
				var err error
				if key, err = parseKey(args[0]); err != nil {
					return err
				}
			}
			c, err := p.client(o)
			if err != nil {
				return err
			}
			defer c.Close()
			info, err := restored(cmd.Context(), c, key, version, undo)
			if err != nil {
				return err
			}
			return p.report(o, "Restored "+string(info.Key)+" ("+byteCount(info.Size)+")", entryOf(client.Entry{Info: info}))
		},
	}
	cmd.Flags().StringVar(&version, "version", "", "make this version the newest")
	cmd.Flags().StringVar(&undo, "undo", "", "undo this deletion or move")
	return cmd
}

func restored(ctx context.Context, c *client.Client, key object.Key, version, undo string) (object.Info, error) {
	switch {
	case undo != "":
		return c.Undo(ctx, undo)
	case version != "":
		return c.Restore(ctx, key, version)
	}
	for v, err := range c.Versions(ctx, key) {
		if err != nil {
			return object.Info{}, err
		}
		if v.Newest {
			return c.UndoVersion(ctx, key, v.Version)
		}
	}
	return object.Info{}, fmt.Errorf("no version of %s says that it is the newest", key)
}
