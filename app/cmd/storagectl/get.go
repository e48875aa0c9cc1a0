package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

func (p program) get(o *options) *cobra.Command {
	var version string
	cmd := &cobra.Command{
		Use:   "get name [file or folder]",
		Short: "Fetch a file from the bucket",
		Long: `Fetch a file from the bucket: into the working directory under the last segment of
its name, into a folder that is there, or under another name. A file of that name is
replaced, but only once all of the new one has come; a broken transfer leaves nothing
behind. With - it goes to standard output.

A name never leads out of the folder. Where the file system takes it for that of
another file (A and a), that one is not replaced, and the command fails.`,
		Example: `  storagectl get report.pdf
  storagectl get 2026/report.pdf Documents/
  storagectl get report.pdf draft.pdf --version 3HL4kqtJlcpXrof3vjVBH40Nrxf6wQ2l
  storagectl get report.pdf - | wc -c`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := parseKey(args[0])
			if err != nil {
				return err
			}
			dir, base := p.dir, ""
			if len(args) == 2 && args[1] != standardStream {
				if dir, base, err = destination(args[1]); err != nil {
					return err
				}
			}
			c, err := p.client(o)
			if err != nil {
				return err
			}
			defer c.Close()
			if len(args) == 2 && args[1] == standardStream {
				_, err := c.Get(cmd.Context(), key, version, p.stdout, nil)
				return err
			}
			progress, end := p.progress(o, string(key))
			result, err := c.GetFile(cmd.Context(), key, version, dir, base, progress)
			end(err == nil)
			if err != nil {
				return err
			}
			return p.report(o, fmt.Sprintf("Saved %s as %s (%s)", key, result.Path, byteCount(result.Size)), fileResult{string(key), result.Path, result.Size})
		},
	}
	cmd.Flags().StringVar(&version, "version", "", "fetch this version, and not the newest")
	return cmd
}

// destination splits where a file is to go into a folder and a name there, "" for
// the file's own.
func destination(path string) (dir, base string, err error) {
	info, err := os.Stat(path)
	switch {
	case path == "":
		return "", "", usagef("where the file is to go is empty")
	case err == nil && info.IsDir():
		return path, "", nil
	case strings.HasSuffix(path, "/"), os.IsPathSeparator(path[len(path)-1]):
		return "", "", usagef("there is no folder %q", path)
	}
	return filepath.Dir(path), filepath.Base(path), nil
}
