package emulator

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process names a process so that a later run can find it again: its id alone may have been given to another
// process since, so the moment it was started goes with it.
type Process struct {
	PID     int    `json:"pid"`
	Started string `json:"started"` // opaque: equal only for the same process
}

// pollEvery is how often a process or an address is looked at while something waits for it.
const pollEvery = 50 * time.Millisecond

// Alive tells whether exactly this process still runs (a zombie does not).
func (p Process) Alive() bool {
	return p.PID > 0 && p.Started != "" && startOf(p.PID) == p.Started
}

// Stop ends the process and its group: SIGTERM, and SIGKILL when it is still there after grace. A process that is
// gone already, or whose id now belongs to another one, is left alone.
func (p Process) Stop(grace time.Duration) error {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if !p.Alive() {
			return nil
		}
		// Each of our processes leads its own group, so what it started ends with it.
		if err := syscall.Kill(-p.PID, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("ending process %d: %w", p.PID, err)
		}
		if p.goneWithin(grace) {
			return nil
		}
	}
	return fmt.Errorf("process %d is still there %s after SIGKILL", p.PID, grace)
}

func (p Process) goneWithin(d time.Duration) bool {
	deadline := time.Now().Add(d)
	for p.Alive() {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(pollEvery)
	}
	return true
}

// startOf returns what tells a running process from any other that ever had its id, "" where none runs.
func startOf(pid int) string {
	if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil {
		return startFromStat(string(stat))
	} else if _, err := os.Stat("/proc/self/stat"); err == nil {
		return ""
	}
	// Where there is no /proc (macOS, BSD), ps knows.
	out, err := exec.Command("ps", "-o", "stat=", "-o", "lstart=", "-p", strconv.Itoa(pid)).Output() //nolint:noctx // returns at once
	if err != nil {
		return ""
	}
	state, started, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if strings.HasPrefix(state, "Z") {
		return ""
	}
	return strings.TrimSpace(started)
}

// startFromStat reads the start time (field 22, in ticks since boot) from /proc/<pid>/stat. The command's name
// (field 2) may hold spaces and parentheses, so the fields are counted from its last parenthesis.
func startFromStat(stat string) string {
	i := strings.LastIndexByte(stat, ')')
	if i < 0 {
		return ""
	}
	fields := strings.Fields(stat[i+1:])
	const state, startTime = 0, 19
	if len(fields) <= startTime || fields[state] == "Z" || fields[state] == "X" {
		return ""
	}
	return fields[startTime] + " " + bootID()
}

// bootID tells one boot of the machine from the next: ticks since boot repeat.
func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}

// command is a program that outlives the one that starts it.
type command struct {
	path string
	args []string
	env  []string
	dir  string
	log  string // its output goes here, from an empty file
}

// running is a started command, while its parent lives.
type running struct {
	Process
	log    string
	exited chan struct{} // closed when it ended
}

// start runs the command in its own session, so that it leads its own group and a Ctrl-C meant for us does not
// reach it.
func start(c command) (*running, error) {
	if err := os.MkdirAll(filepath.Dir(c.log), 0o755); err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.path, err)
	}
	log, err := os.Create(c.log)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.path, err)
	}
	// The child has its own copy of the descriptor.
	defer func() { _ = log.Close() }()

	cmd := exec.Command(c.path, c.args...) //nolint:noctx // it outlives us on purpose
	cmd.Env, cmd.Dir = c.env, c.dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.path, err)
	}
	r := &running{log: c.log, exited: make(chan struct{})}
	r.PID = cmd.Process.Pid
	r.Started = startOf(r.PID)
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		close(r.exited)
	}()
	return r, nil
}

// until polls done until it says so, the process ends, or ctx does.
func (r *running) until(ctx context.Context, done func(context.Context) bool) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if done(ctx) {
			return nil
		}
		select {
		case <-r.exited:
			return errors.New("it ended by itself")
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// tail is the end of a log file, to show with an error.
func tail(path string, lines int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(all) > lines {
		all = all[len(all)-lines:]
	}
	return strings.Join(all, "\n")
}
