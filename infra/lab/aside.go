//go:build linux

package lab

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"cloudstorage/infra/bootstrap"
)

// aside boots a machine that is made as those of the fleet but for what change says, at an address that nobody has. It
// is no target of the balancer, which may connect to it.
func (l *lab) aside(ctx context.Context, good time.Duration, change func(*instance) error) (*machine, error) {
	fleet := l.controller.running()
	if len(fleet) == 0 {
		return nil, errors.New("no machine runs")
	}
	i := fleet[0].instance
	l.asides++
	i.ID = fmt.Sprintf("i-aside%03d", l.asides)
	for range 100 + l.asides {
		i.Address = i.Address.Next()
	}
	if err := change(&i); err != nil {
		return nil, err
	}
	l.controller.metadata.add(i, l.controller.store.role, good)
	return l.controller.start(ctx, i)
}

// away ends a machine that was set aside, whatever became of ctx.
func (l *lab) away(ctx context.Context, m *machine) error {
	l.controller.metadata.remove(m.instance)
	err := m.kill()
	return errors.Join(err, m.discard(context.WithoutCancel(ctx)))
}

func (l *lab) port(m *machine) string {
	return net.JoinHostPort(m.Address.String(), strconv.Itoa(l.controller.balancer.Port))
}

// until asks again and again, until it is so or ctx is done.
func until(ctx context.Context, so func() bool) error {
	for !so() {
		if err := pause(ctx, firstAnswer); err != nil {
			return err
		}
	}
	return nil
}

// medianOf is how many launches a median is of.
const medianOf = 5

// launchMedians boots machines one by one, with the fleet's user-data and with nothing to do: what of a launch is the
// system's, and what is ours.
func (l *lab) launchMedians(ctx context.Context, s *Scenario) error {
	var bare, ours []time.Duration
	for range medianOf {
		for _, kind := range []struct {
			took *[]time.Duration
			bare bool
		}{{&bare, true}, {&ours, false}} {
			took, err := l.launched(ctx, kind.bare)
			if err != nil {
				return err
			}
			*kind.took = append(*kind.took, took)
		}
	}
	slices.Sort(bare)
	slices.Sort(ours)
	s.figure("start to first healthy answer", "%s (median of %d)", seconds(median(ours)), medianOf)
	s.figure("bare image, start to its end", "%s (median of %d)", seconds(median(bare)), medianOf)
	return nil
}

// launched boots a machine and tells how long it took to serve, or to have nothing left to do.
func (l *lab) launched(ctx context.Context, bare bool) (took time.Duration, err error) {
	m, err := l.aside(ctx, roleGood, func(i *instance) error {
		if bare {
			i.UserData = []byte("#cloud-config\n{}\n")
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, l.away(ctx, m)) }()
	err = until(ctx, func() bool {
		if bare {
			return m.booted()
		}
		return l.controller.balancer.answers(ctx, l.port(m)) == ""
	})
	if err != nil {
		return 0, fmt.Errorf("%w\n%s", err, m.logs())
	}
	return time.Since(m.started), nil
}

// never is how long a machine is watched, that has said why it does not serve.
const never = 10 * time.Second

// neverServe boots machines that must not serve: one whose user-data pins another build, one whose role's credentials
// are over.
func (l *lab) neverServe(ctx context.Context, s *Scenario) (err error) {
	tries := []struct {
		what   string
		good   time.Duration
		change func(*instance) error
		said   func(context.Context, *machine) bool
	}{
		{"the user-data pins another digest", roleGood, pinAnother, func(_ context.Context, m *machine) bool {
			return strings.Contains(m.logs(), "is not the build with SHA-256")
		}},
		{"the role's credentials are over", -time.Minute, func(*instance) error { return nil }, func(ctx context.Context, m *machine) bool {
			// Who is first to be given them: the command line that fetches the release, or the API.
			said, err := m.run(ctx, "journalctl", "--no-pager", "--unit", unit)
			return err == nil && strings.Contains(said, "get AWS credentials") || strings.Contains(m.logs(), "still expired")
		}},
	}
	machines := make([]*machine, len(tries))
	defer func() {
		for _, m := range machines {
			if m != nil {
				err = errors.Join(err, l.away(ctx, m))
			}
		}
	}()
	for n, try := range tries {
		if machines[n], err = l.aside(ctx, try.good, try.change); err != nil {
			return err
		}
	}
	for n, try := range tries {
		m := machines[n]
		served := false
		err := until(ctx, func() bool {
			served = served || l.controller.balancer.answers(ctx, l.port(m)) == ""
			return served || try.said(ctx, m)
		})
		if err != nil {
			return fmt.Errorf("%s: it neither serves nor says why: %w\n%s", try.what, err, m.logs())
		}
		after := time.Since(m.started)
		for end := time.Now().Add(never); !served && time.Now().Before(end); {
			if err := pause(ctx, firstAnswer); err != nil {
				return err
			}
			served = l.controller.balancer.answers(ctx, l.port(m)) == ""
		}
		s.promise(!served, "%s, and the machine serves", try.what)
		s.figure(try.what, "%s after %s", map[bool]string{true: "SERVED", false: "refused to serve"}[served], seconds(after))
	}
	return nil
}

// pinAnother changes the digest that an instance's user-data pins.
func pinAnother(i *instance) error {
	files, err := bootstrap.Files(i.UserData)
	if err != nil {
		return err
	}
	const name = bootstrap.EnvSHA256 + "="
	pinned := bootstrap.Variables(files[bootstrap.ReleasePath])[bootstrap.EnvSHA256]
	packed, err := gzip.NewReader(bytes.NewReader(i.UserData))
	if err != nil {
		return fmt.Errorf("unpack the user-data: %w", err)
	}
	text, err := io.ReadAll(packed)
	if err != nil {
		return fmt.Errorf("unpack the user-data: %w", err)
	}
	if pinned == "" || bytes.Count(text, []byte(name+pinned)) != 1 {
		return errors.New("the user-data does not hold the pinned digest exactly once")
	}
	i.UserData = bytes.Replace(text, []byte(name+pinned), []byte(name+strings.Repeat("0", len(pinned))), 1)
	return nil
}
