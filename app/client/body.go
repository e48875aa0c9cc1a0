package client

import (
	"context"
	"errors"
	"io"
	"sync"
)

// ErrChanged is the cause of an upload that failed because its file shrank or
// grew meanwhile. Nothing was stored.
var ErrChanged = errors.New("its size changed while it was being uploaded")

var errReleased = errors.New("the request is over")

// uploadBody reads exactly as many bytes as were announced. It holds the last
// one back until it knows that none follows, so that a file that grew is not
// stored cut off.
//
// net/http may still be reading a body when the request is over; after release
// it no longer reaches r, which can be rewound or closed.
type uploadBody struct {
	mu       sync.Mutex
	r        io.Reader
	ctx      context.Context
	pace     pace
	left     int64
	whole    bool // all was read, and nothing follows
	meter    *meter
	err      error // the file's failure
	released bool
}

func (b *uploadBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.released:
		return 0, errReleased
	case b.err != nil:
		return 0, b.err
	case b.whole:
		return 0, io.EOF
	case b.left == 0:
		if b.checkEnd(); b.err != nil {
			return 0, b.err
		}
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	n, err := b.read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	switch {
	case b.left > 0 && errors.Is(err, io.EOF):
		b.err = ErrChanged
	case err != nil && !errors.Is(err, io.EOF):
		b.err = err
	case b.left == 0:
		b.checkEnd()
	}
	if b.err != nil {
		return 0, b.err
	}
	b.meter.add(n)
	return n, nil
}

// read reads what may be sent now.
func (b *uploadBody) read(p []byte) (int, error) {
	b.meter.dog.rest()
	n, err := b.r.Read(p[:min(len(p), b.pace.most())])
	b.meter.dog.wake()
	b.pace.wait(b.ctx, n, b.meter.dog)
	return n, err
}

// checkEnd looks whether r ends here.
func (b *uploadBody) checkEnd() {
	var one [1]byte
	switch _, err := io.ReadFull(b.r, one[:]); err {
	case io.EOF:
		b.whole = true
	case nil:
		b.err = ErrChanged
	default:
		b.err = err
	}
}

// Close does nothing: the caller owns r.
func (b *uploadBody) Close() error { return nil }

// release cuts the body off r, waits for a read in progress, and returns the
// file's failure, if any.
func (b *uploadBody) release() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.released = true
	return b.err
}
