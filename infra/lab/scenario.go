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

// scenarios goes through all of them, in order. Without the first there is nothing to go on with.
func (l *lab) scenarios(ctx context.Context) error {
	if err := l.prepare(ctx); err != nil {
		return err
	}
	for _, s := range chosen(l.Options) {
		result := Scenario{Key: s.key, Name: s.name}
		err := l.Step(s.name, func() (string, error) {
			if l.controller.balancer != nil {
				l.controller.forget()
				if err := l.recovered(ctx); err != nil {
					return "", err
				}
			}
			limited, cancel := context.WithTimeout(ctx, s.limit)
			defer cancel()
			return "", s.run(l, limited, &result)
		})
		if err != nil {
			result.promise(false, "%v", err)
		}
		l.report.Scenarios = append(l.report.Scenarios, result)
		if saved := l.save(); saved != nil {
			return saved
		}
		if err != nil && (s.when == always || ctx.Err() != nil) {
			return err
		}
	}
	return nil
}

// recovery is how long what failed before may take until all machines serve again: found out, replaced and drained.
const recovery = 4 * time.Minute

// recovered waits until there is something to break again.
func (l *lab) recovered(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, recovery)
	defer cancel()
	if err := l.controller.whole(ctx, fleetSize); err != nil {
		return fmt.Errorf("not begun, after what failed before: %w", err)
	}
	return nil
}

// first is the whole chain: what Terraform made boots, serves, and keeps a file.
func (l *lab) first(ctx context.Context, s *Scenario) error {
	began := time.Now()
	if mistakes[l.Break].foundBy == s.Key {
		l.deployer.wait = shortWait
	}
	if err := l.deployer.apply(ctx); err != nil {
		return errors.Join(err, l.controller.probed())
	}
	l.deployer.wait = ""
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

// personsFile is what a person uploads.
const personsFile = "report.txt"

// useIt is what a person does, with the program that people get.
func (l *lab) useIt(ctx context.Context, s *Scenario) error {
	dir := filepath.Join(l.run, "person")
	content := []byte(strings.Repeat("all of it\n", 100_000))
	if err := writeFile(filepath.Join(dir, "up", personsFile), string(content)); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "down"), 0o755); err != nil {
		return err
	}
	if _, err := l.ctl(ctx, filepath.Join(dir, "up"), "upload", "--filename", personsFile); err != nil {
		return err
	}
	listed, err := l.ctl(ctx, dir, "list")
	if err != nil {
		return err
	}
	if _, err := l.ctl(ctx, filepath.Join(dir, "down"), "download", "--filename", personsFile); err != nil {
		return err
	}
	back, err := os.ReadFile(filepath.Join(dir, "down", personsFile))
	if err != nil {
		return err
	}
	s.promise(strings.Contains(listed, personsFile), "the list lacks the file: %s", listed)
	s.promise(bytes.Equal(back, content), "the file came back changed")
	s.figure("storagectl upload, list, download", "1 MB there and back")
	l.kept.keep(personsFile, content)
	return nil
}

// death ends a machine from one moment to the next.
func (l *lab) death(ctx context.Context, s *Scenario) error {
	c := l.controller
	end := l.callers(ctx, s)
	defer end()
	if err := pause(ctx, settle); err != nil {
		return err
	}
	victim, err := c.victim()
	if err != nil {
		return err
	}
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
	t := end()
	s.figure("found out after", "%s (at most %s)", seconds(found), seconds(c.balancer.window()))
	s.figure("whole again after", "%s", seconds(replaced))
	// A request that is sent in the window's last moment fails when the balancer gives it up.
	s.lost(t, c.balancer.window()+time.Second)
	return nil
}

// deployDelay keeps some five lists in flight on each of four machines.
const deployDelay = 2 * time.Second

// newBuild replaces the fleet by another.
func (l *lab) newBuild(ctx context.Context, s *Scenario) error {
	before := map[string]bool{}
	for _, m := range l.controller.running() {
		before[m.ID] = true
	}
	// S3 takes long, so that there are requests in flight whenever a machine leaves.
	l.controller.store.delay.Store(int64(deployDelay))
	defer l.controller.store.delay.Store(0)
	end := l.callers(ctx, s)
	defer end()
	if err := pause(ctx, settle); err != nil {
		return err
	}
	began := time.Now()
	if err := l.deployer.newBuild(); err != nil {
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
	t := end()
	s.figure("apply", "%s", seconds(applied))
	s.figure("old fleet drained and gone after", "%s", seconds(gone))
	for _, m := range l.controller.running() {
		s.promise(!before[m.ID], "%s is of the old fleet", m.ID)
	}
	s.promise(t.failed() == 0, "%d requests failed", t.failed())
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
