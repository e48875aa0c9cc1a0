package client

import (
	"context"
	"time"
)

// Escape is how keys are encoded in URLs.
var Escape = escape

// WithSleep replaces the pauses between attempts.
func WithSleep(sleep func(context.Context, time.Duration) error) Option {
	return func(c *Client) { c.sleep = sleep }
}
