//go:build linux

package lab

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const unit = "storaged.service"

// during has callers go on while something is wrong, and returns what they saw. It goes on until every machine serves
// again.
func (l *lab) during(ctx context.Context, s *Scenario, fault func(context.Context) error) (traffic, error) {
	end := l.callers(ctx, s)
	defer end()
	if err := pause(ctx, settle); err != nil {
		return traffic{}, err
	}
	at := time.Now()
	if err := fault(ctx); err != nil {
		return traffic{}, err
	}
	if err := l.controller.whole(ctx, fleetSize); err != nil {
		return traffic{}, err
	}
	s.figure("whole again after", "%s", seconds(time.Since(at)))
	if err := pause(ctx, settle); err != nil {
		return traffic{}, err
	}
	t := end()
	return t, nil
}

// answersAgain waits until a machine answers a probe.
func (l *lab) answersAgain(ctx context.Context, m *machine) error {
	err := until(ctx, func() bool { return m.off() || l.controller.balancer.answers(ctx, l.port(m)) == "" })
	if err == nil && m.off() {
		return fmt.Errorf("%s was found unhealthy and replaced meanwhile", m.ID)
	}
	return err
}

// restart is how long the API may be away after a crash: the unit's pause of 1 s, and a busy machine's start.
const restart = 5 * time.Second

// diskFull fills one machine's disk and kills the API on it: neither serving nor starting again needs room.
func (l *lab) diskFull(ctx context.Context, s *Scenario) error {
	victim, err := l.controller.victim()
	if err != nil {
		return err
	}
	const fill = "/var/filled"
	t, err := l.during(ctx, s, func(ctx context.Context) error {
		left, err := victim.run(ctx, "sh", "-c", "cat /dev/zero 2>/dev/null >"+fill+"; df --output=avail / | tail -n 1")
		if err != nil {
			return err
		}
		s.promise(strings.TrimSpace(left) == "0", "the disk is not full: %s KiB left", strings.TrimSpace(left))
		if err := pause(ctx, settle); err != nil {
			return err
		}
		if _, err := victim.run(ctx, "systemctl", "kill", "--signal=KILL", unit); err != nil {
			return err
		}
		if err := l.answersAgain(ctx, victim); err != nil {
			return err
		}
		if err := pause(ctx, settle); err != nil {
			return err
		}
		_, err = victim.run(ctx, "rm", fill)
		return err
	})
	s.lost(t, restart)
	return err
}

// scale makes the fleet one machine larger and small again, as a policy or a person does.
func (l *lab) scale(ctx context.Context, s *Scenario) error {
	c := l.controller
	one, err := c.victim()
	if err != nil {
		return err
	}
	group := one.Group
	t, err := l.during(ctx, s, func(ctx context.Context) error {
		began := time.Now()
		if err := c.resize(ctx, group, fleetSize+1); err != nil {
			return err
		}
		if err := c.whole(ctx, fleetSize+1); err != nil {
			return err
		}
		s.figure("one machine more, in service after", "%s", seconds(time.Since(began)))
		if err := pause(ctx, settle); err != nil {
			return err
		}
		began = time.Now()
		if err := c.resize(ctx, group, fleetSize); err != nil {
			return err
		}
		if err := until(ctx, func() bool { return c.size() == fleetSize }); err != nil {
			return err
		}
		s.figure("one machine less, drained and gone after", "%s", seconds(time.Since(began)))
		return nil
	})
	s.promise(t.failed() == 0, "%d requests failed", t.failed())
	return err
}

// crash kills the API on one machine; its unit starts it again.
func (l *lab) crash(ctx context.Context, s *Scenario) error {
	victim, err := l.controller.victim()
	if err != nil {
		return err
	}
	t, err := l.during(ctx, s, func(ctx context.Context) error {
		if _, err := victim.run(ctx, "systemctl", "kill", "--signal=KILL", unit); err != nil {
			return err
		}
		return l.answersAgain(ctx, victim)
	})
	s.lost(t, restart)
	return err
}

// hang stops the API on one machine without ending it: it takes connections and answers nothing.
func (l *lab) hang(ctx context.Context, s *Scenario) error {
	victim, err := l.controller.victim()
	if err != nil {
		return err
	}
	t, err := l.during(ctx, s, func(ctx context.Context) error {
		if _, err := victim.run(ctx, "systemctl", "kill", "--signal=STOP", unit); err != nil {
			return err
		}
		return until(ctx, func() bool { return !l.controller.balancer.healthy(victim.ID) })
	})
	s.lost(t, l.controller.balancer.window()+time.Second)
	return err
}

// outage is how long a service is gone.
const outage = 60 * time.Second

// metadataOutage is longer than the API waits between two tries to renew its credentials.
const metadataOutage = 90 * time.Second

// metadataGone cuts the machines off from new credentials, which they ask for every minute. Theirs are good for longer.
func (l *lab) metadataGone(ctx context.Context, s *Scenario) error {
	t, err := l.during(ctx, s, func(ctx context.Context) error {
		l.controller.metadata.unmet.Store(0)
		l.controller.metadata.gone.Store(true)
		defer l.controller.metadata.gone.Store(false)
		return pause(ctx, metadataOutage)
	})
	unmet := l.controller.metadata.unmet.Load()
	s.figure("requests for credentials meanwhile", "%d", unmet)
	s.promise(unmet > 0, "no machine asked for credentials meanwhile")
	s.promise(t.failed() == 0, "%d requests failed", t.failed())
	return err
}

// storeFails breaks S3 for a minute. Lists may fail; signatures need no S3, the client tries for longer than a minute, and
// no machine is to blame.
func storeFails(f storeFault) func(*lab, context.Context, *Scenario) error {
	return func(l *lab, ctx context.Context, s *Scenario) error {
		before := ids(l.controller.running())
		var healed time.Time
		t, err := l.during(ctx, s, func(ctx context.Context) error {
			l.controller.store.fault.Store(int32(f))
			defer l.controller.store.fault.Store(int32(storeWell))
			err := pause(ctx, outage)
			healed = time.Now()
			return err
		})
		if err != nil {
			return err
		}
		s.promise(before == ids(l.controller.running()), "machines were replaced: %s, then %s", before, ids(l.controller.running()))
		s.promise(t.failed() == t.Lists, "%d requests failed that need no S3", t.failed()-t.Lists)
		switch f {
		case storeGone:
			s.promise(t.Lists > 0, "no list failed, so S3 was not gone")
		case storeSlow:
			s.promise(t.Lists == 0, "%d lists failed", t.Lists)
			s.promise(t.Max >= storeDelay, "no list took %s, so S3 was not slow", storeDelay)
		case storeResets:
			s.promise(l.controller.store.count.Load() > 0, "S3 was asked for nothing")
		}
		const slack = 5 * time.Second
		s.promise(t.lastFailure.Before(healed.Add(slack)), "requests failed %s after S3 was back", seconds(t.lastFailure.Sub(healed)))
		return nil
	}
}

func ids(machines []*machine) string {
	var all []string
	for _, m := range machines {
		all = append(all, m.ID)
	}
	return strings.Join(all, " ")
}
