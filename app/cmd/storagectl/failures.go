package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

// failures collects what failed of many things, each on its line of standard
// error as it happens. What fails for all alike ends the command.
type failures struct {
	p      program
	of     int // how many things there are; 0 is not known
	failed int
}

func (p program) failures(of int) *failures { return &failures{p: p, of: of} }

// add notes an error, and says whether it ends the command.
func (f *failures) add(err error) (ends bool) {
	if err == nil {
		return false
	}
	if f.of == 1 || forAll(err) {
		return true
	}
	f.failed++
	f.p.complain(err)
	return false
}

// err is the error of the command as a whole.
func (f *failures) err() error {
	if f.failed == 0 {
		return nil
	}
	if f.of == 0 {
		return fmt.Errorf("%d failed", f.failed)
	}
	return fmt.Errorf("%d of %d failed", f.failed, f.of)
}

// forAll says whether an error is not about one file.
func forAll(err error) bool {
	var e *client.Error
	switch {
	case !errors.As(err, &e), errors.Is(err, context.Canceled), errors.Is(err, client.ErrOlderServer):
		return true
	}
	return e.Status == http.StatusUnauthorized || e.Status == 0 && e.Code == object.CodeUnavailable
}

// complain writes an error on a line of standard error.
func (p program) complain(err error) {
	fmt.Fprintln(p.stderr, "storagectl: "+sentence(err.Error())+p.wayOut(err))
}
