package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cloudstorage/app/client"
	"cloudstorage/app/client/glob"
)

const (
	// completeWithin is how long somebody who pressed the tab key waits at most.
	completeWithin = 2 * time.Second
	// mostCompletions is more than anybody reads.
	mostCompletions = 200
)

// completions are how many arguments of a command are names in the bucket; 0 is
// all.
var completions = map[string]int{
	"cat": 0, "cp": 0, "get": 0, "ls": 0, "mv": 0, "rm": 0, "stat": 0,
	"download": 1, "delete": 1, "restore": 1, "versions": 1, "share create": 1,
}

// complete has the shell ask for the arguments of the commands below root.
func (p program) complete(root *cobra.Command, o *options) {
	for name, arguments := range completions {
		if cmd, _, err := root.Find(strings.Fields(name)); err == nil {
			cmd.ValidArgsFunction = p.completeNames(o, arguments)
		}
	}
	if cmd, _, err := root.Find([]string{"sync"}); err == nil {
		cmd.ValidArgsFunction = p.completePlaces(o)
	}
}

// completeNames completes the names of files in the bucket, a folder at a time,
// for the first so many arguments; 0 is all.
func (p program) completeNames(o *options, arguments int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if arguments > 0 && len(args) >= arguments {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return p.namesLike(cmd, o, begun, false)
	}
}

// completePlaces completes folders of both sides.
func (p program) completePlaces(o *options) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		prefix, there := strings.CutPrefix(begun, inBucket)
		switch {
		case len(args) >= 2:
			return nil, cobra.ShellCompDirectiveNoFileComp
		case !there:
			return nil, cobra.ShellCompDirectiveFilterDirs
		}
		names, directive := p.namesLike(cmd, o, prefix, true)
		for i := range names {
			names[i] = inBucket + names[i]
		}
		return names, directive
	}
}

// typable says whether a name means itself on a command line. Of several names,
// bash inserts what they have in common without escaping it, and runs it when it
// completes the next time; names are for whoever may write to the bucket to choose.
func typable(name string) bool {
	return printable(name) == name && glob.Unescape(name) == name && !glob.IsPattern(name) &&
		!strings.ContainsAny(name, "$`;&|<>") && !strings.HasPrefix(name, "-")
}

// namesLike lists what begins as a name does. What goes wrong completes nothing:
// there is nobody to tell.
func (p program) namesLike(cmd *cobra.Command, o *options, begun string, folders bool) ([]cobra.Completion, cobra.ShellCompDirective) {
	const none = cobra.ShellCompDirectiveNoFileComp
	o.addressGiven = cmd.Flags().Changed("ip")
	c, err := p.client(o)
	if err != nil {
		return nil, none
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(cmd.Context(), completeWithin)
	defer cancel()
	var names []cobra.Completion
	directive := none
	for e, err := range c.Files(ctx, client.FilesOptions{Prefix: begun, Delimiter: "/", PageSize: mostCompletions}) {
		if err != nil || len(names) == mostCompletions {
			break
		}
		name := string(e.Key)
		if folders && !e.IsPrefix || !typable(name) {
			continue
		}
		if e.IsPrefix {
			directive |= cobra.ShellCompDirectiveNoSpace
		}
		names = append(names, name)
	}
	return names, directive
}
