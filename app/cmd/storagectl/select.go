package main

import (
	"context"
	"iter"
	"strings"

	"cloudstorage/app/client"
	"cloudstorage/app/client/glob"
	"cloudstorage/app/object"
)

// selection is what an argument names: one name, or all that begin with a prefix
// and match a pattern.
type selection struct {
	one    object.Key // the name, where it is one
	prefix string
	flat   bool // what is deeper need not be listed
	match  func(name string) bool
}

// patternHelp explains patterns in the help of a command.
const patternHelp = `A pattern selects files: * stands for any characters but /, ** for any, ? for one,
[a-c] for one of these. Quote it, or the shell reads it first. A backslash, or --raw
for all of them, takes such a character literally.`

func everyName(string) bool { return true }

// pattern reads an argument that has wildcards, unless they are to be taken
// literally. It returns false where there are none, and then the name.
func pattern(arg string, raw bool) (s selection, name string, found bool, err error) {
	if raw {
		return selection{}, arg, false, nil
	}
	if !glob.IsPattern(arg) {
		return selection{}, glob.Unescape(arg), false, nil
	}
	p, err := glob.Parse(arg)
	if err != nil {
		return selection{}, "", false, usagef("%w; --raw takes it literally", err)
	}
	return selection{prefix: p.Prefix(), flat: p.Flat(), match: p.Match}, "", true, nil
}

// selectFiles reads an argument of a command that works on files: a name, a
// pattern or, with recursive, a folder.
func selectFiles(arg string, recursive, raw bool) (selection, error) {
	s, name, found, err := pattern(arg, raw)
	switch {
	case err != nil || found && !recursive:
		return s, err
	case found:
		return s, usagef("%q is a pattern, and --recursive takes folders: ** matches what is below them", arg)
	case recursive && name == "":
		return s, usagef("the folder's name is empty: '**' matches every file")
	case recursive:
		// Never what merely begins with the same letters.
		return selection{prefix: strings.TrimSuffix(name, "/") + "/", match: everyName}, nil
	}
	key, err := parseKey(name)
	return selection{one: key}, err
}

// entries lists what is selected; of a flat selection the folders, too.
func (s selection) entries(ctx context.Context, c *client.Client) iter.Seq2[client.Entry, error] {
	o := client.FilesOptions{Prefix: s.prefix}
	if s.flat {
		o.Delimiter = "/"
	}
	return func(yield func(client.Entry, error) bool) {
		for e, err := range c.Files(ctx, o) {
			name := string(e.Key)
			if e.IsPrefix && !s.match(name) {
				name = strings.TrimSuffix(name, "/")
			}
			if err != nil || s.match(name) {
				if !yield(e, err) {
					return
				}
			}
		}
	}
}
