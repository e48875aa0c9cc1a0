package emulator

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// shell starts a shell script as a process of the emulator would be started, and ends it with the test.
func shell(t *testing.T, script string) *running {
	t.Helper()
	r, err := start(command{path: "/bin/sh", args: []string{"-c", script}, log: filepath.Join(t.TempDir(), "log")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Stop(time.Second); err != nil {
			t.Error(err)
		}
	})
	return r
}

func TestAProcessIsStoppedOnceAndThenLeftAlone(t *testing.T) {
	t.Parallel()
	r := shell(t, "sleep 60")
	if !r.Alive() {
		t.Fatal("a process that was just started is not alive")
	}
	for range 2 {
		if err := r.Stop(5 * time.Second); err != nil {
			t.Fatal(err)
		}
		if r.Alive() {
			t.Fatal("alive after Stop")
		}
	}
}

func TestAProcessThatIgnoresSIGTERMIsKilled(t *testing.T) {
	t.Parallel()
	r := shell(t, "trap '' TERM; echo ready; while :; do sleep 0.1; done")
	waitForLine(t, r, "ready")
	if err := r.Stop(200 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if r.Alive() {
		t.Error("alive after SIGKILL")
	}
}

func TestStopEndsWhatTheProcessStarted(t *testing.T) {
	t.Parallel()
	r := shell(t, "sleep 60 & echo $!; wait")
	pid, err := strconv.Atoi(waitForLine(t, r, ""))
	if err != nil {
		t.Fatal(err)
	}
	child := Process{PID: pid, Started: startOf(pid)}
	if !child.Alive() {
		t.Fatal("the child does not run")
	}
	if err := r.Stop(5 * time.Second); err != nil {
		t.Fatal(err)
	}
	if !child.goneWithin(5 * time.Second) {
		t.Error("the child outlived its parent")
	}
}

func TestAnotherProcessUnderTheSameIDIsNotOurs(t *testing.T) {
	t.Parallel()
	r := shell(t, "sleep 60")
	recorded := Process{PID: r.PID, Started: "12345 of an earlier boot"}
	if recorded.Alive() {
		t.Error("a process that started at another time counts as the recorded one")
	}
	if err := recorded.Stop(time.Second); err != nil {
		t.Fatal(err)
	}
	if !r.Alive() {
		t.Error("a process that is not the recorded one was stopped")
	}
}

func TestNoProcessIsAliveWithoutItsStart(t *testing.T) {
	t.Parallel()
	for _, p := range []Process{{}, {PID: os.Getpid()}, {PID: -1, Started: "1"}, {PID: 1 << 30, Started: "1"}} {
		if p.Alive() {
			t.Errorf("%+v is alive", p)
		}
	}
}

func TestTheStartIsReadBehindTheLastParenthesis(t *testing.T) {
	t.Parallel()
	fields := " 1 5 5 0 -1 4194304 100 0 0 0 1 1 0 0 20 0 1 0 424242 1000 10"
	for name, c := range map[string]struct {
		stat string
		want string
	}{
		"plain":            {"7 (sleep) S" + fields, "424242"},
		"parentheses":      {"7 (a) Z (b)) S" + fields, "424242"},
		"a zombie is gone": {"7 (sleep) Z" + fields, ""},
		"cut short":        {"7 (sleep) S 1 2", ""},
		"empty":            {"", ""},
	} {
		started, _, _ := strings.Cut(startFromStat(c.stat), " ")
		if started != c.want {
			t.Errorf("%s: %q, want %q", name, started, c.want)
		}
	}
}

// waitForLine waits for the first line of a process's output that holds text, and returns it.
func waitForLine(t *testing.T, r *running, text string) string {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		content, err := os.ReadFile(r.log)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(content)) {
			if strings.HasSuffix(line, "\n") && strings.Contains(line, text) {
				return strings.TrimSpace(line)
			}
		}
		select {
		case <-r.exited:
			t.Fatalf("the process ended; it said %q", content)
		case <-time.After(5 * time.Millisecond):
		}
	}
	t.Fatalf("no line with %q", text)
	return ""
}
