package main

import (
	"runtime/debug"

	"github.com/spf13/cobra"

	"cloudstorage/app/client"
)

// options are the flags that all commands take, before or after their name.
type options struct {
	address  string
	filename string
	json     bool
}

// root returns the command line. It sets *started once the line was understood,
// so every error before is a fault of the line.
func (p program) root(started *bool) *cobra.Command {
	o := &options{}
	root := &cobra.Command{
		Use:   "storagectl",
		Short: "Use the storage API: list, upload, download and delete files in its bucket",
		Long: `storagectl lists, uploads, downloads and deletes the files of a storage API.

The API only lists, deletes and signs: a file's bytes flow straight between this
machine and the bucket, as a stream, whatever their size.

Where the API asks who calls, put your key into the environment variable
STORAGE_KEY: a flag could be seen in the list of processes.

Exit codes: 0 done, 1 failed (or cancelled), 2 wrong usage.`,
		Example: `  storagectl ping
  storagectl upload --filename report.pdf
  storagectl --ip api.example.com list
  storagectl --ip https://api.example.com download --filename report.pdf`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(*cobra.Command, []string) error {
			return usagef("no command: say ping, list, delete, download, upload or key new")
		},
		PersistentPreRun: func(*cobra.Command, []string) { *started = true },
	}
	flags := root.PersistentFlags()
	flags.StringVar(&o.address, "ip", "0.0.0.0", "where the API is: address, name or URL, with or without port (0.0.0.0 is this machine; the port is 5000 unless given)")
	flags.StringVar(&o.filename, "filename", "", "the file to upload, download or delete")
	flags.BoolVar(&o.json, "json", false, "write the result as JSON")
	root.AddCommand(p.ping(o), p.list(o), p.delete(o), p.download(o), p.upload(o), p.keys(o))
	return root
}

// client returns the client that --ip asks for.
func (p program) client(o *options) (*client.Client, error) {
	if _, err := client.ParseAddress(o.address); err != nil {
		return nil, usagef("--ip: %w", err)
	}
	c, err := client.New(o.address, client.WithUserAgent("storagectl/"+version()), client.WithKey(p.key))
	if err != nil {
		return nil, usagef("%s: %w", envKey, err)
	}
	return c, nil
}

// name returns the file that --filename or the one argument names.
func (o *options) name(args []string) (string, error) {
	switch {
	case len(args) == 0 && o.filename == "":
		return "", usagef("which file? Name it with --filename")
	case len(args) == 0:
		return o.filename, nil
	case o.filename != "" && o.filename != args[0]:
		return "", usagef("two files are named, %q by --filename and %q: name one", o.filename, args[0])
	case args[0] == "":
		return "", usagef("the file name is empty")
	}
	return args[0], nil
}

// version is the module's version, which is (devel) for a build outside of
// version control.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
