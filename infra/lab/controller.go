//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// tick is how often the controller looks at the emulated account.
	tick = 500 * time.Millisecond
	// missedLooks is how often in a row the account must not answer to be a failure.
	missedLooks = 5
	// firstAnswer is how often a machine is asked whether it serves, to know when it first did.
	firstAnswer = 50 * time.Millisecond
)

// controller stands in for what the emulated AWS does not do: it runs the instances that the account has, lets the
// balancer probe them, replaces those that are found unhealthy, and drains and ends those that the account ends. All its
// numbers are read from the account.
type controller struct {
	account
	boot
	store    *store
	metadata *metadata
	dir      string
	log      io.Writer
	note     func(string, ...any)

	looking sync.Mutex // held while it looks at the account

	mu       sync.Mutex
	balancer *balancer
	machines map[string]*machine // by instance
	known    map[string]bool     // instances that were begun
	leaving  map[string]bool
	launches []launch
	failures []error
}

// launch is how long a machine took, from its start.
type launch struct {
	ID        string
	Answered  time.Duration // first good answer of the API
	InService time.Duration // the balancer sends it requests
}

// run follows the account until ctx is done.
func (c *controller) run(ctx context.Context) {
	for missed := 0; ; {
		err := c.reconcile(ctx)
		missed++
		switch {
		case err == nil:
			missed = 0
		case missed == missedLooks && ctx.Err() == nil:
			c.fail(err)
		}
		select {
		case <-time.After(tick):
		case <-ctx.Done():
			return
		}
	}
}

// hold keeps it from looking at the account until resume is called.
func (c *controller) hold() (resume func()) {
	c.looking.Lock()
	return c.looking.Unlock
}

// forget what failed: it was told by the scenario that it happened in.
func (c *controller) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures = nil
}

func (c *controller) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures = append(c.failures, err)
	c.note("%v", err)
}

// reconcile compares the account's instances with the machines, and begins what is needed.
func (c *controller) reconcile(ctx context.Context) error {
	c.looking.Lock()
	defer c.looking.Unlock()
	members, err := c.members(ctx)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, f := range members {
		if !c.known[id] {
			c.known[id] = true
			go c.launch(ctx, id, f)
		}
	}
	for id, m := range c.machines {
		if _, still := members[id]; !still && !c.leaving[id] {
			c.leaving[id] = true
			go c.retire(ctx, m)
		}
	}
	return nil
}

func (c *controller) taken(address netip.Addr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.machines {
		if m.Address == address {
			return true
		}
	}
	return false
}

func (c *controller) launch(ctx context.Context, id string, f fleet) {
	if err := c.begin(ctx, id, f); err != nil && ctx.Err() == nil {
		c.fail(fmt.Errorf("launch %s: %w", id, err))
	}
}

func (c *controller) begin(ctx context.Context, id string, f fleet) error {
	i, err := c.instance(ctx, id, f)
	if err != nil {
		return err
	}
	b, err := c.ready(ctx, i)
	if err != nil {
		return err
	}
	if !slices.Contains(f.Targets, b.Group) {
		return fmt.Errorf("its group %s has target groups %q, not %s", f.Name, f.Targets, b.Group)
	}
	// The emulated account gives an address away again while a machine that drains still has it.
	for c.taken(i.Address) {
		select {
		case <-time.After(tick):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := c.store.sync(ctx, c.account, i.Role); err != nil {
		return err
	}
	c.metadata.add(i, c.store.role, roleGood)
	m, err := c.start(ctx, i)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.machines[id] = m
	c.launches = append(c.launches, launch{ID: id})
	c.mu.Unlock()
	go c.watch(ctx, m, b)
	return b.register(ctx, i, func(healthy bool) { c.verdict(ctx, m, healthy) })
}

// ready makes what the first machine needs around it: the balancer, the metadata service and S3.
func (c *controller) ready(ctx context.Context, i instance) (*balancer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.balancer != nil {
		return c.balancer, nil
	}
	t, err := c.targets(ctx)
	if err != nil {
		return nil, err
	}
	everywhere := []rule{{To: 65535, Blocks: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}}
	addresses, err := placeBalancer(ctx, t, firewall(t.In, everywhere, func(string) []netip.Addr { return nil }))
	if err != nil {
		return nil, err
	}
	c.groups = func(id string) []netip.Addr {
		if slices.Contains(t.Firewalls, id) {
			return addresses
		}
		return nil
	}
	names, err := c.buckets(ctx)
	if err != nil {
		return nil, err
	}
	c.hosts = c.store.hosts(storeAddress, names)
	if err := c.metadata.serve(ctx, router, i.HopLimit); err != nil {
		return nil, err
	}
	if !i.TokenRequired {
		return nil, errors.New("the launch template allows metadata without a token, which the lab's service refuses")
	}
	c.balancer, err = startBalancer(ctx, balance, c.dir, t, addresses[0], c.log)
	return c.balancer, err
}

// watch notes when a machine first answers.
func (c *controller) watch(ctx context.Context, m *machine, b *balancer) {
	address := fmt.Sprintf("%s:%d", m.Address, b.Port)
	for b.answers(ctx, address) != "" {
		select {
		case <-time.After(firstAnswer):
		case <-m.ended:
			return
		case <-ctx.Done():
			return
		}
	}
	c.mark(m, func(l *launch) { l.Answered = time.Since(m.started) })
}

func (c *controller) mark(m *machine, f func(*launch)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for n := range c.launches {
		if c.launches[n].ID == m.ID {
			f(&c.launches[n])
		}
	}
}

// verdict hears of a machine that got healthy, or no longer is: Auto Scaling replaces that one.
func (c *controller) verdict(ctx context.Context, m *machine, healthy bool) {
	if healthy {
		c.mark(m, func(l *launch) {
			if l.InService == 0 {
				l.InService = time.Since(m.started)
			}
		})
		return
	}
	c.mu.Lock()
	leaving := c.leaving[m.ID]
	c.mu.Unlock()
	if leaving || m.HealthCheck != "ELB" {
		return
	}
	err := c.replace(ctx, m.ID)
	if err == nil || ctx.Err() != nil {
		return
	}
	members, unknown := c.members(ctx)
	if _, still := members[m.ID]; still || unknown != nil {
		c.fail(errors.Join(err, unknown))
	} // else the account has ended it meanwhile
}

// retire drains a machine for as long as the target group says, and ends it.
func (c *controller) retire(ctx context.Context, m *machine) {
	serving := c.balancer.healthy(m.ID)
	c.balancer.drain(m.ID)
	if serving {
		select {
		case <-time.After(time.Duration(c.balancer.Drain) * time.Second):
		case <-ctx.Done():
			return
		}
	}
	c.balancer.deregister(m.ID)
	c.metadata.remove(m.instance)
	saved := m.save(ctx, filepath.Join(c.dir, goneLogs))
	err := errors.Join(saved, m.shutDown())
	c.mu.Lock()
	delete(c.machines, m.ID)
	c.mu.Unlock()
	if err = errors.Join(err, m.discard(ctx)); err != nil && ctx.Err() == nil {
		c.fail(err)
	}
}

// whole waits until every instance of the account serves, at least n of them, and nothing else runs.
func (c *controller) whole(ctx context.Context, n int) error {
	for {
		members, err := c.members(ctx)
		if err != nil {
			return err
		}
		c.mu.Lock()
		good, b := len(members) >= n && len(c.machines) == len(members), c.balancer
		failures := errors.Join(c.failures...)
		c.mu.Unlock()
		for id := range members {
			good = good && b != nil && b.healthy(id)
		}
		if good || failures != nil {
			return failures
		}
		select {
		case <-time.After(tick / 5):
		case <-ctx.Done():
			return fmt.Errorf("waiting for %d machines that serve: %w", n, ctx.Err())
		}
	}
}

// victim is a machine that serves, for something to happen to.
func (c *controller) victim() (*machine, error) {
	serving := c.running()
	if len(serving) == 0 {
		return nil, errors.New("no machine serves")
	}
	return serving[0], nil
}

// size is how many machines run, those that leave included.
func (c *controller) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.machines)
}

// probed tells what the balancer last saw of its targets, as an error.
func (c *controller) probed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.balancer == nil {
		return errors.New("no machine was begun")
	}
	return fmt.Errorf("last probes: %s", c.balancer.probed())
}

// running lists the machines that serve, in the order of their ids.
func (c *controller) running() []*machine {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []*machine
	for id, m := range c.machines {
		if c.balancer.healthy(id) {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(a, b *machine) int { return strings.Compare(a.ID, b.ID) })
	return found
}
