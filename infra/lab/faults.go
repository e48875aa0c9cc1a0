//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"cloudstorage/app/settings/apisettings"
	"cloudstorage/infra/bootstrap"
	"cloudstorage/infra/emulator"
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
	victim := l.controller.running()[0]
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
	s.promise(t.Disturbed <= restart, "requests failed for %s", seconds(t.Disturbed))
	s.promise(sum(t.TransfersFailed) == 0, "%d of the client's files failed", sum(t.TransfersFailed))
	return err
}

// scale makes the fleet one machine larger and small again, as a policy or a person does.
func (l *lab) scale(ctx context.Context, s *Scenario) error {
	c := l.controller
	group := c.running()[0].Group
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
	s.promise(sum(t.TransfersFailed) == 0, "%d of the client's files failed", sum(t.TransfersFailed))
	return err
}

// crash kills the API on one machine; its unit starts it again.
func (l *lab) crash(ctx context.Context, s *Scenario) error {
	victim := l.controller.running()[0]
	t, err := l.during(ctx, s, func(ctx context.Context) error {
		if _, err := victim.run(ctx, "systemctl", "kill", "--signal=KILL", unit); err != nil {
			return err
		}
		return l.answersAgain(ctx, victim)
	})
	s.promise(t.Disturbed <= restart, "requests failed for %s", seconds(t.Disturbed))
	s.promise(sum(t.TransfersFailed) == 0, "%d of the client's files failed", sum(t.TransfersFailed))
	return err
}

// hang stops the API on one machine without ending it: it takes connections and answers nothing.
func (l *lab) hang(ctx context.Context, s *Scenario) error {
	victim := l.controller.running()[0]
	t, err := l.during(ctx, s, func(ctx context.Context) error {
		if _, err := victim.run(ctx, "systemctl", "kill", "--signal=STOP", unit); err != nil {
			return err
		}
		return until(ctx, func() bool { return !l.controller.balancer.healthy(victim.ID) })
	})
	s.promise(t.Disturbed <= l.controller.balancer.window()+time.Second, "requests failed for %s, longer than health checks take", seconds(t.Disturbed))
	return err
}

// outage is how long a service is gone.
const outage = 60 * time.Second

// metadataGone cuts the machines off from their credentials, which they have for hours.
func (l *lab) metadataGone(ctx context.Context, s *Scenario) error {
	t, err := l.during(ctx, s, func(ctx context.Context) error {
		l.controller.metadata.gone.Store(true)
		defer l.controller.metadata.gone.Store(false)
		return pause(ctx, outage)
	})
	s.promise(t.failed() == 0, "%d requests failed", t.failed())
	s.promise(sum(t.TransfersFailed) == 0, "%d of the client's files failed", sum(t.TransfersFailed))
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
		s.promise(sum(t.TransfersFailed) == 0, "%d of the client's files failed", sum(t.TransfersFailed))
		if f == storeSlow {
			s.promise(t.Lists == 0, "%d lists failed", t.Lists)
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

// shortWait is what the lab waits for a fleet that never serves, in place of the synthesized 10 minutes.
const shortWait = "60s"

// tampered deploys while the release in S3 is not the one that was built. No machine may run it, so the deploy fails, and
// the old fleet serves on; once the release is whole again, the next deploy heals everything.
func (l *lab) tampered(ctx context.Context, s *Scenario) error {
	c := l.controller
	old := ids(c.running())
	bucket, key, build, err := l.release(ctx)
	if err != nil {
		return err
	}
	end := l.callers(ctx, s)
	defer end()
	if err := c.store.put(ctx, bucket, key, append(build[:len(build):len(build)], 0)); err != nil {
		return err
	}
	if err := l.deployer.newBuild(); err != nil {
		return err
	}
	l.deployer.wait = shortWait
	began := time.Now()
	failed := l.deployer.apply(ctx)
	l.deployer.wait = ""
	s.figure("the deploy failed after", "%s (told to wait %s, not 10m)", seconds(time.Since(began)), shortWait)
	s.promise(failed != nil, "the deploy went well")
	s.promise(ids(c.running()) == old, "another fleet serves: %s, not %s", ids(c.running()), old)
	refused := 0
	c.mu.Lock()
	for id, m := range c.machines {
		if !strings.Contains(old, id) && strings.Contains(m.logs(), "is not the build with SHA-256") {
			refused++
		}
	}
	c.mu.Unlock()
	s.figure("machines that refused the release", "%d of %d", refused, fleetSize)
	s.promise(refused == fleetSize, "%d machines refused the release", refused)
	if err := c.store.put(ctx, bucket, key, build); err != nil {
		return err
	}
	began = time.Now()
	if err := l.deployer.apply(ctx); err != nil {
		return fmt.Errorf("the deploy after it: %w", err)
	}
	if err := c.whole(ctx, fleetSize); err != nil {
		return err
	}
	s.figure("healed by the next deploy after", "%s", seconds(time.Since(began)))
	t := end()
	s.promise(t.failed() == 0, "%d requests failed", t.failed())
	return nil
}

// release reads what a running machine's user-data pins, and the object.
func (l *lab) release(ctx context.Context) (bucket, key string, build []byte, err error) {
	files, err := bootstrap.Files(l.controller.running()[0].UserData)
	if err != nil {
		return "", "", nil, err
	}
	pinned := bootstrap.Variables(files[bootstrap.ReleasePath])
	bucket, key = pinned[bootstrap.EnvBucket], pinned[bootstrap.EnvKey]
	build, err = l.controller.api.Object(ctx, bucket, key)
	return bucket, key, build, err
}

// closed tries what nobody should be able to do, from inside a machine and from outside.
func (l *lab) closed(ctx context.Context, s *Scenario) error {
	machines := l.controller.running()
	if len(machines) < 2 {
		return fmt.Errorf("%d machines run", len(machines))
	}
	m, neighbour := machines[0], machines[1]
	bucket, key, _, err := l.release(ctx)
	if err != nil {
		return err
	}
	files, err := bootstrap.Files(m.UserData)
	if err != nil {
		return err
	}
	state := bootstrap.Variables(files[bootstrap.SettingsPath])[apisettings.EnvStateBucket]
	// It is there, so it is the refusal that is seen.
	if err := l.controller.store.put(ctx, bucket, "other/build", []byte("x")); err != nil {
		return err
	}
	const s3 = "aws --region " + emulator.Region + " "
	inside := []struct{ what, script, want string }{
		{"the neighbour's port", fmt.Sprintf("curl -sS -m 3 http://%s:%d/ 2>&1 || echo refused", neighbour.Address, l.controller.balancer.Port), "refused"},
		{"the internet", "curl -sS -m 3 http://" + clientAddress + "/ 2>&1 || echo refused", "refused"},
		{"metadata without a token", "curl -s -m 3 -o /dev/null -w %{http_code} http://" + metadataAddress + "/latest/meta-data/", "401"},
		{"writing a release", s3 + "s3 cp /etc/hostname s3://" + bucket + "/storaged/x 2>&1 || true", "AccessDenied"},
		{"deleting a release", s3 + "s3 rm s3://" + bucket + "/" + key + " 2>&1 || true", "AccessDenied"},
		{"listing the releases", s3 + "s3 ls s3://" + bucket + "/ 2>&1 || true", "AccessDenied"},
		{"reading beside the releases", s3 + "s3api get-object --bucket " + bucket + " --key other/build /dev/null 2>&1 || true", "AccessDenied"},
		{"writing beside the API's state", s3 + "s3api put-object --bucket " + state + " --key other 2>&1 || true", "AccessDenied"},
		{"another bucket", s3 + "s3 ls s3://" + foreignBucket + "/ 2>&1 || true", "AccessDenied"},
	}
	said := make([]string, len(inside))
	failed := make([]error, len(inside))
	var all sync.WaitGroup
	for n, try := range inside { // side by side: AWS's command line takes seconds to begin
		all.Go(func() { said[n], failed[n] = m.run(ctx, "sh", "-c", try.script) })
	}
	all.Wait()
	if err := errors.Join(failed...); err != nil {
		return err
	}
	for n, try := range inside {
		out := said[n]
		refused := strings.Contains(out, try.want)
		s.promise(refused, "%s: %s", try.what, lastLines(out, 1))
		s.figure("from a machine: "+try.what, "%s", map[bool]string{true: "refused", false: "NOT refused"}[refused])
	}
	b := l.controller.balancer
	open := 0
	for _, port := range []int{22, 80, 443, b.Port + 1, 8404} {
		if l.reaches(ctx, clientAddress, net.JoinHostPort(b.address.String(), fmt.Sprint(port))) {
			open++
		}
	}
	s.promise(open == 0, "%d ports beside the listener's are open", open)
	s.figure("from outside: other ports", "%d open of 5", open)
	direct := l.reaches(ctx, clientAddress, net.JoinHostPort(m.Address.String(), fmt.Sprint(b.Port)))
	s.promise(!direct, "a machine's port is open to the outside")
	stranger := l.reaches(ctx, strangerAddress, net.JoinHostPort(b.address.String(), fmt.Sprint(b.Listen)))
	s.promise(!stranger, "somebody who is not allowed reached the listener")
	s.figure("from outside: machines, strangers", "%v, %v", direct, stranger)
	// What is refused means nothing where what is allowed is refused, too.
	friend := l.reaches(ctx, clientAddress, net.JoinHostPort(b.address.String(), fmt.Sprint(b.Listen)))
	s.promise(friend, "the listener is closed to whom it allows")
	return nil
}

// reaches tells whether a connection from an outside address opens.
func (l *lab) reaches(ctx context.Context, from, to string) bool {
	const patience = 2 * time.Second
	err := internet.do(func() error {
		c, err := (&net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).DialContext(ctx, "tcp", to)
		if err != nil {
			return err
		}
		return c.Close()
	})
	return err == nil
}

// shorten changes how long the synthesized fleet is waited for.
func (d *deployer) shorten(wait string) error {
	path := filepath.Join(emulator.StackDir(d.outdir, d.environment+"-api"), "cdk.tf.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	const synthesized = `"wait_for_capacity_timeout": "10m"`
	if strings.Count(string(text), synthesized) != 1 {
		return fmt.Errorf("%s does not hold %s exactly once", path, synthesized)
	}
	return os.WriteFile(path, []byte(strings.Replace(string(text), synthesized, fmt.Sprintf(`"wait_for_capacity_timeout": %q`, wait), 1)), 0o644)
}
