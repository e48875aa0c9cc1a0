//go:build linux

package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"cloudstorage/infra/bootstrap"
	"cloudstorage/infra/emulator"
)

// shortWait is what the lab waits for a fleet that never serves, in place of the synthesized 10 minutes.
const shortWait = "60s"

// refusal is how long after that its machines may take to say why.
const refusal = 30 * time.Second

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
	limited, cancel := context.WithTimeout(ctx, refusal)
	defer cancel()
	_ = until(limited, func() bool { // or there are fewer of them
		refused = c.refused(old)
		return refused == fleetSize
	})
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
	s.promise(ids(c.running()) != old, "the old fleet still serves: %s", old)
	t := end()
	s.promise(t.failed() == 0, "%d requests failed", t.failed())
	return nil
}

// refused counts the machines that are not of the old fleet and said that the release is not the one that was built.
func (c *controller) refused(old string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for id, m := range c.machines {
		if !strings.Contains(old, id) && strings.Contains(m.logs(), "is not the build with SHA-256") {
			n++
		}
	}
	return n
}

// release reads what a running machine's user-data pins, and the object.
func (l *lab) release(ctx context.Context) (bucket, key string, build []byte, err error) {
	m, err := l.controller.victim()
	if err != nil {
		return "", "", nil, err
	}
	files, err := bootstrap.Files(m.UserData)
	if err != nil {
		return "", "", nil, err
	}
	pinned := bootstrap.Variables(files[bootstrap.ReleasePath])
	bucket, key = pinned[bootstrap.EnvBucket], pinned[bootstrap.EnvKey]
	build, err = l.controller.api.Object(ctx, bucket, key)
	return bucket, key, build, err
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
