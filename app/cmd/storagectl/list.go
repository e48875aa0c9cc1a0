package main

import (
	"bufio"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

type listResult struct {
	Files []listedFile `json:"files"`
}

type listedFile struct {
	Name string `json:"name"`
	Size *int64 `json:"size,omitempty"` // bytes; absent where the API does not tell
}

func (p program) list(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the files in the bucket",
		Long: `List the files in the bucket: a table on a terminal, else one name per line and
nothing more. Names that may hold line breaks are safe in --json.`,
		Example: `  storagectl list
  storagectl list --ip api.example.com | grep '\.pdf$'
  storagectl list --json > files.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := p.client(o)
			if err != nil {
				return err
			}
			defer c.Close()
			files, err := c.List(cmd.Context())
			if err != nil {
				return err
			}
			switch {
			case o.json:
				return p.writeJSON(listed(files))
			case p.isTerminal(p.stdout):
				return writeTable(p.stdout, files)
			}
			out := bufio.NewWriter(p.stdout)
			for _, f := range files {
				fmt.Fprintln(out, f.Key)
			}
			return out.Flush()
		},
	}
}

func listed(files []object.Info) listResult {
	result := listResult{Files: make([]listedFile, len(files))}
	for i, f := range files {
		result.Files[i].Name = string(f.Key)
		if f.Size != client.UnknownSize {
			result.Files[i].Size = &f.Size
		}
	}
	return result
}

// writeTable writes the table for a terminal, with a size where one is known.
func writeTable(w io.Writer, files []object.Info) error {
	sizes := false
	for _, f := range files {
		sizes = sizes || f.Size != client.UnknownSize
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if sizes {
		fmt.Fprint(table, "SIZE\t")
	}
	fmt.Fprintln(table, "NAME")
	for _, f := range files {
		switch {
		case f.Size != client.UnknownSize:
			fmt.Fprint(table, byteCount(f.Size), "\t")
		case sizes:
			fmt.Fprint(table, "-\t")
		}
		fmt.Fprintln(table, printable(string(f.Key)))
	}
	return table.Flush()
}
