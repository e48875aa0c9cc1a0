//go:build linux

package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// processors is where the kernel shares the processors among control groups, in either of its layouts.
type processors struct {
	hierarchy, file string
	weight          int // of a group that nobody gave one
}

// Source: https://docs.kernel.org/scheduler/sched-design-CFS.html and https://docs.kernel.org/admin-guide/cgroup-v2.html
func findProcessors() processors {
	if old := "/sys/fs/cgroup/cpu"; exists(old) {
		return processors{old, "cpu.shares", 1024}
	}
	return processors{"/sys/fs/cgroup", "cpu.weight", 100}
}

const (
	// first is the weight of a lab, in per cent of the usual: machines that wait for processors are found unhealthy.
	first = 1000
	// usual is that of one whose machines build, beside the other.
	usual = 100
)

// prioritize moves this process, and all that it will start, into a control group with a weight. Being nice would not do:
// where the kernel groups processes by session (sched(7), autogroup), it counts within a session only.
func prioritize(name string, percent int) error {
	p := findProcessors()
	dir := filepath.Join(p.hierarchy, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("prioritize: %w", err)
	}
	for _, set := range []struct{ file, value string }{{p.file, strconv.Itoa(p.weight * percent / 100)}, {"cgroup.procs", "0"}} {
		if err := os.WriteFile(filepath.Join(dir, set.file), []byte(set.value), 0o644); err != nil {
			return fmt.Errorf("prioritize: %w", err)
		}
	}
	return nil
}
