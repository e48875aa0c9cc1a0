//go:build linux

package lab

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// step is a scenario to go through.
type step struct {
	key   string // for -only
	name  string
	limit time.Duration
	when  occasion
	run   func(*lab, context.Context, *Scenario) error
}

// occasion is when a scenario is gone through, if nobody names it.
type occasion int

const (
	always occasion = iota
	quick           // in the quick run of the binary delivery, and in the full one
	full            // in the full run of the binary delivery
	fuller          // in the full run of either delivery
)

// steps are all scenarios, in the order that they are gone through.
var steps = []step{
	{"boot", "synthesize, apply, boot", 15 * time.Minute, always, (*lab).first},
	{"launch", "launches beside the bare image's", 20 * time.Minute, fuller, (*lab).launchMedians},
	{"refused", "what must be refused is refused", 5 * time.Minute, quick, (*lab).closed},
	{"permissions", "the role may do what it needs, and nothing else", 5 * time.Minute, full, (*lab).permissions},
	{"credentials", "wrong digest, expired credentials: never served", 3 * time.Minute, full, (*lab).neverServe},
	{"crash", "the API crashes on one machine", 2 * time.Minute, full, (*lab).crash},
	{"disk", "the disk of one machine is full, and the API crashes", 3 * time.Minute, full, (*lab).diskFull},
	{"kill", "one machine dies", 6 * time.Minute, quick, (*lab).death},
	{"deploy", "a deploy under load", 15 * time.Minute, quick, (*lab).newBuild},
	{"scale", "the fleet grows and shrinks under load", 5 * time.Minute, full, (*lab).scale},
	{"hang", "the API hangs on one machine", 6 * time.Minute, full, (*lab).hang},
	{"clock", "the clock of one machine is an hour off", 4 * time.Minute, full, (*lab).wrongClock},
	{"metadata", "the metadata service is gone while credentials are renewed", 3 * time.Minute, full, (*lab).metadataGone},
	{"s3-gone", "S3 is gone for a minute", 3 * time.Minute, full, storeFails(storeGone)},
	{"s3-slow", "S3 is slow for a minute", 3 * time.Minute, full, storeFails(storeSlow)},
	{"s3-resets", "S3 resets every third request's connection for a minute", 3 * time.Minute, full, storeFails(storeResets)},
	{"tampered", "a deploy of a tampered release, and the next", 20 * time.Minute, full, (*lab).tampered},
	{"audit", "nothing is lost", 3 * time.Minute, always, (*lab).nothingLost},
}

// Keys are the names that Options.Only takes.
func Keys() []string {
	var keys []string
	for _, s := range steps {
		keys = append(keys, s.key)
	}
	return keys
}

// CheckOptions says what a lab cannot do.
func CheckOptions(o Options) error {
	for _, key := range o.Only {
		i := slices.IndexFunc(steps, func(s step) bool { return s.key == key })
		if i < 0 {
			return fmt.Errorf("there is no scenario %q: choose of %s", key, strings.Join(Keys(), ","))
		}
		if o.Source && (steps[i].when == quick || steps[i].when == full) {
			return fmt.Errorf("scenario %s is of the binary delivery: leave -delivery out", key)
		}
	}
	if _, known := mistakes[o.Break]; o.Break != "" && !known {
		return fmt.Errorf("there is no mistake %q: choose of %s", o.Break, strings.Join(Mistakes(), ","))
	}
	if o.Break != "" && o.Source {
		return fmt.Errorf("mistake %s is looked for with the binary delivery only", o.Break)
	}
	return nil
}

// chosen are the scenarios of a run. Without the first there is no system, and without the last nobody knows what is lost.
func chosen(o Options) []step {
	only := o.Only
	if m, broken := mistakes[o.Break]; broken && only == nil {
		only = []string{m.foundBy}
	}
	var found []step
	for _, s := range steps {
		var wanted bool
		switch {
		case s.when == always:
			wanted = true
		case only != nil:
			wanted = slices.Contains(only, s.key)
		case s.when == quick:
			wanted = !o.Source
		case s.when == full:
			wanted = o.Full && !o.Source
		case s.when == fuller:
			wanted = o.Full
		}
		if wanted {
			found = append(found, s)
		}
	}
	return found
}
