package client

import (
	"context"
	"time"
)

// Escape is how keys are encoded in URLs.
var Escape = escape

// WithClock replaces the clock, and the pauses between attempts.
func WithClock(now func() time.Time, sleep func(context.Context, time.Duration) error) Option {
	return func(c *Client) { c.now, c.sleep = now, sleep }
}
