// Package clock tells S3's time. S3 refuses what was signed at another time than
// its own, so a server whose clock is wrong would hand out URLs that nobody can
// use, and see nothing of it.
package clock

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"
)

const (
	// Every is how often S3 is asked for its time, whatever happens.
	Every = 5 * time.Minute
	// timeout bounds one question.
	timeout = 5 * time.Second
	// tolerance is how far the machine's clock may be off and is still believed:
	// S3 tells whole seconds, and lets clocks differ by 15 minutes.
	tolerance = time.Minute
	// pause is the least time between two questions. It doubles, up to Every, with
	// each that is not answered.
	pause = time.Second
)

// errSet is of a question during which nobody can tell when it was answered.
var errSet = errors.New("it was set, or the machine suspended, while the storage was asked")

// Ask asks S3 for its time.
type Ask func(context.Context) (time.Time, error)

// Clock is the machine's clock, put right by S3's. It is safe for concurrent use.
type Clock struct {
	local func() instant
	log   *slog.Logger
	seen  atomic.Pointer[reading]
	set   chan struct{} // holds one: the machine's clock was set since seen

	failures atomic.Int64 // questions since the last that was answered
}

// instant is what the machine says: the time of day, which can be set, and how
// long a clock runs that nobody sets.
type instant struct {
	day time.Time
	run time.Duration
}

// since is by how much the clock was set after an instant. Where running stands
// still in a suspended machine, that looks the same.
func (i instant) since(before instant) time.Duration {
	return i.day.Sub(before.day) - (i.run - before.run)
}

// reading is what was learned of the machine's clock, and when.
type reading struct {
	instant
	ahead time.Duration // of S3's; 0 where that is tolerable
	told  bool          // by S3: without it, ahead is only not known
}

// New returns a clock that believes the machine's until it hears of S3's.
func New(log *slog.Logger) *Clock {
	run := running()
	return newClock(log, func() instant { return instant{time.Now().Round(0), run()} })
}

func newClock(log *slog.Logger, local func() instant) *Clock {
	c := &Clock{local: local, log: log, set: make(chan struct{}, 1)}
	c.seen.Store(&reading{instant: local()})
	return c
}

// Now is the time of day, as far as is known. After the machine's clock was set
// it is what S3 told last, and what has gone by since, until S3 tells it anew.
func (c *Clock) Now() time.Time {
	now, seen := c.local(), c.seen.Load()
	if now.since(seen.instant).Abs() > tolerance {
		select {
		case c.set <- struct{}{}:
		default:
		}
		if seen.told {
			return seen.day.Add(now.run - seen.run - seen.ahead)
		}
	}
	return now.day.Add(-seen.ahead)
}

// Compare asks S3 once. Without an answer the clock goes on as it did.
func (c *Clock) Compare(ctx context.Context, ask Ask) {
	asking, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	sent := c.local()
	told, err := ask(asking)
	now := c.local()
	if err == nil && now.since(sent).Abs() > tolerance {
		err = errSet
	}
	switch {
	case err == nil:
		c.failures.Store(0)
	case ctx.Err() != nil:
		return // nobody waits for it
	default:
		level := slog.LevelDebug
		if c.failures.Add(1) == 1 {
			level = slog.LevelWarn
		}
		c.log.Log(ctx, level, "this machine's clock cannot be compared with the storage's", "error", err.Error())
		return
	}
	// It was told about half-way, and without its fraction of a second.
	told = told.Add((now.run - sent.run + time.Second) / 2)
	ahead := now.day.Sub(told).Round(time.Second)
	if ahead.Abs() <= tolerance {
		ahead = 0
	}
	before := c.seen.Swap(&reading{now, ahead, true}).ahead
	switch {
	case ahead == 0 && before != 0:
		c.log.Info("this machine's clock is right again")
	case (ahead - before).Abs() > tolerance:
		c.log.Warn("this machine's clock is wrong, so the storage's is used: set it, by NTP for instance", "ahead", ahead.String())
	}
}

// Follow asks S3 every time that it is told to, when the machine's clock was set,
// and again where it was not answered, until ctx is done.
func (c *Clock) Follow(ctx context.Context, ask Ask, every <-chan time.Time) {
	for {
		failures := c.failures.Load()
		select {
		case <-time.After(min(pause<<min(max(failures-1, 0), 10), Every)):
		case <-ctx.Done():
			return
		}
		if failures == 0 {
			select {
			case <-every:
			case <-c.set:
			case <-ctx.Done():
				return
			}
		}
		c.Compare(ctx, ask)
	}
}
