//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// space is a network namespace by name.
type space string

func (s space) path() string { return "/run/netns/" + string(s) }

// do calls f on a thread that is in the namespace: the sockets that f makes belong to it for good.
func (s space) do(f func() error) (err error) {
	target, err := os.Open(s.path())
	if err != nil {
		return fmt.Errorf("enter network %s: %w", s, err)
	}
	defer target.Close()
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("enter network %s: %w", s, err)
	}
	defer home.Close()
	defer func() {
		// A thread that cannot return is not unlocked: it ends with its goroutine.
		if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
			err = errors.Join(err, fmt.Errorf("leave network %s: %w", s, back))
			return
		}
		runtime.UnlockOSThread()
	}()
	if err := unix.Setns(int(target.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter network %s: %w", s, err)
	}
	return f()
}

// listen listens in the namespace.
func (s space) listen(ctx context.Context, c net.ListenConfig, address string) (l net.Listener, err error) {
	err = s.do(func() (err error) {
		l, err = c.Listen(ctx, "tcp", address)
		return err
	})
	return l, err
}

// dial connects from the namespace; names is asked for hosts that are no addresses.
func (s space) dial(names map[string]string) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (c net.Conn, err error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		if known, ok := names[host]; ok {
			host = known
		}
		if net.ParseIP(host) == nil {
			return nil, &net.DNSError{Err: "not a name that the lab has", Name: host, IsNotFound: true}
		}
		err = s.do(func() (err error) {
			// An address makes one socket, on this very thread.
			c, err = (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, network, net.JoinHostPort(host, port))
			return err
		})
		return c, err
	}
}

// command is a program that runs in the namespace.
func (s space) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "nsenter", append([]string{"--net=" + s.path(), "--", name}, args...)...)
}

// sh runs lines of shell, and tells what they said when they fail.
func sh(ctx context.Context, format string, args ...any) error {
	script := fmt.Sprintf(format, args...)
	out, err := exec.CommandContext(ctx, "bash", "-ec", script).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s\n%s", err, strings.TrimSpace(script), strings.TrimSpace(string(out)))
	}
	return nil
}
