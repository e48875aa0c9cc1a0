package v1

import (
	"context"
	"io"
	"time"
)

// stallTimeout is how long the store may take for the next bytes of a file, or
// to take them. The whole file may take as long as it needs; how long the caller
// may take is the server's to say.
const stallTimeout = 30 * time.Second

// stall ends a call of the store that waits too long for it.
type stall struct{ timer *time.Timer }

// watch returns a context that ends when the store has stalled. done ends the
// watching.
func watch(ctx context.Context) (watched context.Context, s stall, done func()) {
	watched, cancel := context.WithCancel(ctx)
	s = stall{time.AfterFunc(stallTimeout, cancel)}
	return watched, s, func() {
		s.timer.Stop()
		cancel()
	}
}

// fromStore is what the store sends.
type fromStore struct {
	io.Reader
	stall
}

func (r fromStore) Read(p []byte) (int, error) {
	r.timer.Reset(stallTimeout)
	defer r.timer.Stop()
	return r.Reader.Read(p)
}

// toStore is what the store is sent: it has the time between two readings.
type toStore struct {
	io.Reader
	stall
}

func (r toStore) Read(p []byte) (int, error) {
	r.timer.Stop()
	defer r.timer.Reset(stallTimeout)
	return r.Reader.Read(p)
}
