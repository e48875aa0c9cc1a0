package main

import (
	"slices"
	"time"

	"github.com/spf13/cobra"

	"cloudstorage/app/client"
)

// options are the flags that all commands take, before or after their name.
type options struct {
	address  string
	profile  string
	filename string
	json     bool
	quiet    bool
	limit    string        // bytes of files a second
	retryFor time.Duration // from the first failure of a call
	stall    time.Duration // without a byte, of a connection

	addressGiven bool // by the flag
}

// root returns the command line. It sets *started once the line was understood,
// so every error before is a fault of the line.
func (p program) root(started *bool) *cobra.Command {
	o := &options{}
	root := &cobra.Command{
		Use:   "storagectl",
		Short: "Use the storage API: list, upload, download, share and delete files in its bucket",
		Long: `storagectl lists, uploads, downloads, copies, shares and deletes the files of a
storage API, and brings them back.

The API only lists, deletes and signs: a file's bytes flow straight between this
machine and the bucket, as a stream, whatever their size.

A flag goes over the environment (STORAGE_URL, STORAGE_KEY, STORAGE_PROFILE), and
that over the profiles in ~/.config/storagectl/config.yaml. There is no flag for the
key: it could be seen in the list of processes.

Exit codes: 0 done, 1 failed (or cancelled), 2 wrong usage.`,
		Example: `  storagectl ping
  storagectl upload --filename report.pdf
  storagectl --ip api.example.com list
  STORAGE_URL=http://api.example.com storagectl download --filename report.pdf
  storagectl ls -l photos/`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(*cobra.Command, []string) error {
			return usagef("no command: say ping, ls, upload, download, rm, or another that --help lists")
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			*started = true
			o.addressGiven = cmd.Flags().Changed("ip")
			if o.filename != "" && !slices.Contains([]string{"ping", "list", "upload", "download", "delete"}, cmd.Name()) {
				return usagef("--filename is not for %s: name files behind it", cmd.Name())
			}
			return nil
		},
	}
	flags := root.PersistentFlags()
	flags.StringVar(&o.address, "ip", "0.0.0.0", "where the API is: address, name or URL, with or without port (0.0.0.0 is this machine; the port is 5000 unless given)")
	flags.StringVar(&o.profile, "profile", "", "the profile of ~/.config/storagectl/config.yaml that says where the API is, and the key's file")
	flags.StringVar(&o.filename, "filename", "", "the file to upload, download or delete")
	flags.BoolVar(&o.json, "json", false, "write the result as JSON")
	flags.StringVar(&o.limit, "limit-rate", "", "move at most so many bytes of files a second, up and down, all together: 500k, 2.5M, 1G (of 1024)")
	flags.DurationVar(&o.retryFor, "retry-for", client.DefaultRetryFor, "how long a request that fails in passing is repeated, from its first failure; 0 repeats none")
	flags.DurationVar(&o.stall, "stall-timeout", client.DefaultStallTimeout, "how long a connection over which nothing moves is waited for")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "say nothing but what was asked for, and errors")
	root.AddCommand(p.ping(o), p.list(o), p.delete(o), p.download(o), p.upload(o), p.keys(o),
		p.ls(o), p.stat(o), p.put(o), p.get(o), p.cat(o), p.rm(o), p.cp(o), p.mv(o), p.sync(o), p.versions(o), p.restore(o), p.share(o), p.man(o))
	root.SetOut(p.stdout)
	addCompletion(root)
	p.complete(root, o)
	return root
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

// addCompletion adds the command that cobra would add by itself, with examples as
// all others have them. It writes to where root writes to by now.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		cmd.Example = "  storagectl completion bash > storagectl.bash"
		for _, shell := range cmd.Commands() {
			shell.Example = "  storagectl completion " + shell.Name() + " > storagectl." + shell.Name()
		}
	}
}
