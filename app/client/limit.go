package client

import (
	"context"
	"math"

	"golang.org/x/time/rate"
)

// pace is how many bytes of files may move a second, of all calls of a client
// together. The zero value is no limit.
type pace struct {
	limiter *rate.Limiter
	chunk   int // bytes that move at once
}

// The chunks of a limit: a few a second, so that all connections get their turn,
// and no more system calls than are needed.
const (
	leastChunk = 1 << 10
	mostChunk  = 64 << 10
)

// WithLimitRate lets at most so many bytes of files move a second, up and down,
// over all connections together; 0 is no limit. What the API is asked and answers
// does not count.
func WithLimitRate(bytes int64) Option {
	return func(c *Client) {
		if bytes <= 0 {
			c.pace = pace{}
			return
		}
		chunk := int(min(max(bytes/8, leastChunk), mostChunk))
		c.pace = pace{rate.NewLimiter(rate.Limit(bytes), chunk), chunk}
	}
}

// LimitRate returns what WithLimitRate set.
func (c *Client) LimitRate() int64 {
	if c.pace.limiter == nil {
		return 0
	}
	return int64(c.pace.limiter.Limit())
}

// most is how many bytes may be asked for at once.
func (p pace) most() int {
	if p.limiter == nil {
		return math.MaxInt
	}
	return p.chunk
}

// wait returns when n bytes, at most most, may have moved, or ctx ends.
func (p pace) wait(ctx context.Context, n int, dog *watchdog) {
	if p.limiter == nil || n <= 0 {
		return
	}
	dog.rest()
	defer dog.wake()
	_ = p.limiter.WaitN(ctx, n) // the call itself tells that its context has ended
}
