//go:build linux

package lab

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	dialTimeout = 10 * time.Second
	// slots is how many targets the balancer has room for: a fleet, its successor, and replacements.
	slots = 16
)

// balancer is haproxy, made from the emulated load balancer, and the probes that decide about its targets. haproxy
// itself neither probes nor retries: what is probed and how is what the target group says, and an ALB does not retry.
type balancer struct {
	targets
	space   space
	address netip.Addr
	socket  string
	http    *http.Client
	log     io.Writer

	mu    sync.Mutex
	taken [slots]bool
	live  map[string]*target // by instance
}

// target is an instance behind the balancer.
type target struct {
	slot     int
	address  string
	health   health
	last     string // what came of the last probe; "": a good answer
	draining bool
	stop     context.CancelFunc
}

func configuration(t targets, socket string) string {
	return fmt.Sprintf(`global
  stats socket %s mode 600 level admin
  maxconn 4000
defaults
  mode http
  # An ALB's own limits: 10 s to connect, 60 s of silence; it never sends a request twice.
  timeout connect 10s
  timeout client 60s
  timeout server 60s
  retries 0
  option forwardfor
frontend listener
  bind *:%d
  default_backend targets
backend targets
  balance roundrobin
  server-template slot 1-%d 127.0.0.1:1 disabled
`, socket, t.Listen, slots)
}

func startBalancer(ctx context.Context, s space, dir string, t targets, address netip.Addr, log io.Writer) (*balancer, error) {
	b := &balancer{targets: t, space: s, address: address, log: log, socket: filepath.Join(dir, "haproxy.sock"), live: map[string]*target{}}
	b.http = &http.Client{
		Transport:     &http.Transport{DialContext: s.dial(nil), DisableKeepAlives: true},
		Timeout:       time.Duration(t.Timeout) * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	file := filepath.Join(dir, "haproxy.cfg")
	if err := writeFile(file, configuration(t, b.socket)); err != nil {
		return nil, err
	}
	cmd := s.command(ctx, "haproxy", "-db", "-f", file)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start haproxy: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		if _, err := b.tell("show info"); err == nil {
			return b, nil
		}
		select {
		case err := <-ended:
			return nil, fmt.Errorf("haproxy ended: %w", err)
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// tell sends a command to haproxy's socket and returns its answer.
func (b *balancer) tell(command string) (string, error) {
	c, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "unix", b.socket)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if _, err := fmt.Fprintln(c, command); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(bufio.NewReader(c))
	return strings.TrimSpace(string(answer)), err
}

// set changes a slot; haproxy answers what it did not like.
func (b *balancer) set(slot int, what string) error {
	answer, err := b.tell(fmt.Sprintf("set server targets/slot%d %s", slot+1, what))
	if err != nil || strings.Contains(answer, "No such") || strings.Contains(answer, "Require") || strings.Contains(answer, "nvalid") {
		return fmt.Errorf("haproxy, slot %d, %s: %s %w", slot+1, what, answer, err)
	}
	return nil
}

// register makes an instance a target and probes it until it is removed. changed hears of verdicts.
func (b *balancer) register(ctx context.Context, i instance, changed func(healthy bool)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	slot := 0
	for slot < slots && b.taken[slot] {
		slot++
	}
	if slot == slots {
		return fmt.Errorf("more than %d targets", slots)
	}
	if err := b.set(slot, fmt.Sprintf("addr %s port %d", i.Address, b.Port)); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	t := &target{slot: slot, address: net.JoinHostPort(i.Address.String(), strconv.Itoa(b.ProbePort)), stop: stop}
	b.taken[slot], b.live[i.ID] = true, t
	go b.probe(ctx, t, changed)
	return nil
}

func (b *balancer) probe(ctx context.Context, t *target, changed func(healthy bool)) {
	tick := time.NewTicker(time.Duration(b.Interval) * time.Second)
	defer tick.Stop()
	for {
		said := b.answers(ctx, t.address)
		if ctx.Err() != nil {
			return
		}
		if said != "" {
			_, _ = fmt.Fprintln(b.log, time.Now().UTC().Format(time.TimeOnly), "probe:", said) // the log is for people
		}
		b.mu.Lock()
		t.last = said
		verdict := t.health.saw(said == "", b.probing)
		healthy := t.health.healthy
		if verdict && !t.draining {
			state := "maint"
			if healthy {
				state = "ready"
			}
			_ = b.set(t.slot, "state "+state) // haproxy is gone then, and the load says so
		}
		b.mu.Unlock()
		if verdict {
			changed(healthy)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// answers sends one probe, and says what is not as it should be; "": all is.
func (b *balancer) answers(ctx context.Context, address string) string {
	target := "http://" + address + b.Path
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return err.Error()
	}
	res, err := b.http.Do(r)
	if err != nil {
		return err.Error()
	}
	_ = res.Body.Close()
	if got := strconv.Itoa(res.StatusCode); got != b.Codes {
		return fmt.Sprintf("GET %s: %s, not %s", target, got, b.Codes)
	}
	return ""
}

// probed says what came of each target's last probe.
func (b *balancer) probed() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var said []string
	for id, t := range b.live {
		said = append(said, fmt.Sprintf("%s: %s", id, cmp.Or(t.last, "a good answer")))
	}
	slices.Sort(said)
	return strings.Join(said, "; ")
}

func (b *balancer) healthy(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.live[id]
	return t != nil && t.health.healthy && !t.draining
}

// drain sends an instance no more new requests.
func (b *balancer) drain(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t := b.live[id]; t != nil && !t.draining {
		t.draining = true
		if t.health.healthy {
			_ = b.set(t.slot, "state drain") // haproxy is gone then, and the load says so
		}
	}
}

// deregister forgets an instance. What is still in flight is cut, as an ALB does when the delay is over.
func (b *balancer) deregister(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t := b.live[id]; t != nil {
		t.stop()
		_ = b.set(t.slot, "state maint") // as in drain
		_, _ = b.tell(fmt.Sprintf("shutdown sessions server targets/slot%d", t.slot+1))
		b.taken[t.slot] = false
		delete(b.live, id)
	}
}
