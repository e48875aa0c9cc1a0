package main

import (
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

// progress shows on standard error how far files are, where that is a terminal,
// and does nothing elsewhere. It is safe for concurrent use.
type progress struct {
	p     program
	label string
	quiet bool

	mu     sync.Mutex
	meter  *meter
	screen *screen
	closed bool
}

func (p program) progress(o *options, label string) *progress {
	return &progress{p: p, label: label, quiet: o.quiet || !p.isTerminal(p.stderr) || p.getenv("TERM") == "dumb" || !obeys(p.stderr)}
}

// moved is a transfer.Options.Progress.
func (g *progress) moved(key object.Key, bytes, total int64) {
	if g.quiet {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	if g.meter == nil {
		// Not before the first byte can move: a failure to sign shows nothing.
		g.meter = newMeter(g.label, time.Now())
		g.screen = newScreen(g.p.stderr, func() (int, int) { return size(g.p.stderr) }, g.lines)
	}
	g.meter.moved(key, bytes, total, time.Now())
}

func (g *progress) lines(width, height int) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.meter.lines(time.Now(), width, height)
}

// of is the progress of the one file that there is.
func (g *progress) of(key object.Key) client.Progress {
	var before int64
	return func(done, total int64) {
		g.moved(key, done-before, total)
		before = done
	}
}

// ended notes that a file is not under way any more.
func (g *progress) ended(key object.Key, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.meter != nil {
		g.meter.end(key, ok)
	}
}

// above makes room for a line of standard output, which write writes.
func (g *progress) above(write func() error) error {
	g.mu.Lock()
	s := g.screen
	g.mu.Unlock()
	if s == nil {
		return write()
	}
	return s.above(write)
}

// close ends it: what is shown stays where all went well.
func (g *progress) close(ok bool) {
	g.mu.Lock()
	s := g.screen
	g.screen, g.closed = nil, true
	if ok && g.meter != nil {
		g.meter.total = max(g.meter.total, g.meter.done) // it may not have been known
	}
	g.mu.Unlock()
	if s != nil {
		s.close(ok)
	}
}

// size is that of the terminal, in columns and lines.
func size(stream any) (width, height int) {
	if f, ok := stream.(*os.File); ok {
		if width, height, err := term.GetSize(int(f.Fd())); err == nil && width > 0 && height > 0 {
			return width, height
		}
	}
	return 80, 24
}
