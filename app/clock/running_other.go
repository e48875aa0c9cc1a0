//go:build !linux

package clock

import "time"

// running returns how long a clock runs, which may stand still in a suspended
// machine.
func running() func() time.Duration {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}
