package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const (
	attempts      = 3
	firstPause    = 200 * time.Millisecond
	maxRetryAfter = 10 * time.Second // somebody may be watching
)

// retry calls try until it succeeds, fails for good, or has failed three times.
func (c *Client) retry(ctx context.Context, try func() error) error {
	for n := 1; ; n++ {
		err := try()
		var e *Error
		if err == nil || n == attempts || !errors.As(err, &e) || !e.again {
			return err
		}
		if err := c.sleep(ctx, pause(n, e.wait)); err != nil {
			return ended(ctx, "", c.base)
		}
	}
}

// final marks err as one that is not tried again by an outer retry.
func final(err error) error {
	var e *Error
	if errors.As(err, &e) {
		e.again = false
	}
	return err
}

// pause is how long to wait after the nth failure. Half of it is random, so
// that clients that failed together do not come back together.
func pause(n int, asked time.Duration) time.Duration {
	if asked > 0 {
		return min(asked, maxRetryAfter)
	}
	d := min(firstPause<<min(n-1, 10), maxRetryAfter)
	return d/2 + rand.N(d/2)
}

// retryAfter reads the header in either of its forms; 0 where there is none.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(v, 10, 16); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
