package client

import (
	"context"
	"iter"
	"sync"

	"cloudstorage/app/object"
)

// Pair is a file's name and the one that it is copied or moved to.
type Pair struct{ From, To object.Key }

// Copied is what became of a Pair. Where Err is set, the file is still under its
// own name, and the copy may be there, too.
type Copied struct {
	Pair
	Info object.Info // of the file where it is now
	Undo string      // of a move, as Move returns it
	Err  error
}

// CopyMany copies files, up to n at a time, and tells done of each what became of
// it, one at a time, in the order in which they end. When ctx ends, no further
// one is begun.
func (c *Client) CopyMany(ctx context.Context, pairs iter.Seq[Pair], o CopyOptions, n int, done func(Copied)) {
	each(ctx, pairs, n, func(p Pair) Copied {
		info, err := c.Copy(ctx, p.From, p.To, o)
		return Copied{Pair: p, Info: info, Err: err}
	}, done)
}

// MoveMany moves files as CopyMany copies them. A file whose copy failed is not
// deleted.
func (c *Client) MoveMany(ctx context.Context, pairs iter.Seq[Pair], o CopyOptions, n int, done func(Copied)) {
	each(ctx, pairs, n, func(p Pair) Copied {
		info, undo, err := c.Move(ctx, p.From, p.To, o)
		return Copied{p, info, undo, err}
	}, done)
}

// each does something to all pairs, n at a time.
func each(ctx context.Context, pairs iter.Seq[Pair], n int, do func(Pair) Copied, done func(Copied)) {
	todo := make(chan Pair)
	var one sync.Mutex
	var workers sync.WaitGroup
	for range max(n, 1) {
		workers.Go(func() {
			for p := range todo {
				result := do(p)
				one.Lock()
				done(result)
				one.Unlock()
			}
		})
	}
	for p := range pairs {
		if ctx.Err() != nil {
			break
		}
		todo <- p
	}
	close(todo)
	workers.Wait()
}
