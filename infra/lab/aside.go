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
func (l *lab) aside(ctx context.Context, n int, expires time.Time, change func(*instance) error) (*machine, error) {
	fleet := l.controller.running()
	if len(fleet) == 0 {
		return nil, errors.New("no machine runs")
	}
	i := fleet[0].instance
	i.ID = fmt.Sprintf("i-aside%03d", n)
	for range 100 + n {
		i.Address = i.Address.Next()
	}
	if err := change(&i); err != nil {
		return nil, err
	}
	l.controller.metadata.add(i, l.controller.store.role, expires)
	return l.controller.start(ctx, i)
}

// away ends a machine that was set aside.
func (l *lab) away(ctx context.Context, m *machine) error {
	l.controller.metadata.remove(m.instance)
	return errors.Join(m.kill(), m.discard(ctx))
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
	took := map[bool][]time.Duration{}
	for n := range 2 * medianOf {
		bare := n%2 == 0
		m, err := l.aside(ctx, n, time.Now().Add(roleEnd), func(i *instance) error {
			if bare {
				i.UserData = []byte("#cloud-config\n{}\n")
			}
			return nil
		})
		if err != nil {
			return err
		}
		err = until(ctx, func() bool {
			if bare {
				return m.booted()
			}
			return l.controller.balancer.answers(ctx, l.port(m)) == ""
		})
		if err != nil {
			return fmt.Errorf("%w\n%s", err, m.logs())
		}
		took[bare] = append(took[bare], time.Since(m.started))
		if err := l.away(ctx, m); err != nil {
			return err
		}
	}
	for _, d := range took {
		slices.Sort(d)
	}
	s.figure("start to first healthy answer", "%s (median of %d)", seconds(median(took[false])), medianOf)
	s.figure("bare image, start to its end", "%s (median of %d)", seconds(median(took[true])), medianOf)
	return nil
}

// never is how long a machine is watched, that has said why it does not serve.
const never = 10 * time.Second

// neverServe boots machines that must not serve: one whose user-data pins another build, one whose role's credentials
// are over.
func (l *lab) neverServe(ctx context.Context, s *Scenario) error {
	tries := []struct {
		what    string
		expires time.Time
		change  func(*instance) error
		said    func(context.Context, *machine) bool
	}{
		{"the user-data pins another digest", time.Now().Add(roleEnd), pinAnother, func(_ context.Context, m *machine) bool {
			return strings.Contains(m.logs(), "is not the build with SHA-256")
		}},
		{"the role's credentials are over", time.Now().Add(-time.Minute), func(*instance) error { return nil }, func(ctx context.Context, m *machine) bool {
			// Who is first to be given them: the command line that fetches the release, or the API.
			said, err := m.run(ctx, "journalctl", "--no-pager", "--unit", unit)
			return err == nil && strings.Contains(said, "get AWS credentials") || strings.Contains(m.logs(), "still expired")
		}},
	}
	machines := make([]*machine, len(tries))
	for n, try := range tries {
		var err error
		if machines[n], err = l.aside(ctx, n, try.expires, try.change); err != nil {
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
		if err := l.away(ctx, m); err != nil {
			return err
		}
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
