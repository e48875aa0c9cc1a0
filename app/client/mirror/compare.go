package mirror

import (
	"context"
	"fmt"

	"cloudstorage/app/client"
	"cloudstorage/app/client/transfer"
	"cloudstorage/app/object"
)

// comparers is how many files are read at once to compare their content.
const comparers = 4

func (s *syncing) judge() Judge {
	across := s.across()
	switch {
	case across && s.Checksum:
		return AcrossByContent
	case across:
		return Across
	case s.Checksum:
		return ByContent
	case s.Source.Path != "":
		return Up
	}
	return Down
}

// compare reads the file that is here.
func (s *syncing) compare(ctx context.Context, a Action) (Action, error) {
	here, there := s.Source.dir, a.Target
	if s.Source.Path == "" {
		here, there = s.Target.dir, a.Source
	}
	f, err := here.Open(a.Name())
	if err != nil {
		return a, err
	}
	defer f.Close()
	same, known, err := transfer.Same(ctx, f, there.Size, there.ETag)
	if err != nil {
		return a, err
	}
	if known {
		a.Reason = Content
	}
	if a.Verb = Transfer; same {
		a.Verb = Keep
		if s.Target.Path != "" && !s.DryRun {
			err = s.stamp(a.Name(), a.Source) // so that nobody needs to read it again
		}
	}
	return a, err
}

// stamp gives a file here the time of the one in the storage.
func (s *syncing) stamp(name string, there Item) error {
	if there.Modified.IsZero() {
		return nil
	}
	t := there.Modified.Truncate(resolution)
	return s.Target.dir.Chtimes(name, t, t)
}

// unchanged fails where a file here is not as it was listed: nobody knows then
// whether what was sent is what is there now.
func (s *syncing) unchanged(name string) error {
	s.mu.Lock()
	was := s.moving[name].Source
	s.mu.Unlock()
	info, err := s.Source.dir.Stat(name)
	if err == nil && info.Size() == was.Size && info.ModTime().Equal(was.Modified) {
		return nil
	}
	return &client.Error{Code: object.CodeConflict, Err: client.ErrChanged, Message: fmt.Sprintf("%q changed while it was being sent: sync again", s.Source.path(name))}
}
