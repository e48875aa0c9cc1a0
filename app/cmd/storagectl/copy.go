package main

import (
	"path"
	"strings"

	"github.com/spf13/cobra"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

// copyResult is what cp and mv report.
type copyResult struct {
	From    string `json:"from"`
	Key     string `json:"key"`  // the new name
	Size    int64  `json:"size"` // bytes
	ETag    string `json:"etag"`
	Version string `json:"version,omitempty"`
	Undo    string `json:"undo,omitempty"` // of a move: restore --undo takes it
}

func copied(from object.Key, i object.Info, undo string) copyResult {
	return copyResult{string(from), string(i.Key), i.Size, i.ETag, i.Version, undo}
}

func (p program) cp(o *options) *cobra.Command {
	var how client.CopyOptions
	cmd := &cobra.Command{
		Use:   "cp name new-name",
		Short: "Copy a file in the bucket, without moving its bytes here",
		Long: `Copy a file in the bucket to another name, or into a folder (photos/). A file of
that name is replaced, and stays as an older version, unless --if-new.`,
		Example: `  storagectl cp report.pdf 2026/
  storagectl cp report.pdf 2026/copy.pdf --if-new
  storagectl cp report.pdf first-draft.pdf --version 3HL4kqtJlcpXrof3vjVBH40Nrxf6wQ2l`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.pair(o, args, func(c *client.Client, from, to object.Key) error {
				info, err := c.Copy(cmd.Context(), from, to, how)
				if err != nil {
					return err
				}
				return p.report(o, "Copied "+string(from)+" to "+string(to), copied(from, info, ""))
			})
		},
	}
	cmd.Flags().BoolVar(&how.IfNew, "if-new", false, "replace no file")
	cmd.Flags().StringVar(&how.Version, "version", "", "copy this version, and not the newest")
	return cmd
}

func (p program) mv(o *options) *cobra.Command {
	var how client.CopyOptions
	cmd := &cobra.Command{
		Use:   "mv name new-name",
		Short: "Move a file in the bucket, without moving its bytes here",
		Long: `Move a file in the bucket to another name, or into a folder (photos/): it is copied,
then deleted where it was. A file of that name is replaced, and stays as an older
version, unless --if-new. Where the second half fails, both are there.`,
		Example: `  storagectl mv report.pdf 2026/
  storagectl mv draft.txt notes/final.txt --if-new`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.pair(o, args, func(c *client.Client, from, to object.Key) error {
				info, undo, err := c.Move(cmd.Context(), from, to, how)
				if err != nil {
					return err
				}
				return p.report(o, "Moved "+string(from)+" to "+string(to), copied(from, info, undo))
			})
		},
	}
	cmd.Flags().BoolVar(&how.IfNew, "if-new", false, "replace no file")
	return cmd
}

// pair does something to the two files that are named. The second may be a
// folder, for the first one's last segment.
func (p program) pair(o *options, args []string, do func(c *client.Client, from, to object.Key) error) error {
	from, err := parseKey(args[0])
	if err != nil {
		return err
	}
	name := args[1]
	if strings.HasSuffix(name, "/") {
		name += path.Base(args[0])
	}
	to, err := parseKey(name)
	if err != nil {
		return err
	}
	if from == to {
		return usagef("%q is the same name twice: restore brings an older version back", args[0])
	}
	c, err := p.client(o)
	if err != nil {
		return err
	}
	defer c.Close()
	return do(c, from, to)
}
