package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

// standardStream stands for standard input, or output.
const standardStream = "-"

// fileResult is what put and get report.
type fileResult struct {
	Key  string `json:"key"`
	Path string `json:"path"` // on this machine; - is standard input
	Size int64  `json:"size"` // bytes
}

func (p program) put(o *options) *cobra.Command {
	var how client.PutOptions
	cmd := &cobra.Command{
		Use:   "put file [name]",
		Short: "Send a file, or standard input, to the bucket",
		Long: `Send a file to the bucket, under its own name without its folders, under another, or
into a folder (photos/). A file of that name is replaced, and stays as an older
version, unless --if-new. With - standard input is sent; it is kept in a temporary
file first, since S3 wants to know its size.`,
		Example: `  storagectl put report.pdf
  storagectl put report.pdf 2026/
  storagectl put report.pdf 2026/march.pdf --if-new
  tar cz photos | storagectl put - backup/photos.tar.gz --type application/gzip`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, name := args[0], ""
			if len(args) == 2 {
				name = args[1]
			}
			if file == standardStream && (name == "" || strings.HasSuffix(name, "/")) {
				return usagef("what is standard input called in the bucket? Name it behind the -")
			}
			if file == "" {
				return usagef("the file name is empty")
			}
			if name == "" || strings.HasSuffix(name, "/") {
				name += filepath.Base(file)
			}
			key, err := parseKey(name)
			if err != nil {
				return err
			}
			c, err := p.client(o)
			if err != nil {
				return err
			}
			defer c.Close()
			result, err := p.send(cmd.Context(), o, c, file, key, how)
			if err != nil {
				return err
			}
			return p.report(o, fmt.Sprintf("Sent %s as %s (%s)", file, key, byteCount(result.Size)), fileResult{string(key), file, result.Size})
		},
	}
	cmd.Flags().StringVar(&how.Type, "type", "", "the media type; what the name's ending suggests unless given")
	cmd.Flags().BoolVar(&how.IfNew, "if-new", false, "replace no file")
	return cmd
}

func (p program) send(ctx context.Context, o *options, c *client.Client, file string, key object.Key, how client.PutOptions) (client.Result, error) {
	label := filepath.Base(file)
	if file == standardStream {
		label = string(key)
		spool, err := spooled(ctx, p.stdin)
		if err != nil {
			return client.Result{}, fmt.Errorf("keep standard input: %w", err)
		}
		defer os.Remove(spool)
		file = spool
	}
	progress, end := p.progress(o, label)
	result, err := c.PutFile(ctx, file, key, how, progress)
	end(err == nil)
	return result, err
}

// spooled keeps what r has in a temporary file, which the caller removes. When
// ctx ends while r waits for somebody to type, the read ends with the process.
func spooled(ctx context.Context, r io.Reader) (name string, err error) {
	f, err := os.CreateTemp("", "storagectl-*")
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(f, r)
		ended <- err
	}()
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	return f.Name(), err
}
