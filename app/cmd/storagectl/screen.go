package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"
)

const (
	redrawEvery = 100 * time.Millisecond // often enough to look alive

	// What terminals obey. Source: ECMA-48, 8.3.22 (CUU) and 8.3.39 (ED).
	cursorUp   = "\x1b[%dA"
	clearBelow = "\r\x1b[J"
)

// screen shows lines at the bottom of a terminal and keeps them up to date, by a
// goroutine of its own, until it is closed.
type screen struct {
	out  io.Writer
	size func() (width, height int)
	show func(width, height int) []string // the lines as of now

	mu    sync.Mutex
	shown []string
	stop  chan struct{}
	ended chan struct{}
}

func newScreen(out io.Writer, size func() (int, int), show func(width, height int) []string) *screen {
	s := &screen{out: out, size: size, show: show, stop: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		tick := time.NewTicker(redrawEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.draw()
			case <-s.stop:
				return
			}
		}
	}()
	return s
}

// draw replaces what is shown, in one write, so that it does not flicker.
func (s *screen) draw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	width, height := s.size()
	var b strings.Builder
	b.WriteString(s.erasure(width))
	s.shown = s.show(width, height)
	for _, line := range s.shown {
		b.WriteString(line + "\n")
	}
	_, _ = io.WriteString(s.out, b.String()) // a terminal that is gone shows nothing
}

// erasure takes away what is shown. On a terminal that got narrower meanwhile, a
// line takes several.
func (s *screen) erasure(width int) string {
	up := 0
	for _, line := range s.shown {
		up += max(1, (runewidth.StringWidth(line)+width-1)/max(width, 1))
	}
	if up == 0 {
		return ""
	}
	return fmt.Sprintf(cursorUp, up) + clearBelow
}

// above makes room for what write writes, and draws nothing until it has: what is
// written below the lines would be taken for one of them.
func (s *screen) above(write func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	width, _ := s.size()
	_, _ = io.WriteString(s.out, s.erasure(width))
	s.shown = nil
	return write()
}

// close ends it. What is shown stays as of now, or goes.
func (s *screen) close(stay bool) {
	close(s.stop)
	<-s.ended
	if stay {
		s.draw()
		return
	}
	_ = s.above(func() error { return nil })
}
