package main

import (
	"github.com/spf13/cobra"

	"cloudstorage/app/object"
)

type deleteResult struct {
	Message string `json:"message"`
	Name    string `json:"name"`
}

func (p program) delete(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "delete [filename]",
		Short: "Delete a file from the bucket",
		Long:  "Delete a file from the bucket. A file that is not there is no error.",
		Example: `  storagectl delete --filename report.pdf
  storagectl --ip api.example.com --filename 2026/report.pdf delete`,
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
			message, err := c.Delete(cmd.Context(), key)
			if err != nil {
				return err
			}
			return p.report(o, message, deleteResult{message, string(key)})
		},
	}
}

// key is name as a key: a name that can never be one is a fault of the line.
func (o *options) key(args []string) (object.Key, error) {
	name, err := o.name(args)
	if err != nil {
		return "", err
	}
	return parseKey(name)
}
