package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// running returns how long a clock runs that goes on in a suspended machine.
// Source: https://man7.org/linux/man-pages/man2/clock_gettime.2.html
func running() func() time.Duration {
	return func() time.Duration {
		var t unix.Timespec
		_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) // since Linux 2.6.39
		return time.Duration(t.Nano())
	}
}
