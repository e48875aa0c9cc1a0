//go:build race

package s3store_test

// raceEnabled says that the race detector runs, under which a sync.Pool forgets
// on purpose.
const raceEnabled = true
