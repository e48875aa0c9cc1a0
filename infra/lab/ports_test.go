//go:build linux

package lab

import (
	"net"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestOnlyPortsThatTakeConnectionsAreOpen(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	home := netip.MustParseAddr("127.0.0.1")
	// All others refuse, but what else runs on this machine.
	first, last := max(port-100, 1), min(port+100, lastPort)
	if open, err := tryPorts(home, home, first, last); err != nil || !slices.Contains(open, port) {
		t.Errorf("open: %d, %v; want %d among them", open, err, port)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	// One that is taken, so that nobody else listens on it.
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(fd)
		err = unix.Bind(fd, &unix.SockaddrInet4{Addr: home.As4()})
	}
	if err != nil {
		t.Fatal(err)
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port = bound.(*unix.SockaddrInet4).Port
	if open, err := tryPorts(home, home, port, port); err != nil || len(open) > 0 {
		t.Errorf("open: %d, %v; want none", open, err)
	}
}
