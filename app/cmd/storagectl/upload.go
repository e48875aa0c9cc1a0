package main

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

// transferResult is what upload and download report.
type transferResult struct {
	Message string `json:"message"`
	Name    string `json:"name"` // in the bucket
	Path    string `json:"path"` // on this machine
	Size    int64  `json:"size"` // bytes
}

func transferred(r client.Result) transferResult {
	return transferResult{r.Message, string(r.Key), r.Path, r.Size}
}

func (p program) upload(o *options) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "upload [filename]",
		Short: "Send a file to the bucket",
		Long: `Send a file to the bucket, under its name without its folders unless --key gives
another. A file of that name in the bucket is replaced.`,
		Example: `  storagectl upload --filename report.pdf
  storagectl --ip api.example.com upload --filename ~/Documents/report.pdf
  storagectl upload --filename report.pdf --key 2026/report.pdf`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := o.name(args)
			if err != nil {
				return err
			}
			var key object.Key // chosen by the client, which looks at the file first
			if cmd.Flags().Changed("key") {
				if key, err = parseKey(name); err != nil {
					return err
				}
			}
			c, err := p.client(o)
			if err != nil {
				return err
			}
			defer c.Close()
			shown := p.progress(o, filepath.Base(path))
			result, err := c.UploadFile(cmd.Context(), path, key, shown.of(key))
			shown.close(err == nil)
			if err != nil {
				return err
			}
			return p.report(o, result.Message, transferred(result))
		},
	}
	cmd.Flags().StringVar(&name, "key", "", "the name in the bucket (the file's name without its folders)")
	return cmd
}
