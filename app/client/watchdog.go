package client

import (
	"context"
	"io"
	"time"
)

// watchdog ends a call when no byte has moved for a while. A limit on the whole
// call would be wrong for every file that is large enough. One goroutine at a
// time may use it.
type watchdog struct {
	timer *time.Timer
	limit time.Duration
	until time.Time
	left  time.Duration // when it rests
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
		until: time.Now().Add(limit),
		end:   end,
	}
}

func (w *watchdog) feed() {
	w.until = time.Now().Add(w.limit)
	w.timer.Reset(w.limit)
}

// rest stops the time until wake: what is waited for is not the other side, but a
// disk, a reader that turns pages, or a limit of our own.
func (w *watchdog) rest() {
	w.timer.Stop()
	w.left = max(0, time.Until(w.until))
}

func (w *watchdog) wake() {
	w.until = time.Now().Add(w.left)
	w.timer.Reset(w.left)
}

func (w *watchdog) stop() {
	w.timer.Stop()
	w.end(nil)
}

// patientWriter takes as long as it likes.
type patientWriter struct {
	io.Writer
	dog *watchdog
}

func (w patientWriter) Write(p []byte) (int, error) {
	w.dog.rest()
	defer w.dog.wake()
	return w.Writer.Write(p)
}
