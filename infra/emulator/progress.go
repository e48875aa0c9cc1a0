package emulator

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Progress tells a person what is being done and how long it took: one line when a step begins, one when it
// ends. The zero value tells nobody.
type Progress struct {
	Out io.Writer

	mu sync.Mutex
}

// Step runs f under a name. What f returns is the step's result in a few words ("" prints only the time).
func (p *Progress) Step(name string, f func() (string, error)) error {
	p.printf("→ %s\n", name)
	began := time.Now()
	result, err := f()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if result != "" {
		result += ", "
	}
	p.printf("  %s%s\n", result, brief(time.Since(began)))
	return nil
}

// Note prints one line that belongs to the step that runs.
func (p *Progress) Note(format string, args ...any) {
	p.printf("  "+format+"\n", args...)
}

// Print prints as it is.
func (p *Progress) Print(format string, args ...any) {
	p.printf(format, args...)
}

func (p *Progress) printf(format string, args ...any) {
	if p == nil || p.Out == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	// A terminal that is gone is no reason to stop: the work goes on and its end is recorded elsewhere.
	_, _ = fmt.Fprintf(p.Out, format, args...)
}

// brief is a duration as a person reads it: 0.4 s, 63 s.
func brief(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}
