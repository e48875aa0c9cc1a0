//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// envEnd tells the process that Isolated starts how to end.
const envEnd = "CLOUDSTORAGE_LAB_TEST_END"

func TestMain(m *testing.M) {
	code := 0
	if Inside() {
		code = pretend(os.Getenv(envEnd))
	} else {
		code = m.Run()
	}
	os.Exit(code) //nolint:forbidigo // it is the process's main
}

// pretend makes one of everything that a lab makes, and ends.
func pretend(end string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	root, err := os.Getwd()
	if err == nil {
		err = errors.Join(enter(runDir(root)), buildNetworks(ctx), writeFile(filepath.Join(runDir(root), "file"), "content"))
	}
	for _, h := range hierarchies() {
		err = errors.Join(err, sh(context.Background(), `mkdir -p %[1]s/m; sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >%[1]s/m/cgroup.procs`, filepath.Join(h, os.Getenv(envInside))))
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "pretend:", err)
		return 2
	}
	switch end {
	case "well":
		return 0
	case "interrupted":
		<-ctx.Done()
	}
	return 1
}

// needRoot skips a test that makes namespaces, where this process may not.
func needRoot(t *testing.T) {
	t.Helper()
	if err := sh(t.Context(), "unshare --mount --pid --net --fork ip link"); err != nil {
		t.Skipf("no namespaces here, which need root: %v", err)
	}
}

func TestNothingIsLeftHoweverALabEnds(t *testing.T) {
	needRoot(t)
	for _, end := range []string{"well", "badly", "interrupted"} {
		t.Run(end, func(t *testing.T) {
			root := t.TempDir()
			t.Chdir(root)
			t.Setenv(envEnd, end)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if end == "interrupted" {
				go func() {
					defer cancel()
					running := filepath.Join(hierarchies()[0], ownName(), "m")
					for deadline := time.Now().Add(20 * time.Second); !exists(running) && time.Now().Before(deadline); {
						time.Sleep(10 * time.Millisecond)
					}
				}()
			}
			err := Isolated(ctx, root)
			status := (&exec.ExitError{})
			switch {
			case end == "well" && err != nil,
				end == "badly" && (!errors.As(err, &status) || status.ExitCode() != 1),
				end == "interrupted" && !errors.Is(err, context.Canceled):
				t.Errorf("ended by %v", err)
			}
			left, err := leftovers(root, ownName())
			if err != nil || len(left) > 0 {
				t.Errorf("left: %q, %v", left, err)
			}
		})
	}
}

func TestASecondLabIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	unlock, err := lockRun(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockRun(dir); err == nil {
		t.Error("two labs at once")
	}
	unlock()
	unlock, err = lockRun(dir)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}
