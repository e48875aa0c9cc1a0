package clock

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// machine has a clock that is ahead of the time in the test's bubble.
type machine struct {
	ahead time.Duration
	start time.Time
}

func (m *machine) local() instant {
	now := time.Now()
	return instant{now.Add(m.ahead).Round(0), now.Sub(m.start)}
}

// s3 tells the time of the bubble, in whole seconds and after a while.
func s3(context.Context) (time.Time, error) {
	const way = time.Second / 2
	time.Sleep(way) // the bubble's time
	told := time.Now().Truncate(time.Second)
	time.Sleep(way)
	return told, nil
}

func TestItTellsTheTimeOfS3(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ahead, after time.Duration
		log          string
	}{
		"right":                    {0, 0, ""},
		"hardly ahead is believed": {50 * time.Second, 50 * time.Second, ""},
		"hardly behind":            {-50 * time.Second, -50 * time.Second, ""},
		"ahead":                    {time.Hour, 0, "ahead=1h0m0s"},
		"behind by years":          {-30000 * time.Hour, 0, "ahead=-30000h0m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				m := &machine{ahead: test.ahead, start: time.Now()}
				c := newClock(slog.New(slog.NewTextHandler(&log, nil)), m.local)
				if d := time.Until(c.Now()); d != test.ahead {
					t.Errorf("before it is compared, it is ahead by %s, want %s", d, test.ahead)
				}
				c.Compare(t.Context(), s3)
				if d := time.Until(c.Now()) - test.after; d.Abs() > 2*time.Second {
					t.Errorf("ahead by %s more than %s", d, test.after)
				}
				c.Compare(t.Context(), s3)
				if got := strings.Count(log.String(), "level="); got != min(len(test.log), 1) || !strings.Contains(log.String(), test.log) {
					t.Errorf("logged %q, want one line with %q", log.String(), test.log)
				}
			})
		})
	}
}

func TestAClockThatIsSetIsNoticed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		m := &machine{start: time.Now()}
		c := newClock(slog.New(slog.NewTextHandler(&log, nil)), m.local)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			c.Follow(ctx, s3, nil)
			close(ended)
		}()
		for _, m.ahead = range []time.Duration{time.Hour, -time.Hour, 0} {
			_ = c.Now() // the first to ask may be told a wrong time
			time.Sleep(3 * time.Second)
			if d := time.Until(c.Now()); d.Abs() > 2*time.Second {
				t.Errorf("set by %s: %s off", m.ahead, d)
			}
		}
		stop()
		<-ended
		if !strings.Contains(log.String(), "right again") {
			t.Errorf("logged %q", log.String())
		}
	})
}

func TestItIsComparedEveryWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &machine{start: time.Now()}
		c := newClock(slog.New(slog.DiscardHandler), m.local)
		ctx, stop := context.WithCancel(t.Context())
		asked := 0
		go func() {
			time.Sleep(time.Hour + pause)
			stop()
		}()
		c.Follow(ctx, func(ctx context.Context) (time.Time, error) {
			asked++
			return s3(ctx)
		}, time.Tick(Every))
		if want := int(time.Hour / Every); asked != want {
			t.Errorf("asked %d times in an hour, want %d", asked, want)
		}
	})
}

func TestWithoutAnAnswerItGoesOnAsItDid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &machine{ahead: time.Hour, start: time.Now()}
		c := newClock(slog.New(slog.DiscardHandler), m.local)
		c.Compare(t.Context(), s3)
		before := time.Now()
		c.Compare(t.Context(), func(ctx context.Context) (time.Time, error) {
			<-ctx.Done() // it does not wait for ever
			return time.Time{}, errors.New("S3 is away")
		})
		if d := time.Since(before); d != timeout {
			t.Errorf("it waited %s", d)
		}
		if d := time.Until(c.Now()); d.Abs() > 2*time.Second {
			t.Errorf("%s off", d)
		}
	})
}
