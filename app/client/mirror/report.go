package mirror

import (
	"errors"
	"fmt"
	"io/fs"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

// end reports what became of a transfer.
func (s *syncing) end(name string, r Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Action = s.moving[name]
	delete(s.moving, name)
	if r.Err != nil {
		s.sum.Failed++
	} else {
		s.sum.Transferred++
	}
	s.report(r)
}

// fail reports a file of which something did not work.
func (s *syncing) fail(a Action, doing string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sum.Failed++
	s.report(Result{Action: a, Err: explained(doing, a.Name(), err)})
}

// explained makes an error of this machine a *client.Error.
func explained(doing, name string, err error) error {
	if already := (*client.Error)(nil); errors.As(err, &already) {
		return err
	}
	code := object.CodeOf(err)
	if errors.Is(err, fs.ErrNotExist) {
		code = object.CodeNotFound
	}
	cause := err.Error()
	var o *object.Error
	if p, isPath := err.(*fs.PathError); isPath { //nolint:errorlint // one that is wrapped says more
		cause = p.Err.Error()
	} else if errors.As(err, &o) {
		cause = o.Message
	}
	if name == "" {
		name = "."
	}
	return &client.Error{Code: code, Message: fmt.Sprintf("cannot %s %q: %s", doing, name, cause), Err: err}
}

// report completes what is told of a file. s is locked.
func (s *syncing) report(r Result) {
	name := r.Name()
	if s.across() {
		r.From = s.Source.key(name)
	}
	if s.Target.Path == "" {
		r.Key = s.Target.key(name)
	} else if r.Verb != Delete {
		r.Key = s.Source.key(name)
	}
	for _, p := range []Place{s.Source, s.Target} {
		if p.Path != "" && (r.Verb != Delete || s.Target.Path != "") {
			r.Path = p.path(name)
		}
	}
	s.Report(r)
}
