//go:build linux

package lab

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

const (
	// envEnd tells the process that Isolated starts how to end.
	envEnd = "CLOUDSTORAGE_LAB_TEST_END"
	// envRoot makes this program one that runs a lab in that folder, as cmd/lab does.
	envRoot = "CLOUDSTORAGE_LAB_TEST_ROOT"
	// made is what the pretended lab says when it has made everything.
	made = "made"
)

func TestMain(m *testing.M) {
	code := 0
	switch root := os.Getenv(envRoot); {
	case Inside():
		code = pretend(os.Getenv(envEnd))
	case root != "":
		code = runLab(root)
	case os.Getenv(envTellsTime) != "":
		code = tellTime()
	default:
		code = m.Run()
	}
	os.Exit(code) //nolint:forbidigo // it is the process's main
}

func runLab(root string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := Isolated(ctx, Options{Root: root, Out: os.Stdout}, nil); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// pretend makes one of everything that a lab makes, and ends.
func pretend(end string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	dir := Options{Root: os.Getenv(envRoot)}.runDir()
	err := errors.Join(prioritize(os.Getenv(envInside), first), enter(dir), buildNetworks(ctx), writeFile(filepath.Join(dir, "file"), "content"))
	for _, h := range hierarchies() {
		err = errors.Join(err, sh(context.Background(), `mkdir -p %[1]s/m; sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >%[1]s/m/cgroup.procs`, filepath.Join(h, os.Getenv(envInside))))
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "pretend:", err)
		return 2
	}
	_, _ = fmt.Fprintln(os.Stdout, made)
	switch end {
	case "well":
		return 0
	case "by a signal":
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
	t.Parallel()
	needRoot(t)
	for _, c := range []struct {
		end    string
		signal os.Signal
		code   int
	}{
		{"well", nil, 0},
		{"badly", nil, 1},
		{"by a signal", os.Interrupt, 1},
		{"by a signal", syscall.SIGTERM, 1},
	} {
		t.Run(fmt.Sprint(c.end, c.signal), func(t *testing.T) {
			t.Parallel()
			o := Options{Root: t.TempDir()}
			code, name := lived(t, o, c.end, c.signal)
			if code != c.code {
				t.Errorf("ended with %d, want %d", code, c.code)
			}
			if left, err := leftovers(o, name); err != nil || len(left) > 0 {
				t.Errorf("left: %q, %v", left, err)
			}
		})
	}
}

func TestALabThatIsKilledLeavesFoldersForTheNextOne(t *testing.T) {
	t.Parallel()
	needRoot(t)
	o := Options{Root: t.TempDir()}
	_, killed := lived(t, o, "by a signal", syscall.SIGKILL)
	_, next := lived(t, o, "well", nil)
	for _, name := range []string{killed, next} {
		if left, err := leftovers(o, name); err != nil || len(left) > 0 {
			t.Errorf("left: %q, %v", left, err)
		}
	}
}

// lived runs a lab as a process to its end, and returns its exit code and the name that it had.
func lived(t *testing.T, o Options, end string, with os.Signal) (code int, name string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), envEnd+"="+end, envRoot+"="+o.Root)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	name = cgroupPrefix + strconv.Itoa(cmd.Process.Pid)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() != made || with == nil {
			continue
		}
		if err := cmd.Process.Signal(with); err != nil {
			t.Error(err)
		}
	}
	err = cmd.Wait()
	if status := (&exec.ExitError{}); err != nil && !errors.As(err, &status) {
		t.Fatal(err)
	}
	t.Logf("%s", &said)
	return cmd.ProcessState.ExitCode(), name
}

func TestASecondLabIsRefused(t *testing.T) {
	t.Parallel()
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
