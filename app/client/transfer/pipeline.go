package transfer

import (
	"iter"
	"sync"
)

// stages are what is done to each of many items, one after the other; several
// items are in each stage at once.
type stages[T any] struct {
	prepare func(T) bool // false: nothing is left to be done
	sign    func([]T) []T
	send    func(T)

	ahead            int // how many are prepared, and signed, before they are sent
	preparers, lanes int
}

// run returns when all is done. The signing stage takes whatever is ready, so
// that one call signs many.
func (s stages[T]) run(items iter.Seq[T]) {
	todo, prepared, signed := make(chan T), make(chan T, s.ahead), make(chan T, s.ahead)
	var preparers, rest sync.WaitGroup
	for range s.preparers {
		preparers.Go(func() {
			for item := range todo {
				if s.prepare(item) {
					prepared <- item
				}
			}
		})
	}
	rest.Go(func() {
		defer close(signed)
		for first := range prepared {
			for _, item := range s.sign(gather(first, prepared, s.ahead)) {
				signed <- item
			}
		}
	})
	for range s.lanes {
		rest.Go(func() {
			for item := range signed {
				s.send(item)
			}
		})
	}
	for item := range items {
		todo <- item
	}
	close(todo)
	preparers.Wait()
	close(prepared)
	rest.Wait()
}

// gather returns first and what else is there already.
func gather[T any](first T, more <-chan T, most int) []T {
	batch := []T{first}
	for len(batch) < most {
		select {
		case item, ok := <-more:
			if !ok {
				return batch
			}
			batch = append(batch, item)
		default:
			return batch
		}
	}
	return batch
}
