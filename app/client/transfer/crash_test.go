package transfer_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"cloudstorage/app/client"
	"cloudstorage/app/client/transfer"
	"cloudstorage/app/object"
)

var kills = flag.Int("kills", 10, "at how many random points each direction is killed")

// taskVariable makes this test's program one that moves a file, in a process of
// its own that can be killed.
const taskVariable = "TRANSFER_TEST_TASK"

// task says what that process does.
type task struct {
	Address, State string
	Up             *transfer.File
	Down           *object.Key
	Dir, Name      string
}

// runTask prints how many bytes are there, a line each time, and at last how
// many of them it moved.
func runTask(text string) int {
	var what task
	if err := json.Unmarshal([]byte(text), &what); err != nil {
		return 2
	}
	c, err := client.New(what.Address)
	if err != nil {
		return 2
	}
	var mu sync.Mutex
	var at int64
	x := transfer.New(c, transfer.Options{PartSize: 5 * mib, Concurrency: 3, State: what.State, Progress: func(_ object.Key, n, _ int64) {
		mu.Lock()
		defer mu.Unlock()
		at += n
		fmt.Fprintln(os.Stdout, at)
	}})
	code := 1
	done := func(o transfer.Outcome) {
		if o.Err != nil {
			fmt.Fprintln(os.Stderr, o.Err)
			return
		}
		fmt.Fprintln(os.Stdout, "moved", o.Moved, o.Verified)
		code = 0
	}
	ctx := context.Background() // SIGKILL ends it
	if what.Up != nil {
		x.Upload(ctx, slices.Values([]transfer.File{*what.Up}), done)
		return code
	}
	dir, err := os.OpenRoot(what.Dir)
	if err != nil {
		return 2
	}
	x.Download(ctx, slices.Values([]transfer.Remote{{Key: *what.Down, Size: client.UnknownSize, Dir: dir, Name: what.Name}}), done)
	return code
}

// run runs the task and kills it when so many bytes are there; negative lets it
// end. It returns how many bytes it moved, where it ended.
func (what task) run(t *testing.T, killAt int64) (moved int64, ended bool) {
	t.Helper()
	text, err := json.Marshal(what)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), taskVariable+"="+string(text))
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if words := strings.Fields(lines.Text()); words[0] == "moved" {
			ended = true
			moved, _ = strconv.ParseInt(words[1], 10, 64)
			if words[2] != "true" {
				t.Error("it was not verified")
			}
			continue
		}
		n, _ := strconv.ParseInt(lines.Text(), 10, 64)
		if killAt >= 0 && n >= killAt {
			_ = cmd.Process.Kill() // SIGKILL: nothing in it can prepare for that
		}
	}
	if err := cmd.Wait(); (err == nil) != ended {
		t.Fatalf("%v: %s", err, log.String())
	}
	return moved, ended
}

const crashSize = 24*mib + 321

func TestAnUploadThatIsKilledGoesOnWhereItEnded(t *testing.T) {
	t.Parallel()
	s := start(t)
	local := t.TempDir()
	fewer := 0
	for i := range *kills {
		k := object.Key(fmt.Sprintf("killed/%d", i))
		b := content(uint64(i), crashSize)
		what := task{Address: s.address, State: filepath.Join(local, "state"), Up: &transfer.File{Key: k, Path: write(t, filepath.Join(local, "file"), b)}}
		killAt := rand.Int64N(crashSize)
		if _, ended := what.run(t, killAt); ended {
			t.Logf("%d: it ended before it was killed", i)
		}
		moved, ended := what.run(t, -1)
		if !ended || moved > crashSize {
			t.Errorf("killed at %d bytes: moved %d more, ended %v", killAt, moved, ended)
		}
		if moved < crashSize {
			fewer++
		}
		same(t, fmt.Sprintf("killed at %d bytes", killAt), s.stored(k), b)
	}
	if left, _ := filepath.Glob(filepath.Join(local, "state", "*")); len(left) > 0 {
		t.Errorf("left %q", left)
	}
	if fewer == 0 {
		t.Error("each time all was sent again")
	}
}

func TestADownloadThatIsKilledGoesOnWhereItEnded(t *testing.T) {
	t.Parallel()
	s := start(t)
	x := transfer.New(s.client, transfer.Options{PartSize: 5 * mib})
	b := content(99, crashSize)
	k := object.Key("killed")
	if o := upload(t, x, transfer.File{Key: k, Path: write(t, filepath.Join(t.TempDir(), "x"), b)})[k]; o.Err != nil {
		t.Fatal(o.Err)
	}
	fewer := 0
	for i := range *kills {
		dir := root(t)
		what := task{Address: s.address, Down: &k, Dir: dir.Name(), Name: "file"}
		killAt := rand.Int64N(crashSize)
		_, early := what.run(t, killAt)
		if _, err := dir.Stat("file"); (err == nil) != early {
			t.Errorf("killed at %d bytes: ended %v, and yet %v", killAt, early, err)
		}
		moved, ended := what.run(t, -1)
		if !ended || moved > crashSize {
			t.Errorf("killed at %d bytes: moved %d more, ended %v", killAt, moved, ended)
		}
		if moved < crashSize {
			fewer++
		}
		got, err := dir.ReadFile("file")
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		same(t, fmt.Sprintf("killed at %d bytes", killAt), got, b)
		hidden(t, dir)
	}
	if fewer == 0 {
		t.Error("each time all was fetched again")
	}
}
