package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

// delete deletes what only the target has.
func (s *syncing) delete(ctx context.Context) error {
	if s.DryRun {
		return s.each(func(name string) bool { return s.deleted(name, client.Deletion{}, nil) })
	}
	if s.Confirm != nil {
		if err := s.Confirm(s.extra.count, s.extra.first, s.extra.last); err != nil {
			return err
		}
	}
	if s.Target.Path != "" {
		err := s.each(func(name string) bool {
			return ctx.Err() == nil && s.deleted(name, client.Deletion{}, s.removeHere(name))
		})
		return errors.Join(err, cancelled(ctx))
	}
	var reading error
	keys := func(yield func(object.Key) bool) {
		reading = s.each(func(name string) bool {
			if s.Source.Path != "" {
				if _, err := s.Source.dir.Lstat(name); err == nil {
					return true // the source has it by now
				}
			}
			return yield(s.Target.key(name))
		})
	}
	for d, err := range s.Client.RemoveMany(ctx, keys) {
		if err != nil && d.Key == "" {
			return err
		}
		s.deleted(strings.TrimPrefix(string(d.Key), s.Target.Prefix), d, err)
	}
	return reading
}

func (s *syncing) each(do func(name string) bool) error {
	for name, err := range s.extra.names() {
		if err != nil {
			return fmt.Errorf("read the names of what is to be deleted: %w", err)
		}
		if !do(name) {
			break
		}
	}
	return nil
}

func (s *syncing) deleted(name string, d client.Deletion, err error) (more bool) {
	a := Action{Verb: Delete, Target: Item{Name: name}}
	if err != nil {
		s.fail(a, "delete", err)
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sum.Deleted++
	s.sum.Left--
	s.report(Result{Action: a, Deletion: d})
	return true
}

// removeHere deletes a file here, and the folders that it leaves empty.
func (s *syncing) removeHere(name string) error {
	if err := s.Target.dir.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	dir := path.Dir(name)
	for dir != "." && s.Target.dir.Remove(dir) == nil { // until one is not empty
		dir = path.Dir(dir)
	}
	return nil
}
