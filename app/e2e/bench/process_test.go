package bench

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tick is the kernel's unit for a process's times: USER_HZ, 100 a second on
// every architecture that Go builds for.
const tick = 10 * time.Millisecond

// cpuTime is how long a process has computed so far, 0 where nobody tells.
func cpuTime(b *testing.B, p *os.Process) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(stat), ") ") // the program's name may have anything in it
	fields := strings.Fields(after)
	var sum int
	for _, f := range fields[11:13] { // utime, stime: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
		n, err := strconv.Atoi(f)
		if err != nil {
			b.Fatal(err)
		}
		sum += n
	}
	return time.Duration(sum) * tick
}

// peak is the most memory that a process had, in KiB.
func peak(b *testing.B, p *os.Process) int {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid))
	if err != nil {
		b.Skipf("only Linux tells what a process had: %v", err)
	}
	_, text, _ := strings.Cut(string(status), "VmHWM:")
	text, _, _ = strings.Cut(text, " kB")
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		b.Fatal(err)
	}
	return n
}
