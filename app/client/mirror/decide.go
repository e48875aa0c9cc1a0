package mirror

import (
	"context"
	"iter"
	"sync"
)

// decided is an action after its contents were compared, or why they could not be.
type decided struct {
	Action
	err   error
	fatal bool // the plan broke off
}

// decide compares the contents of those of a plan's actions that need it, several
// at a time. What comes out is not in the plan's order.
func decide(ctx context.Context, plan iter.Seq2[Action, error], compare func(context.Context, Action) (Action, error), workers int) iter.Seq[decided] {
	return func(yield func(decided) bool) {
		ctx, stop := context.WithCancel(ctx)
		var feeder, comparers sync.WaitGroup
		defer feeder.Wait()
		defer stop()
		todo, out := make(chan Action), make(chan decided)
		tell := func(d decided) bool {
			select {
			case out <- d:
				return true
			case <-ctx.Done():
				return false
			}
		}
		for range workers {
			comparers.Go(func() {
				for a := range todo {
					a, err := compare(ctx, a)
					tell(decided{Action: a, err: err})
				}
			})
		}
		feeder.Go(func() {
			defer close(out)
			defer comparers.Wait()
			defer close(todo)
			for a, err := range plan {
				switch {
				case err != nil:
					tell(decided{err: err, fatal: true})
					return
				case a.Verb != Compare:
					if !tell(decided{Action: a}) {
						return
					}
					continue
				}
				select {
				case todo <- a:
				case <-ctx.Done():
					return
				}
			}
		})
		for d := range out {
			if !yield(d) {
				return
			}
		}
	}
}
