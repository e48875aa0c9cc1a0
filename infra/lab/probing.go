//go:build linux

package lab

import "time"

// probing is how a load balancer decides about a target: the numbers of a target group, in seconds and answers.
type probing struct{ Interval, Timeout, Healthy, Unhealthy int }

// window is how long a target that stops answering may be sent requests before it is found out, at most: it stops just
// after a good answer, and each probe that it misses takes its whole timeout.
func (p probing) window() time.Duration {
	return time.Duration(p.Interval*p.Unhealthy+p.Timeout) * time.Second
}

// health is what probes have said of one target. The zero value is a target that was just registered, of which one good answer
// makes a healthy one.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
type health struct {
	probed  bool // a first verdict has been given
	healthy bool
	streak  int // answers in a row that speak against the verdict
}

// saw counts a probe's result and tells whether the verdict changed.
func (h *health) saw(good bool, p probing) (changed bool) {
	if !h.probed && good {
		h.probed, h.healthy, h.streak = true, true, 0
		return true
	}
	if good == h.healthy {
		h.streak = 0
		return false
	}
	h.streak++
	needed := p.Healthy
	if h.healthy {
		needed = p.Unhealthy
	}
	if h.streak < needed {
		return false
	}
	h.probed, h.healthy, h.streak = true, good, 0
	return true
}
