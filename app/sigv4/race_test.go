//go:build race

package sigv4_test

// raceEnabled says that the race detector runs, under which a sync.Pool forgets
// on purpose.
const raceEnabled = true
