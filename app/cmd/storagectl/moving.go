package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"cloudstorage/app/client"
	"cloudstorage/app/client/transfer"
	"cloudstorage/app/object"
)

// fileResult is a line of put and get.
type fileResult struct {
	Key  string `json:"key"`
	Path string `json:"path"` // on this machine; - is standard input
	Size int64  `json:"size"` // bytes
}

// speed are the flags of put and get about how files are moved.
type speed struct {
	concurrency int
	partSize    string
}

func (s *speed) flags(cmd *cobra.Command) {
	cmd.Flags().IntVar(&s.concurrency, "concurrency", transfer.DefaultConcurrency, "how many requests are in flight at once, 1 to 256")
	cmd.Flags().StringVar(&s.partSize, "part-size", "", "what a part of a large file has at least, 5MiB to 5GiB; what suits the file unless given")
}

// options reads the flags.
func (s *speed) options() (transfer.Options, error) {
	if s.concurrency < 1 || s.concurrency > 256 {
		return transfer.Options{}, usagef("--concurrency %d: say 1 to 256", s.concurrency)
	}
	o := transfer.Options{Concurrency: s.concurrency}
	if s.partSize != "" {
		size, err := parseSize(s.partSize)
		if err != nil || size < 5<<20 || size > 5<<30 {
			return o, usagef("--part-size %q: say 5MiB to 5GiB", s.partSize)
		}
		o.PartSize = size
	}
	return o, nil
}

// parseSize reads bytes, KiB, MiB or GiB.
func parseSize(text string) (int64, error) {
	digits := strings.TrimRight(text, "KMGTiB")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is no size", text)
	}
	shift, found := map[string]int{"": 0, "B": 0, "K": 10, "KiB": 10, "M": 20, "MiB": 20, "G": 30, "GiB": 30}[text[len(digits):]]
	if !found || n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("%q is no size", text)
	}
	return n << shift, nil
}

// parseRate reads bytes a second, with k, m or g behind them as curl and wget take
// it: 1024, 1024² and 1024³. "" is no limit.
// Source: https://curl.se/docs/manpage.html#--limit-rate
func parseRate(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	factor, digits := 1.0, text
	if i := strings.IndexByte("kmg", text[len(text)-1]|0x20); i >= 0 {
		factor, digits = math.Pow(1024, float64(i+1)), text[:len(text)-1]
	}
	n, err := strconv.ParseFloat(digits, 64)
	if strings.Trim(digits, "0123456789.") != "" || err != nil || n*factor < 1 || n*factor > 1<<50 {
		return 0, usagef("--limit-rate %q: say bytes a second, such as 500k, 2.5M or 1G", text)
	}
	return int64(n * factor), nil
}

// statePath is where interrupted uploads are noted, in the folder that the XDG
// Base Directory Specification names; "" where there is no home.
// Source: https://specifications.freedesktop.org/basedir-spec/latest/
func (p program) statePath() string {
	dir := p.getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) {
		if dir = p.home(); dir == "" {
			return ""
		}
		dir = filepath.Join(dir, ".local", "state")
	}
	return filepath.Join(dir, "storagectl")
}

// maxHeld is how many errors are held until all has ended; the rest is counted.
const maxHeld = 1000

// moving is a command that moves files: it reports those that have ended and
// shows how far the others are.
type moving struct {
	p    program
	o    *options
	c    *client.Client
	one  bool // file, of which more is said than a sum
	verb string

	ctx   context.Context
	stop  context.CancelFunc
	began time.Time
	shown *progress

	mu          sync.Mutex // of what follows
	files, size int64      // that have ended well
	text        string     // about the only one, or in place of the sum
	more        string     // behind the sum
	failed      int64
	held        []error
	fatal       error
}

func (p program) moving(ctx context.Context, o *options, c *client.Client, verb string, one bool, label string) *moving {
	m := &moving{p: p, o: o, c: c, one: one, verb: verb, began: time.Now()}
	m.ctx, m.stop = context.WithCancel(ctx)
	m.shown = p.progress(o, label)
	return m
}

// outcome reports a file. A server without /v1 is asked in the older way.
func (m *moving) outcome(o transfer.Outcome, older func(context.Context) (client.Result, error), text string) {
	if errors.Is(o.Err, client.ErrOlderServer) {
		var r client.Result
		r, o.Err = older(m.ctx)
		o.Size, o.Path = r.Size, r.Path
	}
	if o.Err != nil {
		m.fail(o.Key, o.Err)
		return
	}
	m.shown.ended(o.Key, true)
	if m.one {
		m.text = fmt.Sprintf(text, o.Key, o.Path) + " (" + byteCount(o.Size) + ")"
	}
	var write func() error
	if m.o.json { // text waits until the bar is gone
		write = func() error { return m.p.writeJSON(fileResult{string(o.Key), o.Path, o.Size}) }
	}
	m.succeeded(o.Size, write)
}

// succeeded counts a file that was moved, and writes what is to be said of it, if
// that is not nil.
func (m *moving) succeeded(size int64, write func() error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files++
	m.size += size
	m.write(write)
}

// note writes what is to be said of a file that was not moved.
func (m *moving) note(write func() error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.write(write)
}

func (m *moving) write(write func() error) {
	if write == nil {
		return
	}
	if err := m.shown.above(write); err != nil && m.fatal == nil {
		m.fatal = err
		m.stop()
	}
}

// fail notes why one file was not moved. What fails for all alike ends it.
func (m *moving) fail(key object.Key, err error) {
	m.shown.ended(key, false)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failed++
	switch {
	case m.fatal != nil:
	case m.one || forAll(err):
		m.fatal = err
		m.stop()
	case len(m.held) < maxHeld:
		if key != "" && !strings.Contains(err.Error(), string(key)) {
			err = fmt.Errorf("%s: %w", key, err)
		}
		m.held = append(m.held, err)
	}
}

// end notes why all of it ended early; nil is that it did not.
func (m *moving) end(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fatal == nil {
		m.fatal = err
	}
}

// finish returns the command's error, after the sum and all others'.
func (m *moving) finish() error {
	m.stop()
	m.shown.close(m.fatal == nil && m.failed == 0)
	for _, err := range m.held {
		m.p.complain(err)
	}
	if m.fatal != nil && (m.one || m.files == 0) {
		return m.fatal
	}
	if !m.one && m.text == "" {
		took := max(time.Since(m.began), time.Millisecond)
		rate := byteCount(int64(float64(m.size)/took.Seconds())) + "/s"
		m.text = fmt.Sprintf("%s %d files (%s) in %s, %s", m.verb, m.files, byteCount(m.size), took.Round(time.Millisecond), rate)
	}
	if !m.o.json {
		if err := m.p.report(m.o, m.text+m.more, nil); err != nil {
			return err
		}
	}
	switch {
	case m.fatal != nil:
		return m.fatal
	case m.failed > 0:
		return fmt.Errorf("%d of %d failed", m.failed, m.failed+m.files)
	}
	return nil
}
