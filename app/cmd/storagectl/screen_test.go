package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// terminal is what a terminal shows of what it was sent.
type terminal struct {
	mu     sync.Mutex
	writes int
	lines  []string // above the cursor, which is at the start of a line
}

var control = regexp.MustCompile(`^\x1b\[(\d*)([AJ])`)

func (s *terminal) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	for rest := p; len(rest) > 0; {
		if m := control.FindSubmatch(rest); m != nil {
			if string(m[2]) == "A" {
				up, _ := strconv.Atoi(string(m[1]))
				s.lines = s.lines[:max(len(s.lines)-up, 0)]
			}
			rest = rest[len(m[0]):]
			continue
		}
		if rest[0] == '\r' {
			rest = rest[1:]
			continue
		}
		line, more, found := bytes.Cut(rest, []byte("\n"))
		if !found {
			return 0, fmt.Errorf("%q ends within a line", p)
		}
		s.lines = append(s.lines, string(line))
		rest = more
	}
	return len(p), nil
}

// count is how often it was written to.
func (s *terminal) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

func (s *terminal) want(t *testing.T, lines ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if got, want := strings.Join(s.lines, "\n"), strings.Join(lines, "\n"); got != want {
		t.Errorf("the terminal shows\n%s\nwant\n%s", got, want)
	}
}

func TestLinesAreRedrawnInPlaceAtMostTenTimesASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := &terminal{}
		shown := []string{"a", "b"}
		var mu sync.Mutex
		set := func(lines ...string) {
			mu.Lock()
			defer mu.Unlock()
			shown = lines
		}
		s := newScreen(out, func() (int, int) { return 80, 24 }, func(int, int) []string {
			mu.Lock()
			defer mu.Unlock()
			return shown
		})
		time.Sleep(time.Second + redrawEvery/2)
		if n := out.count(); n != 10 {
			t.Errorf("drawn %d times in a second", n)
		}
		out.want(t, "a", "b")
		set("c")
		time.Sleep(redrawEvery)
		out.want(t, "c")
		set("d", "e", "f")
		time.Sleep(redrawEvery)
		out.want(t, "d", "e", "f")
		if err := s.above(func() error {
			out.want(t)
			if s.mu.TryLock() {
				t.Error("the lines may be drawn before this one")
			}
			_, err := fmt.Fprintln(out, "a line of standard output")
			return err
		}); err != nil {
			t.Error(err)
		}
		time.Sleep(redrawEvery)
		out.want(t, "a line of standard output", "d", "e", "f")
		set("done")
		s.close(true)
		out.want(t, "a line of standard output", "done")
		writes := out.count()
		time.Sleep(time.Minute)
		if out.count() != writes {
			t.Error("it is drawn after its end")
		}
	})
}

func TestATerminalThatGetsNarrowerIsLeftClean(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := &terminal{}
		var mu sync.Mutex
		width := 80
		s := newScreen(out, func() (int, int) { mu.Lock(); defer mu.Unlock(); return width, 24 }, func(w, _ int) []string { return []string{strings.Repeat("x", w-1), "日本語"} })
		time.Sleep(redrawEvery * 3 / 2)
		out.mu.Lock()
		out.lines = []string{"above", strings.Repeat("x", 40), strings.Repeat("x", 39), "日本語"} // as the terminal wraps it
		out.mu.Unlock()
		mu.Lock()
		width = 40
		mu.Unlock()
		time.Sleep(redrawEvery)
		out.want(t, "above", strings.Repeat("x", 39), "日本語")
		s.close(false)
		out.want(t, "above")
	})
}
