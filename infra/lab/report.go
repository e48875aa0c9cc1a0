//go:build linux

package lab

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Report is what a lab showed.
type Report struct {
	Began     time.Time  `json:"began"`
	Took      string     `json:"took"`
	Scenarios []Scenario `json:"scenarios"`
}

// Scenario is one thing that was tried, with its figures and whether they are what was promised.
type Scenario struct {
	Key     string   `json:"key"` // what -only calls it
	Name    string   `json:"name"`
	Figures []Figure `json:"figures,omitempty"`
	Fault   string   `json:"fault,omitempty"` // what is not as promised; "": all is
	Load    *traffic `json:"load,omitempty"`
}

// Figure is a measured value.
type Figure struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// figure notes a measured value.
func (s *Scenario) figure(name, format string, args ...any) {
	s.Figures = append(s.Figures, Figure{name, fmt.Sprintf(format, args...)})
}

// promise notes a fault unless what was promised holds.
func (s *Scenario) promise(holds bool, format string, args ...any) {
	if holds {
		return
	}
	if s.Fault != "" {
		s.Fault += "; "
	}
	s.Fault += fmt.Sprintf(format, args...)
}

// saw adds a load's figures.
func (s *Scenario) saw(t traffic) {
	s.Load = &t
	lost := "0"
	if t.failed() > 0 {
		lost = fmt.Sprintf("%d (%s; %d of them lists), within %s", t.failed(), causes(t.Failed), t.Lists, seconds(t.Disturbed))
	}
	s.figure("requests", "%d at %d/s", t.Requests, rate)
	s.figure("failed", "%s", lost)
	s.figure("latency p50, p99, max", "%s, %s, %s", brief(t.P50), brief(t.P99), brief(t.Max))
	s.figure("files by the client", "%d there and back, %d failed", t.Transfers, sum(t.TransfersFailed))
	s.promise(t.Transfers > 0, "the client moved no file")
	s.promise(sum(t.TransfersFailed) == 0, "%d of the client's files failed", sum(t.TransfersFailed))
}

// lost promises that no more failed than one machine's share, for as long as it may take until it gets no more.
func (s *Scenario) lost(t traffic, within time.Duration) {
	s.promise(t.Disturbed <= within, "requests failed for %s, of at most %s", seconds(t.Disturbed), seconds(within))
	// Turns are taken; a second's worth is for the ends.
	most := int(rate*within.Seconds())/fleetSize + rate
	s.promise(t.failed() <= most, "%d requests failed, more than one machine's share of %d", t.failed(), most)
}

// Failed lists the scenarios that broke a promise.
func (r Report) Failed() []string {
	var names []string
	for _, s := range r.Scenarios {
		if s.Fault != "" {
			names = append(names, s.Name)
		}
	}
	return names
}

// Table prints the report for people.
func (r Report) Table(w io.Writer) error {
	var text strings.Builder
	for _, s := range r.Scenarios {
		verdict := "ok  "
		if s.Fault != "" {
			verdict = "FAIL"
		}
		fmt.Fprintf(&text, "%s  %s\n", verdict, s.Name)
		for _, f := range s.Figures {
			fmt.Fprintf(&text, "        %-38s %s\n", f.Name, f.Value)
		}
		if s.Fault != "" {
			fmt.Fprintf(&text, "        not as promised: %s\n", s.Fault)
		}
		if s.Load != nil && len(s.Load.TransfersFailed) > 0 {
			fmt.Fprintf(&text, "        the client said: %s\n", causes(s.Load.TransfersFailed))
		}
	}
	fmt.Fprintf(&text, "took %s\n", r.Took)
	_, err := io.WriteString(w, text.String())
	return err
}

// save writes the report for programs.
func (r Report) save(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

func brief(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	}
	return seconds(d)
}
