//go:build linux

package lab

import (
	"testing"
	"time"
)

func TestATargetsHealthFollowsItsThresholds(t *testing.T) {
	t.Parallel()
	p := probing{Interval: 30, Timeout: 5, Healthy: 3, Unhealthy: 2}
	for name, test := range map[string]struct {
		probes string // + good, - bad
		want   string // the verdict after each: h healthy, . not
	}{
		"a new target needs one good answer":     {"--+", "..h"},
		"one bad answer changes nothing":         {"+-+-+", "hhhhh"},
		"two in a row do":                        {"+--", "hh."},
		"then one good answer is not enough":     {"+--++-+++", "hh......h"},
		"a target that never answers stays away": {"-----", "....."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var h health
			got := ""
			for _, probe := range test.probes {
				was := h.healthy
				if changed := h.saw(probe == '+', p); changed != (was != h.healthy) {
					t.Errorf("after %q: changed %v, healthy from %v to %v", got, changed, was, h.healthy)
				}
				got += map[bool]string{true: "h", false: "."}[h.healthy]
			}
			if got != test.want {
				t.Errorf("verdicts %s, want %s", got, test.want)
			}
		})
	}
}

func TestTheWindowIsWhatADeadTargetMayCost(t *testing.T) {
	t.Parallel()
	if got := (probing{Interval: 30, Timeout: 5, Healthy: 2, Unhealthy: 2}).window(); got != 65*time.Second {
		t.Errorf("%s", got)
	}
}
