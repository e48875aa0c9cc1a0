// Package child runs the programs that tests need beside the product, each for
// as long as one test: they say when they are ready, answer a line with a line,
// and end when nobody talks to them any more.
package child

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"cloudstorage/app/e2e/build"
)

// patience is how long a program may take to answer on a busy machine; it takes
// some 20 ms on an idle one.
const patience = 60 * time.Second

// Child is a running program. It ends with its test.
type Child struct {
	name  string
	mu    sync.Mutex
	stdin io.WriteCloser
	lines <-chan string
	kill  func()
	wait  func() error
}

var programs sync.Map // func() (string, error) by name, each of which builds once

// Start builds the module app/e2e/<name>, once per content, runs it, and reads
// its first line, which is JSON, into ready. One that cannot be built or started
// fails the test: without it nothing would be checked.
func Start(t testing.TB, name string, ready any, args ...string) *Child {
	t.Helper()
	program, _ := programs.LoadOrStore(name, sync.OnceValues(func() (string, error) { return build.Program(name) }))
	path, err := program.(func() (string, error))()
	if err != nil {
		t.Fatalf("build the %s that the tests need: %v", name, err)
	}
	// It outlives t.Context, since servers that use it stop during the cleanup.
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), path, args...)
	log := &strings.Builder{}
	cmd.Stderr = log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start the %s: %v", name, err)
	}
	lines := make(chan string, 1)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	c := &Child{
		name:  name,
		stdin: stdin,
		lines: lines,
		kill:  func() { _ = cmd.Process.Kill() }, // an error means that it has ended
		wait: sync.OnceValue(func() error {
			for range lines { // cmd.Wait wants the output read to its end
			}
			return cmd.Wait()
		}),
	}
	t.Cleanup(func() {
		if err := c.stop(); err != nil {
			t.Errorf("stop the %s: %v\n%s", name, err, log)
		}
	})
	c.read(t, ready)
	return c
}

// Do sends a line and reads the line that answers it, which is JSON, into
// answer.
func (c *Child) Do(t testing.TB, line string, answer any) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := fmt.Fprintln(c.stdin, line); err != nil {
		t.Fatalf("tell the %s %s: %v", c.name, line, err)
	}
	c.read(t, answer)
}

// Stop ends the program and returns when it has gone, for tests of its absence.
func (c *Child) Stop() { _ = c.stop() }

// stop may be called twice.
func (c *Child) stop() error {
	// Closing its input ends it; the timer is for when it does not.
	timer := time.AfterFunc(patience, c.kill)
	defer timer.Stop()
	_ = c.stdin.Close()
	return c.wait()
}

func (c *Child) read(t testing.TB, v any) {
	t.Helper()
	select {
	case line, ok := <-c.lines:
		if !ok {
			t.Fatalf("the %s ended early", c.name)
		}
		if err := json.Unmarshal([]byte(line), v); err != nil {
			t.Fatalf("the %s said %q: %v", c.name, line, err)
		}
	case <-time.After(patience):
		c.kill()
		t.Fatalf("the %s did not answer within %s", c.name, patience)
	}
}
