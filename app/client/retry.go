package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// DefaultRetryFor is how long what failed is repeated. A balancer in front of the
// API finds out within 65 s that a machine died: two probes, 30 s apart, of at
// most 5 s.
const DefaultRetryFor = 90 * time.Second

const (
	firstPause   = 200 * time.Millisecond
	longestPause = 5 * time.Second // so that what is back is soon used

	// unheardFor is how long a connection is tried to a peer that has not
	// answered yet: most often, nothing is there.
	unheardFor = 3 * time.Second
)

// Patience is how long one request is repeated: as long as the client's
// WithRetryFor says, from its first failure. It is for one goroutine.
type Patience struct {
	c        *Client
	failures int
	first    time.Time
}

// Patience returns a new one.
func (c *Client) Patience() *Patience { return &Patience{c: c} }

// Reset begins anew, where what was repeated got on.
func (p *Patience) Reset() { p.failures = 0 }

// Wait pauses before the request that failed with err is repeated: a random time
// below a limit that doubles from 0.2 s to 5 s, so that clients that failed
// together do not come back together, or as long as the other side asked for. It
// returns what to give up with where no repetition helps (see Temporary; also is
// for what only the caller knows), none is left, or ctx ends.
func (p *Patience) Wait(ctx context.Context, err error, also bool) error {
	var e *Error
	if !errors.As(err, &e) || !e.again && !also {
		return err
	}
	now := p.c.now()
	if p.failures == 0 {
		p.first = now
	}
	p.failures++
	limit := p.c.retryFor
	if e.unheard {
		limit = min(limit, unheardFor)
	}
	pause := pause(p.failures, e.wait)
	if spent := now.Sub(p.first); spent+pause > limit {
		e.again = false
		switch {
		case e.unheard || limit == 0:
		case e.wait > limit-spent:
			e.Message += fmt.Sprintf(" (it asks for a pause of %s)", e.wait)
		default:
			e.Message += fmt.Sprintf(" (tried %d times in %s)", p.failures, spent.Round(time.Second))
		}
		return err
	}
	if p.c.sleep(ctx, pause) != nil {
		return ended(ctx, "", p.c.base)
	}
	return nil
}

// retry calls try until it succeeds, fails for good, or has failed for too long.
func (c *Client) retry(ctx context.Context, try func() error) error {
	patience := c.Patience()
	for {
		err := try()
		if err == nil {
			return nil
		}
		if err := patience.Wait(ctx, err, false); err != nil {
			return err
		}
	}
}

// Temporary says whether repeating the call that failed with err may succeed. An
// error that was waited out is not temporary.
func Temporary(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.again
}

// final marks err as one that is not tried again by an outer retry.
func final(err error) error {
	var e *Error
	if errors.As(err, &e) {
		e.again = false
	}
	return err
}

// pause is how long to wait after the nth failure: full jitter, or what was asked
// for and a little more.
// Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
func pause(n int, asked time.Duration) time.Duration {
	if asked > 0 {
		return asked + rand.N(firstPause)
	}
	return rand.N(min(firstPause<<min(n-1, 10), longestPause))
}

// retryAfter reads the header in either of its forms; 0 where there is none. A
// time is one of the other side's clock.
func (c *Client) retryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(v, 10, 24); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, c.local(at, h).Sub(c.now()))
	}
	return 0
}

// local turns a time of the other side's clock into one of this machine's: the
// two may be hours apart. h is the header of the answer that told it.
func (c *Client) local(at time.Time, h http.Header) time.Time {
	if date, err := http.ParseTime(h.Get("Date")); err == nil && !at.IsZero() {
		return c.now().Add(at.Sub(date))
	}
	return at
}
