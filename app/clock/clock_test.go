package clock

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
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
		c.Compare(t.Context(), s3)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			c.Follow(ctx, s3, nil)
			close(ended)
		}()
		for _, m.ahead = range []time.Duration{time.Hour, -time.Hour, 0} {
			for range 2 { // at once, and when it was compared
				if d := time.Until(c.Now()); d.Abs() > 2*time.Second {
					t.Errorf("set by %s: %s off", m.ahead, d)
				}
				time.Sleep(3 * time.Second)
			}
		}
		stop()
		<-ended
		if !strings.Contains(log.String(), "right again") {
			t.Errorf("logged %q", log.String())
		}
	})
}

func TestUntilS3HasToldTheTimeTheMachineIsBelievedHoweverItIsSet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &machine{ahead: -time.Hour, start: time.Now()}
		c := newClock(slog.New(slog.DiscardHandler), m.local)
		m.ahead = 0 // as a machine that has just booted hears of NTP
		if d := time.Until(c.Now()); d != 0 {
			t.Errorf("%s off", d)
		}
	})
}

func TestTheMachinesOwnClockGoesOn(t *testing.T) {
	t.Parallel()
	c := New(slog.New(slog.DiscardHandler))
	before := c.local()
	if d := time.Until(c.Now()); d.Abs() > time.Minute {
		t.Errorf("%s off", d)
	}
	if now := c.local(); now.run < before.run || now.since(before).Abs() > tolerance {
		t.Errorf("%v, then %v", before, now)
	}
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

func TestAFailedQuestionIsAskedAgainWithAGrowingPause(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		step time.Duration // of the machine's clock, which Now then sees at each call
		lost int           // questions after the first that get no answer
		want []time.Duration
	}{
		"once":         {0, 0, []time.Duration{1}},
		"a while":      {0, 3, []time.Duration{1, 3, 7, 15}},
		"for long":     {0, 10, []time.Duration{1, 3, 7, 15, 31, 63, 127, 255, 511, 811, 1111}},
		"after a step": {time.Hour, 3, []time.Duration{1, 3, 7, 15}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				m := &machine{start: time.Now()}
				c := newClock(slog.New(slog.NewTextHandler(&log, nil)), m.local)
				m.ahead = test.step
				lost := test.lost + 1
				var asked []time.Duration
				ask := func(context.Context) (time.Time, error) {
					asked = append(asked, time.Since(m.start)/time.Second)
					if lost--; lost >= 0 {
						return time.Time{}, errors.New("S3 is away")
					}
					return time.Now().Truncate(time.Second), nil
				}
				c.Compare(t.Context(), ask)
				ctx, stop := context.WithCancel(t.Context())
				var tasks sync.WaitGroup
				tasks.Go(func() { c.Follow(ctx, ask, nil) })
				for until := m.start.Add((test.want[len(test.want)-1] + 60) * time.Second); time.Now().Before(until); {
					_ = c.Now()
					time.Sleep(time.Second / 2)
				}
				stop()
				tasks.Wait()
				// What Now saw before the answer may be asked about once more.
				if asked = asked[1:]; test.step != 0 {
					asked = asked[:len(test.want)]
				}
				if !slices.Equal(asked, test.want) {
					t.Errorf("asked after %d s, want %d", asked, test.want)
				}
				if d := time.Until(c.Now()); d.Abs() > 2*time.Second {
					t.Errorf("%s off", d)
				}
				if got := strings.Count(log.String(), "cannot be compared"); got != 1 {
					t.Errorf("%d lines of the series: %s", got, &log)
				}
			})
		})
	}
}

func TestAnEndIsNoFailure(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	c := New(slog.New(slog.NewTextHandler(&log, nil)))
	ctx, stop := context.WithCancel(t.Context())
	stop()
	c.Compare(ctx, func(ctx context.Context) (time.Time, error) { return time.Time{}, ctx.Err() })
	if log.Len() > 0 {
		t.Errorf("logged %s", &log)
	}
}

func TestAMachineThatIsSuspendedDuringTheQuestionIsNotTakenForAWrongClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		m := &machine{start: time.Now()}
		c := newClock(slog.New(slog.NewTextHandler(&log, nil)), m.local)
		asked := 0
		ask := func(ctx context.Context) (time.Time, error) {
			told, err := s3(ctx)
			if asked++; asked == 1 {
				time.Sleep(time.Hour)
				m.start = m.start.Add(time.Hour) // no clock of the machine that nobody sets has run
			}
			return told, err
		}
		c.Compare(t.Context(), ask)
		ctx, stop := context.WithCancel(t.Context())
		var tasks sync.WaitGroup
		tasks.Go(func() { c.Follow(ctx, ask, nil) })
		time.Sleep(10 * time.Second)
		stop()
		tasks.Wait()
		if d := time.Until(c.Now()); d != 0 || asked != 2 || strings.Contains(log.String(), "clock is wrong") {
			t.Errorf("%s off after %d questions: %s", d, asked, &log)
		}
	})
}
