//go:build linux

package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// fleetSize is what the lab's environment asks for.
const fleetSize = 2

// settle is how long a load runs before something happens to it, and after all is well again.
const settle = 5 * time.Second

// step is a scenario to go through.
type step struct {
	name  string
	limit time.Duration
	run   func(context.Context, *Scenario) error
}

func (l *lab) list() []step {
	if l.Source {
		return []step{
			{"synthesize, apply, build, boot: source delivery", 15 * time.Minute, l.first},
			{"nothing is lost", 3 * time.Minute, l.nothingLost},
		}
	}
	steps := []step{
		{"synthesize, apply, boot: binary delivery", 5 * time.Minute, l.first},
		{"the bare image boots", 3 * time.Minute, l.bare},
		{"what must be refused is refused", 3 * time.Minute, l.closed},
		{"the API crashes on one machine", 2 * time.Minute, l.crash},
		{"one machine dies", 5 * time.Minute, l.death},
		{"a deploy under load", 5 * time.Minute, l.newBuild},
	}
	if l.Full {
		steps = append(steps, []step{
			{"the API hangs on one machine", 6 * time.Minute, l.hang},
			{"the metadata service is gone for a minute", 3 * time.Minute, l.metadataGone},
			{"S3 is gone for a minute", 3 * time.Minute, l.storeFails(storeGone)},
			{"S3 is slow for a minute", 3 * time.Minute, l.storeFails(storeSlow)},
			{"a deploy of a tampered release, and the next", 12 * time.Minute, l.tampered},
		}...)
	}
	return append(steps, step{"nothing is lost", 3 * time.Minute, l.nothingLost})
}

// scenarios goes through all of them, in order. It stops at what leaves nothing to go on with; a broken promise does not.
func (l *lab) scenarios(ctx context.Context) error {
	if err := l.prepare(ctx); err != nil {
		return err
	}
	for _, s := range l.list() {
		result := Scenario{Name: s.name}
		err := l.Step(s.name, func() (string, error) {
			limited, cancel := context.WithTimeout(ctx, s.limit)
			defer cancel()
			return "", s.run(limited, &result)
		})
		if err != nil {
			result.promise(false, "%v", err)
		}
		l.report.Scenarios = append(l.report.Scenarios, result)
		if err := errors.Join(err, l.save()); err != nil {
			return err
		}
	}
	return nil
}

// first is the whole chain: what Terraform made boots, serves, and keeps a file.
func (l *lab) first(ctx context.Context, s *Scenario) error {
	began := time.Now()
	if err := l.deployer.apply(ctx); err != nil {
		return err
	}
	s.figure("apply, until the balancer sees the fleet", "%s", seconds(time.Since(began)))
	if err := l.controller.whole(ctx, fleetSize); err != nil {
		return err
	}
	var answered, inService []time.Duration
	l.controller.mu.Lock()
	launches := slices.Clone(l.controller.launches)
	l.controller.mu.Unlock()
	for _, m := range launches {
		answered, inService = append(answered, m.Answered), append(inService, m.InService)
	}
	slices.Sort(answered)
	slices.Sort(inService)
	s.figure("launch to first healthy answer", "%s (of %d)", seconds(median(answered)), len(answered))
	s.figure("launch to in service", "%s", seconds(median(inService)))
	if err := l.look(ctx); err != nil {
		return err
	}
	return l.useIt(ctx, s)
}

// useIt is what a person does, with the program that people get.
func (l *lab) useIt(ctx context.Context, s *Scenario) error {
	dir := filepath.Join(l.run, "person")
	content := []byte(strings.Repeat("all of it\n", 100_000))
	if err := writeFile(filepath.Join(dir, "up", "report.txt"), string(content)); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "down"), 0o755); err != nil {
		return err
	}
	if _, err := l.ctl(ctx, filepath.Join(dir, "up"), "upload", "--filename", "report.txt"); err != nil {
		return err
	}
	listed, err := l.ctl(ctx, dir, "list")
	if err != nil {
		return err
	}
	if _, err := l.ctl(ctx, filepath.Join(dir, "down"), "download", "--filename", "report.txt"); err != nil {
		return err
	}
	back, err := os.ReadFile(filepath.Join(dir, "down", "report.txt"))
	if err != nil {
		return err
	}
	s.promise(strings.Contains(listed, "report.txt"), "the list lacks the file: %s", listed)
	s.promise(bytes.Equal(back, content), "the file came back changed")
	s.figure("storagectl upload, list, download", "1 MB there and back")
	l.kept.keep("report.txt", content)
	return nil
}

// bare boots the same image with nothing to do, to tell what of a launch is the system's.
func (l *lab) bare(ctx context.Context, s *Scenario) error {
	var took []time.Duration
	fleet := l.controller.running()
	if len(fleet) == 0 {
		return errors.New("no machine runs")
	}
	for n := range 3 {
		i := fleet[0].instance
		i.ID = fmt.Sprintf("i-bare%04d", n)
		i.UserData = []byte("#cloud-config\n{}\n")
		for range 100 + n { // an address that nobody has
			i.Address = i.Address.Next()
		}
		m, err := l.controller.start(ctx, i)
		if err != nil {
			return err
		}
		for !m.booted() {
			select {
			case <-time.After(firstAnswer):
			case <-ctx.Done():
				return fmt.Errorf("%w\n%s", ctx.Err(), m.logs())
			}
		}
		took = append(took, time.Since(m.started))
		if err := errors.Join(m.kill(), m.discard(ctx)); err != nil {
			return err
		}
	}
	slices.Sort(took)
	s.figure("start to the end of cloud-init", "%s (median of %d)", seconds(median(took)), len(took))
	return nil
}

// death ends a machine from one moment to the next.
func (l *lab) death(ctx context.Context, s *Scenario) error {
	c := l.controller
	load := l.outside.begin(ctx, l.kept)
	defer load.stop()
	if err := pause(ctx, settle); err != nil {
		return err
	}
	victim := c.running()[0]
	at := time.Now()
	if err := victim.die(ctx); err != nil {
		return err
	}
	for c.balancer.healthy(victim.ID) {
		if err := pause(ctx, firstAnswer); err != nil {
			return err
		}
	}
	found := time.Since(at)
	if err := c.whole(ctx, fleetSize); err != nil {
		return err
	}
	replaced := time.Since(at)
	if err := pause(ctx, settle); err != nil {
		return err
	}
	t := load.end()
	s.figure("found out after", "%s (at most %s)", seconds(found), seconds(c.balancer.window()))
	s.figure("whole again after", "%s", seconds(replaced))
	s.saw(t)
	// A request that is sent in the window's last moment fails when the balancer gives it up.
	s.promise(t.Disturbed <= c.balancer.window()+time.Second, "requests failed for %s, longer than health checks take (%s)", seconds(t.Disturbed), seconds(c.balancer.window()))
	s.promise(sum(t.TransfersFailed) == 0, "%d of the client's files failed", sum(t.TransfersFailed))
	return nil
}

// newBuild replaces the fleet by another.
func (l *lab) newBuild(ctx context.Context, s *Scenario) error {
	before := map[string]bool{}
	for _, m := range l.controller.running() {
		before[m.ID] = true
	}
	load := l.outside.begin(ctx, l.kept)
	defer load.stop()
	if err := pause(ctx, settle); err != nil {
		return err
	}
	began := time.Now()
	if err := l.deployer.set("url_ttl: 10m", "url_ttl: 11m"); err != nil {
		return err
	}
	if err := l.deployer.apply(ctx); err != nil {
		return err
	}
	applied := time.Since(began)
	if err := l.controller.whole(ctx, fleetSize); err != nil {
		return err
	}
	gone := time.Since(began)
	if err := pause(ctx, settle); err != nil {
		return err
	}
	t := load.end()
	s.figure("apply", "%s", seconds(applied))
	s.figure("old fleet drained and gone after", "%s", seconds(gone))
	s.saw(t)
	for _, m := range l.controller.running() {
		s.promise(!before[m.ID], "%s is of the old fleet", m.ID)
	}
	s.promise(t.failed() == 0, "%d requests failed", t.failed())
	s.promise(sum(t.TransfersFailed) == 0, "%d of the client's files failed", sum(t.TransfersFailed))
	return nil
}

// nothingLost compares all that was ever uploaded with what is there.
func (l *lab) nothingLost(ctx context.Context, s *Scenario) error {
	files, lost, err := l.outside.audit(ctx, l.kept)
	if err != nil {
		return err
	}
	s.figure("files uploaded in all", "%d", files)
	s.figure("lost or changed", "%d", lost)
	s.promise(lost == 0, "%d files", lost)
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
