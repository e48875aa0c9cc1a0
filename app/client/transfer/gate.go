package transfer

import (
	"context"
	"sync"
	"time"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

// gate bounds how many requests are in flight: by half where the other side asks
// for fewer, at most once a second, and by one more again after as many successes
// as there may be requests.
type gate struct {
	free chan struct{}

	mu     sync.Mutex
	open   int // requests that may be in flight
	debt   int // of these, how many end with those in flight
	good   int // successes since the last change
	shrunk time.Time
}

func newGate(n int) *gate {
	g := &gate{free: make(chan struct{}, n), open: n}
	for range n {
		g.free <- struct{}{}
	}
	return g
}

func (g *gate) enter(ctx context.Context) error {
	if ctx.Err() == nil {
		select {
		case <-g.free:
			return nil
		case <-ctx.Done():
		}
	}
	return &client.Error{Code: object.CodeInternal, Message: "cancelled", Err: context.Cause(ctx)}
}

func (g *gate) leave(throttled bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if throttled {
		g.good = 0
		if now := time.Now(); now.Sub(g.shrunk) >= time.Second {
			g.shrunk = now
			g.debt += (g.open - g.debt) / 2
		}
	} else if g.good++; g.good >= g.open && g.open < cap(g.free) && g.debt == 0 {
		g.good = 0
		g.open++
		g.free <- struct{}{}
	}
	if g.debt > 0 {
		g.debt--
		g.open--
		return
	}
	g.free <- struct{}{}
}
