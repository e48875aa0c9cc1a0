// Package benchclient says how fast the client is beside the one that is known
// to be fast, and others that people have, on the same machine, against the same storage and in the same run,
// since only ratios travel.
package benchclient

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// usage is what a program took.
type usage struct {
	wall, cpu time.Duration
	peak      int64  // bytes of memory at once
	said      string // on standard output
}

// measure runs a program to its end.
func measure(ctx context.Context, environ []string, name string, args ...string) (usage, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), environ...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return usage{}, err
	}
	over, peak := make(chan struct{}), make(chan int64)
	go func() { peak <- watch(cmd.Process.Pid, over) }()
	err := cmd.Wait()
	wall := time.Since(began)
	close(over)
	u := usage{wall, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), <-peak, out.String()}
	if err != nil {
		return usage{}, fmt.Errorf("%s: %w\n%.2000s", cmd, err, &complaint)
	}
	return u, nil
}

// watch returns the most memory that a process has had, as of its last
// milliseconds. What wait4 tells is that of whoever started it, if that had more.
func watch(pid int, over <-chan struct{}) (peak int64) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-over:
			return peak
		case <-tick.C:
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue
		}
		var kib int64
		if _, line, found := bytes.Cut(text, []byte("VmHWM:")); found {
			_, _ = fmt.Sscan(string(line), &kib)
			peak = max(peak, kib<<10)
		}
	}
}
