package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"runtime"
	"strings"
	"sync"

	"cloudstorage/app/client"
	"cloudstorage/app/client/localname"
	"cloudstorage/app/client/transfer"
	"cloudstorage/app/object"
)

// Options say what a sync does. At least one side is in the storage.
type Options struct {
	Client    *client.Client
	Transfers *transfer.Transfers
	Copies    int // in flight at once, where both sides are in the storage; 0 is transfer.DefaultConcurrency

	Source, Target Place
	Filter         Filter
	Checksum       bool // content counts where sizes are the same, and times do not
	DryRun         bool // change nothing, but tell what would be done

	Delete     bool // what only the target has
	AllowEmpty bool // even where the source has nothing, so that all of it goes

	// Confirm is asked before anything is deleted; its error ends the sync. nil
	// agrees to everything.
	Confirm func(count int, first, last string) error

	// Report is told of all that is done, one at a time.
	Report func(Result)
}

// Result is something that was done, or failed.
type Result struct {
	Action
	Key      object.Key // in the storage: the source's of a download, else the target's
	From     object.Key // the source's, where both are in the storage
	Path     string     // the file here
	Size     int64      // bytes that were transferred
	Deletion client.Deletion
	Err      error
}

// Sum is what a sync came to.
type Sum struct {
	Same, Transferred, Deleted, Failed int

	// Left are those that only the target has and that were not deleted.
	Left int
}

// The causes of a sync that could not be.
var (
	ErrEmpty   = errors.New("the source has no files, and so all of the target's would be deleted")
	ErrOverlap = errors.New("one of the folders is in the other")
)

var errOlder = &client.Error{Code: object.CodeInvalid, Peer: client.API, Err: client.ErrOlderServer,
	Message: "cannot sync: this server knows the exercise's five routes only, which tell neither sizes nor times"}

// syncing is a sync under way.
type syncing struct {
	Options
	names *localname.Folder // the target's, where it is here
	extra spool

	mu      sync.Mutex // of what follows
	sum     Sum
	sources int
	moving  map[string]Action // by name
	broken  error             // ended it
}

// Run syncs. The error is why it ended early; that of a single file is reported,
// hinders no other, and no file is deleted then.
func Run(ctx context.Context, o Options) (Sum, error) {
	if o.Source.Path == "" && o.Target.Path == "" && (strings.HasPrefix(o.Source.Prefix, o.Target.Prefix) || strings.HasPrefix(o.Target.Prefix, o.Source.Prefix)) {
		return Sum{}, &client.Error{Code: object.CodeInvalid, Message: fmt.Sprintf("cannot sync %q and %q: %s", o.Source.Prefix, o.Target.Prefix, ErrOverlap), Err: ErrOverlap}
	}
	defer func() { o.Source.close(); o.Target.close() }()
	if err := o.Source.open(false); err != nil {
		return Sum{}, err
	}
	if err := o.Target.open(!o.DryRun); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Sum{}, err
	}
	if o.Copies == 0 {
		o.Copies = transfer.DefaultConcurrency
	}
	s := &syncing{Options: o, moving: map[string]Action{}}
	defer s.extra.remove()
	s.transfer(ctx)
	if s.broken == nil {
		s.broken = cancelled(ctx)
	}
	s.sum.Left = s.extra.count
	if s.broken != nil || !s.Delete || s.extra.count == 0 {
		return s.sum, s.broken
	}
	if s.sources == 0 && !s.AllowEmpty {
		return s.sum, &client.Error{Code: object.CodeInvalid, Message: ErrEmpty.Error(), Err: ErrEmpty}
	}
	if s.sum.Failed > 0 {
		return s.sum, nil
	}
	return s.sum, s.delete(ctx)
}

// cancelled is the error of a sync whose context has ended.
func cancelled(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return &client.Error{Code: object.CodeInternal, Message: "cancelled", Err: errors.Join(context.Canceled, context.Cause(ctx))}
}

// transfer brings to the target what it lacks.
func (s *syncing) transfer(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	plan := Plan(s.items(ctx, s.Source, true), s.items(ctx, s.Target, false), s.judge())
	todo := s.todo(decide(ctx, plan, s.compare, min(comparers, runtime.GOMAXPROCS(0))))
	switch {
	case s.DryRun:
		for a := range todo {
			s.end(a.Name(), Result{Size: a.Source.Size})
		}
	case s.Source.Path != "":
		files := func(yield func(transfer.File) bool) {
			for a := range todo {
				if !yield(transfer.File{Key: s.Target.key(a.Name()), Path: s.Source.path(a.Name())}) {
					return
				}
			}
		}
		s.Transfers.Upload(ctx, files, func(o transfer.Outcome) {
			name := strings.TrimPrefix(string(o.Key), s.Target.Prefix)
			if o.Err == nil {
				o.Err = s.unchanged(name)
			}
			s.end(name, Result{Size: o.Size, Err: o.Err})
		})
	case s.Target.Path != "":
		files := func(yield func(transfer.Remote) bool) {
			for a := range todo {
				if !yield(transfer.Remote{Key: s.Source.key(a.Name()), Size: a.Source.Size, Dir: s.Target.dir, Name: a.Name()}) {
					return
				}
			}
		}
		s.Transfers.Download(ctx, files, func(o transfer.Outcome) {
			name := strings.TrimPrefix(string(o.Key), s.Source.Prefix)
			if o.Err == nil {
				o.Err = s.stamp(name, Item{Modified: o.Modified})
			}
			s.end(name, Result{Size: o.Size, Err: o.Err})
		})
	default:
		pairs := func(yield func(client.Pair) bool) {
			for a := range todo {
				if !yield(client.Pair{From: s.Source.key(a.Name()), To: s.Target.key(a.Name())}) {
					return
				}
			}
		}
		s.Client.CopyMany(ctx, pairs, client.CopyOptions{}, s.Copies, func(c client.Copied) {
			s.end(strings.TrimPrefix(string(c.From), s.Source.Prefix), Result{Size: c.Info.Size, Err: c.Err})
		})
	}
}

// across says whether both sides are in the storage.
func (s *syncing) across() bool { return s.Source.Path == "" && s.Target.Path == "" }

// items lists one side.
func (s *syncing) items(ctx context.Context, p Place, source bool) iter.Seq2[Item, error] {
	items := files(ctx, s.Client, p.Prefix, s.Filter)
	switch {
	case p.Path != "" && p.dir == nil: // it would be made
		items = func(func(Item, error) bool) {}
	case p.Path != "":
		items = tree{p.dir, s.Filter, source, func(name string, err error) {
			s.fail(Action{Source: Item{Name: name}}, "list", err)
		}}.items()
	}
	if !source {
		return items
	}
	return func(yield func(Item, error) bool) {
		for i, err := range items {
			s.mu.Lock()
			s.sources++
			s.mu.Unlock()
			if !yield(i, err) {
				return
			}
		}
	}
}

// todo counts and keeps what needs no transfer, and yields what does.
func (s *syncing) todo(all iter.Seq[decided]) iter.Seq[Action] {
	return func(yield func(Action) bool) {
		for d := range all {
			switch {
			case d.fatal:
				s.broken = d.err
				return
			case d.err != nil:
				s.fail(d.Action, "compare", d.err)
			case d.Verb == Keep:
				s.mu.Lock()
				s.sum.Same++
				s.mu.Unlock()
			case d.Verb == Delete:
				if err := s.extra.add(d.Target.Name); err != nil {
					s.broken = fmt.Errorf("keep the names of what is to be deleted: %w", err)
					return
				}
			default:
				if err := s.nameable(d.Name()); err != nil {
					s.fail(d.Action, "sync", err)
					continue
				}
				s.mu.Lock()
				s.moving[d.Name()] = d.Action
				s.mu.Unlock()
				if !yield(d.Action) {
					return
				}
			}
		}
	}
}

// nameable says why a file can have no such name in the target.
func (s *syncing) nameable(name string) error {
	if s.Target.Path == "" {
		_, err := object.ParseKey(s.Target.Prefix + name)
		return err
	}
	if s.DryRun {
		return localname.Check(name)
	}
	if s.names == nil {
		s.names = localname.New(s.Target.dir)
	}
	folds, err := s.names.Folds()
	if err != nil {
		return err
	}
	if !folds { // and so there is nothing to remember
		return localname.Check(name)
	}
	return s.names.Claim(name)
}
