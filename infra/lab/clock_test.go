//go:build linux

package lab

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"
)

// envTellsTime makes this program tell the time.
const envTellsTime = "CLOUDSTORAGE_LAB_TELLS_TIME"

// tellTime tells the time for every line that it reads.
func tellTime() int {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		_, _ = fmt.Fprintln(os.Stdout, time.Now().UnixNano())
	}
	return 0
}

func TestAClockIsWrongForOneProcessUntilItIsPutRight(t *testing.T) {
	t.Parallel()
	if runtime.GOARCH != "amd64" {
		t.Skip("how a clock is set is known on amd64 only")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), envTellsTime+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(out)
	ahead := func() time.Duration {
		t.Helper()
		if _, err := fmt.Fprintln(in); err != nil {
			t.Fatal(err)
		}
		var told int64
		if _, err := fmt.Fscanln(answers, &told); err != nil {
			t.Fatal(err)
		}
		return time.Until(time.Unix(0, told)).Round(time.Minute)
	}

	if d := ahead(); d != 0 {
		t.Fatalf("ahead by %s before anything was done", d)
	}
	c, err := findClock(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		if err := c.add(int32(by.Seconds())); err != nil {
			t.Fatal(err)
		}
		if d := ahead(); d != by {
			t.Errorf("ahead by %s, want %s", d, by)
		}
	}
	if err := c.right(); err != nil {
		t.Fatal(err)
	}
	if d := ahead(); d != 0 {
		t.Errorf("ahead by %s after it was put right", d)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
