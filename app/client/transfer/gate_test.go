package transfer

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheGateNarrowsWhenAskedToAndWidensAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(8)
		round := func(throttled bool) {
			open := g.open
			for range open {
				if err := g.enter(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			for range open {
				g.leave(throttled)
			}
		}
		want := func(open int) {
			t.Helper()
			if g.open != open || len(g.free) != open {
				t.Fatalf("%d may be in flight, %d now; want %d", g.open, len(g.free), open)
			}
		}
		want(8)
		round(true) // all at once are one reason
		want(4)
		time.Sleep(time.Second)
		round(true)
		want(2)
		for g.open < 8 {
			before := g.open
			round(false)
			want(before + 1)
		}
		for range 3 {
			time.Sleep(time.Second)
			round(true)
		}
		time.Sleep(time.Second)
		round(true)
		want(1) // one always may
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if err := g.enter(ctx); err == nil {
			t.Error("a cancelled request entered")
		}
	})
}
