//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"cloudstorage/app/settings/apisettings"
	"cloudstorage/infra/emulator"
)

// closed tries what nobody should be able to do, from inside a machine and from outside.
func (l *lab) closed(ctx context.Context, s *Scenario) error {
	machines := l.controller.running()
	if len(machines) < 2 {
		return fmt.Errorf("%d machines run", len(machines))
	}
	m, balancer := machines[0], l.controller.balancer.address
	from := netip.MustParseAddr(clientAddress)
	open := eventually(func() (map[netip.Addr][]int, error) { return internet.scan(from, balancer, m.Address) })
	if err := l.closedInside(ctx, s, m, machines[1]); err != nil {
		return err
	}
	found, err := open()
	if err != nil {
		return err
	}
	// What is refused means nothing where what is allowed is refused, too: the listener's own port is among them.
	s.promise(slices.Equal(found[balancer], []int{l.controller.balancer.Listen}), "the balancer's open ports are %d", found[balancer])
	s.figure("from outside: the balancer's ports", "open of %d: %d", lastPort, found[balancer])
	s.promise(len(found[m.Address]) == 0, "a machine's ports %d are open to the outside", found[m.Address])
	s.figure("from outside: a machine's ports", "open of %d: %d", lastPort, found[m.Address])
	stranger := l.reaches(ctx, strangerAddress, net.JoinHostPort(balancer.String(), fmt.Sprint(l.controller.balancer.Listen)))
	s.promise(!stranger, "somebody who is not allowed reached the listener")
	s.figure("from outside: the listener, for a stranger", "%s", refusedOrNot(!stranger))
	return nil
}

func refusedOrNot(refused bool) string {
	if refused {
		return "refused"
	}
	return "NOT refused"
}

// closedInside tries what a machine must not be able to do.
func (l *lab) closedInside(ctx context.Context, s *Scenario, m, neighbour *machine) error {
	bucket, key, _, err := l.release(ctx)
	if err != nil {
		return err
	}
	settings, err := m.settings()
	if err != nil {
		return err
	}
	state := settings[apisettings.EnvStateBucket]
	// It is there, so it is the refusal that is seen.
	if err := l.controller.store.put(ctx, bucket, "other/build", []byte("x")); err != nil {
		return err
	}
	const s3 = "aws --region " + emulator.Region + " "
	tries := []struct{ what, script, want string }{
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
	said := make([]string, len(tries))
	failed := make([]error, len(tries))
	var all sync.WaitGroup
	for n, try := range tries { // side by side: AWS's command line takes seconds to begin
		all.Go(func() { said[n], failed[n] = m.run(ctx, "sh", "-c", try.script) })
	}
	all.Wait()
	if err := errors.Join(failed...); err != nil {
		return err
	}
	for n, try := range tries {
		refused := strings.Contains(said[n], try.want)
		s.promise(refused, "%s: %s", try.what, lastLines(said[n], 1))
		s.figure("from a machine: "+try.what, "%s", refusedOrNot(refused))
	}
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
