package client

import (
	"context"
	"time"
)

// watchdog ends a call when no byte has moved for a while. A limit on the whole
// call would be wrong for every file that is large enough.
type watchdog struct {
	timer *time.Timer
	limit time.Duration
	end   context.CancelCauseFunc
}

// watch returns a context that ends with stalledError unless the watchdog is fed.
// Call stop when the call is over.
func (c *Client) watch(ctx context.Context) (context.Context, *watchdog) {
	ctx, end := context.WithCancelCause(ctx)
	limit := c.stall
	return ctx, &watchdog{
		timer: time.AfterFunc(limit, func() { end(stalledError(limit)) }),
		limit: limit,
		end:   end,
	}
}

func (w *watchdog) feed() { w.timer.Reset(w.limit) }

func (w *watchdog) stop() {
	w.timer.Stop()
	w.end(nil)
}
