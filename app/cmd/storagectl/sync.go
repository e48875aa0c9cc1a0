package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"cloudstorage/app/client/mirror"
	"cloudstorage/app/client/transfer"
)

// inBucket is what a folder of the bucket begins with, to tell it from one here.
const inBucket = ":"

// mirroring is what sync was told.
type mirroring struct {
	include, exclude []string
	how              mirror.Options
	yes              bool
	speed            speed
}

// syncResult is a line of sync.
type syncResult struct {
	Action  string `json:"action"`           // upload, download, copy or delete
	Key     string `json:"key,omitempty"`    // in the bucket
	From    string `json:"from,omitempty"`   // what was copied
	Path    string `json:"path,omitempty"`   // on this machine
	Size    *int64 `json:"size,omitempty"`   // bytes that were transferred
	Reason  string `json:"reason,omitempty"` // new, size, time or content
	Undo    string `json:"undo,omitempty"`   // of a deletion in the bucket: restore --undo takes it
	Planned bool   `json:"planned,omitempty"`
}

func (p program) sync(o *options) *cobra.Command {
	var m mirroring
	cmd := &cobra.Command{
		Use:   "sync folder :folder",
		Short: "Make a folder of the bucket the same as one here, or the other way round",
		Long: `Send what is below a folder here and differs from what is below one in the bucket, or
fetch it, or copy it within the bucket. What is in the bucket begins with a colon:
:photos is what is below photos/, and : by itself is the whole bucket. The first is the
source, the second becomes the same.

A file differs where the sizes do, or where it is newer here than in the bucket, or,
on the way down, has not the time that it has in the bucket (which sync gives to what
it fetches), and the content is not the same. Content is compared by reading the file
here and the ETag of the one in the bucket. --checksum compares content whatever the
times are. Files that only the target has stay, unless --delete: then they are deleted,
after a question or with --yes, and only where all else has succeeded.

--include and --exclude select names on both sides; what is left out is not deleted
either. A pattern without a slash is about the last segment of a name (*.tmp), one that
ends in a slash about a folder (cache/), any other about the whole name below the
folder (/a/*.txt, a/**). Links to files count as files, unless they lead out of the
folder, which is an error; links to folders are not entered.`,
		Example: `  storagectl sync photos :photos
  storagectl sync photos :photos --delete --dry-run
  storagectl sync photos :photos --delete --yes --exclude '*.tmp' --exclude cache/
  storagectl sync :photos photos-of-all --checksum
  storagectl sync :photos :backup/photos`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.mirror(cmd.Context(), o, args, m)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&m.how.Delete, "delete", false, "delete what only the target has")
	flags.BoolVar(&m.yes, "yes", false, "do not ask before that")
	flags.BoolVar(&m.how.AllowEmpty, "allow-empty", false, "let --delete delete everything, where the source has nothing")
	flags.BoolVarP(&m.how.DryRun, "dry-run", "n", false, "change nothing, but say what would be done")
	flags.BoolVar(&m.how.Checksum, "checksum", false, "compare content, whatever the times are")
	flags.StringArrayVar(&m.include, "include", nil, "only names that match this pattern, or another --include")
	flags.StringArrayVar(&m.exclude, "exclude", nil, "no names that match this pattern")
	m.speed.flags(cmd)
	return cmd
}

// place reads an argument.
func place(arg string) (mirror.Place, error) {
	prefix, found := strings.CutPrefix(arg, inBucket)
	switch {
	case arg == "":
		return mirror.Place{}, usagef("the folder's name is empty: . is this one, %s the bucket", inBucket)
	case !found:
		return mirror.Place{Path: arg}, nil
	case prefix == "":
		return mirror.Place{}, nil
	}
	if _, err := parseKey(prefix); err != nil {
		return mirror.Place{}, err
	}
	return mirror.Place{Prefix: strings.TrimSuffix(prefix, "/") + "/"}, nil
}

func (p program) mirror(ctx context.Context, o *options, args []string, m mirroring) (err error) {
	how := m.how
	if how.Source, err = place(args[0]); err != nil {
		return err
	}
	if how.Target, err = place(args[1]); err != nil {
		return err
	}
	switch {
	case how.Source.Path != "" && how.Target.Path != "":
		return usagef("which of the two is in the bucket? Put a colon before it: %s%s", inBucket, args[1])
	case how.Delete && !how.DryRun && !m.yes && !p.asks():
		return usagef("--delete may delete files: say --yes, or ask at a terminal")
	}
	if how.Filter, err = mirror.NewFilter(m.include, m.exclude); err != nil {
		return usagef("%w", err)
	}
	moves, err := m.speed.options()
	if err != nil {
		return err
	}
	c, err := p.client(o)
	if err != nil {
		return err
	}
	defer c.Close()
	action := "upload"
	switch {
	case how.Source.Path == "" && how.Target.Path == "":
		action = "copy"
	case how.Source.Path == "":
		action = "download"
	}
	verb := map[string]string{"upload": "Sent", "download": "Saved", "copy": "Copied"}[action]
	moving := p.moving(ctx, o, c, verb, false, "")
	moves.State, moves.Progress = p.statePath(), moving.shown.moved
	how.Client, how.Transfers, how.Copies = c, transfer.New(c, moves), m.speed.concurrency
	if !m.yes {
		how.Confirm = func(count int, first, last string) error {
			moving.shown.close(true)
			return p.confirm(fmt.Sprint(count), first, last)
		}
	}
	how.Report = func(r mirror.Result) { p.synced(o, moving, action, r, how.DryRun) }
	sum, err := mirror.Run(moving.ctx, how)
	switch {
	case errors.Is(err, mirror.ErrEmpty):
		err = fmt.Errorf("%w; say --allow-empty if that is meant", err)
	case errors.Is(err, mirror.ErrOverlap):
		err = usagef("%w", err)
	}
	moving.end(err)
	moving.more = fmt.Sprintf("; %d are the same", sum.Same)
	switch {
	case how.DryRun:
		moving.text = fmt.Sprintf("Nothing was changed: %d files (%s) would be transferred", moving.files, byteCount(moving.size))
		moving.more += fmt.Sprintf(", %d would be deleted", sum.Deleted)
	case how.Delete:
		moving.more += fmt.Sprintf(", %d were deleted", sum.Deleted)
	}
	if how.Delete && sum.Left > 0 && sum.Failed > 0 {
		moving.more += fmt.Sprintf(", %d were not, since others failed", sum.Left)
	}
	return moving.finish()
}

// synced tells of one file.
func (p program) synced(o *options, m *moving, action string, r mirror.Result, planned bool) {
	if r.Err != nil {
		key := r.Key
		m.shown.ended(key, false)
		if strings.Contains(r.Err.Error(), r.Name()) {
			key = "" // it says which
		}
		m.fail(key, r.Err)
		return
	}
	line := syncResult{Action: action, Key: string(r.Key), From: string(r.From), Path: r.Path, Size: &r.Size, Reason: string(r.Reason), Planned: planned}
	if r.Verb == mirror.Delete {
		line = syncResult{Action: "delete", Key: string(r.Key), Path: r.Path, Undo: r.Deletion.Undo, Planned: planned}
	}
	var write func() error
	switch {
	case o.json:
		write = func() error { return p.writeJSON(line) }
	case planned: // it is what was asked for
		write = func() error { return p.write(line.String()) }
	}
	if r.Verb == mirror.Delete {
		m.note(write)
		return
	}
	if action == "copy" && !planned { // no bytes move here
		m.shown.moved(r.Key, r.Size, r.Size)
	}
	m.shown.ended(r.Key, true)
	m.succeeded(r.Size, write)
}

// String is the line for people. What is in the bucket begins with a colon.
func (r syncResult) String() string {
	from, to := r.Path, inBucket+r.Key
	switch r.Action {
	case "download":
		from, to = inBucket+r.Key, r.Path
	case "copy":
		from = inBucket + r.From
	case "delete":
		if r.Key == "" {
			to = r.Path
		}
		return "delete " + to
	}
	return fmt.Sprintf("%s %s to %s (%s, %s)", r.Action, from, to, byteCount(*r.Size), r.Reason)
}
