//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
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
	m, neighbour, b := machines[0], machines[1], l.controller.balancer
	balancer := b.address
	ended := eventually(func() (struct{}, error) { return struct{}{}, l.closedInside(ctx, s, m) })
	scans := []struct {
		whose    string
		from     space
		by, at   netip.Addr
		expected []int // what is refused means nothing where what is allowed is refused, too
	}{
		{"the balancer's ports, from outside", internet, netip.MustParseAddr(clientAddress), balancer, []int{b.Listen}},
		{"a machine's ports, from the balancer", balance, balancer, m.Address, []int{b.Port}},
		{"a machine's ports, from its neighbour", neighbour.space, neighbour.Address, m.Address, nil},
		{"a machine's ports, from outside", internet, netip.MustParseAddr(clientAddress), m.Address, nil},
	}
	open := make([][]int, len(scans))
	for n, scan := range scans {
		var err error
		if open[n], err = scan.from.scan(scan.by, scan.at); err != nil {
			return errors.Join(err, errOf(ended()))
		}
	}
	if err := errOf(ended()); err != nil {
		return err
	}
	for n, scan := range scans {
		s.promise(slices.Equal(open[n], scan.expected), "%s: %d are open", scan.whose, open[n])
		s.figure(scan.whose, "open of %d: %d", lastPort, open[n])
	}
	stranger := l.reaches(ctx, strangerAddress, net.JoinHostPort(balancer.String(), fmt.Sprint(b.Listen)))
	s.promise(!stranger, "somebody who is not allowed reached the listener")
	s.figure("the listener, for a stranger", "%s", refusedOrNot(!stranger))
	return nil
}

func refusedOrNot(refused bool) string {
	if refused {
		return "refused"
	}
	return "NOT refused"
}

func errOf[T any](_ T, err error) error { return err }

// somewhere is a web site outside, which answers whoever reaches it.
func somewhere(ctx context.Context) (*http.Server, error) {
	listener, err := internet.listen(ctx, net.ListenConfig{}, net.JoinHostPort(clientAddress, "80"))
	if err != nil {
		return nil, err
	}
	site := &http.Server{ReadHeaderTimeout: dialTimeout, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "reached") })}
	go func() { _ = site.Serve(listener) }() // it ends when it is closed
	reached := ""
	err = get(ctx, &http.Client{Transport: &http.Transport{DialContext: internet.dial(nil), DisableKeepAlives: true}}, "http://"+clientAddress+"/", func(res *http.Response) error {
		text, err := io.ReadAll(res.Body)
		reached = string(text)
		return err
	})
	if err != nil || reached != "reached" {
		return nil, errors.Join(fmt.Errorf("a web site outside, from outside: %q, %w", reached, err), site.Close())
	}
	return site, nil
}

// closedInside tries what a machine must not be able to do.
func (l *lab) closedInside(ctx context.Context, s *Scenario, m *machine) error {
	website, err := somewhere(ctx)
	if err != nil {
		return err
	}
	defer website.Close()
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
		{"the internet", "curl -sS -m 3 http://" + clientAddress + "/ 2>&1 || echo no way out", "no way out"},
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
