//go:build composer && linux

package composertest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process is a program that runs in a process group of its own.
type process struct {
	name  string
	pid   int
	log   string // the file of what it writes
	ended chan struct{}
	how   error // once it has ended
}

// start runs cmd with what it writes in a file.
func start(name string, cmd *exec.Cmd, log string) (*process, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	cmd.Stdout, cmd.Stderr = file, file
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL // if the tests are killed
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &process{name: name, pid: cmd.Process.Pid, log: log, ended: make(chan struct{})}
	go func() {
		p.how = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// stop sends a signal as a container's stop does, to the process or to its
// whole group, and the end to all of the group after grace.
func (p *process) stop(signal syscall.Signal, whole bool, grace time.Duration) {
	to := p.pid
	if whole {
		to = -to
	}
	_ = syscall.Kill(to, signal) // an error means that it has ended
	select {
	case <-p.ended:
	case <-time.After(grace):
	}
	_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	<-p.ended
}

// tail is the end of what it wrote.
func (p *process) tail() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	const most = 6000
	return fmt.Sprintf("== %s\n%s", p.name, text[max(0, len(text)-most):])
}

// markVariable is in the environment of all that a stack starts.
const markVariable = "COMPOSERTEST_STACK"

// marked are the processes whose environment has the mark, which children keep
// even when they leave their process group.
func marked(mark string) []int {
	var found []int
	entries, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, entry := range entries {
		environ, err := os.ReadFile(entry)
		if err != nil { // another user's, or it has ended
			continue
		}
		if bytes.Contains(environ, []byte(markVariable+"="+mark+"\x00")) {
			pid, _ := strconv.Atoi(strings.Split(entry, "/")[2])
			found = append(found, pid)
		}
	}
	return found
}

// patience is for a busy machine.
const patience = 10 * time.Minute

var errPatience = fmt.Errorf("not within %s", patience)

// eventually asks until done answers true. What it says last is in the failure.
func eventually(t *testing.T, what string, done func() (bool, string)) {
	t.Helper()
	if err := until(nil, done); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func until(ended <-chan struct{}, done func() (bool, string)) error {
	deadline, tick := time.After(patience), time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		ok, said := done()
		if ok {
			return nil
		}
		select {
		case <-deadline:
			return fmt.Errorf("%w: %s", errPatience, said)
		case <-ended:
			return errors.New("it has ended")
		case <-tick.C:
		}
	}
}
