//go:build linux

package lab

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

const (
	lastPort = 65535
	// portsAtOnce are tried side by side, and portWait is how long they have: there is no way to go, so it is plenty.
	portsAtOnce = 2048
	portWait    = 100 * time.Millisecond
)

// scan tries every port of an address from another one in the namespace, and returns those that take a connection.
func (s space) scan(from, to netip.Addr) (open []int, err error) {
	err = s.do(func() error {
		for first := 1; first <= lastPort; first += portsAtOnce {
			found, err := tryPorts(from, to, first, min(first+portsAtOnce-1, lastPort))
			if err != nil {
				return fmt.Errorf("try the ports of %s: %w", to, err)
			}
			open = append(open, found...)
		}
		return nil
	})
	return open, err
}

// tryPorts tries some ports at once, in one thread. The addresses of a balancer and of machines are all of IPv4.
func tryPorts(from, to netip.Addr, first, last int) (open []int, err error) {
	waiting := make([]unix.PollFd, 0, last-first+1)
	ports := map[int32]int{}
	defer func() {
		for _, w := range waiting {
			err = errors.Join(err, unix.Close(int(w.Fd)))
		}
	}()
	for port := first; port <= last; port++ {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		waiting = append(waiting, unix.PollFd{Fd: int32(fd), Events: unix.POLLOUT})
		ports[int32(fd)] = port
		if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: from.As4()}); err != nil {
			return nil, err
		}
		if err := unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: to.As4()}); err != nil && !errors.Is(err, unix.EINPROGRESS) && !errors.Is(err, unix.ECONNREFUSED) {
			return nil, err
		}
	}
	for end := time.Now().Add(portWait); len(waiting) > 0 && time.Now().Before(end); {
		if _, err := unix.Poll(waiting, int(time.Until(end).Milliseconds())+1); err != nil && !errors.Is(err, unix.EINTR) {
			return nil, err
		}
		waiting = slices.DeleteFunc(waiting, func(w unix.PollFd) bool {
			if w.Revents == 0 {
				return false
			}
			failed, unknown := unix.GetsockoptInt(int(w.Fd), unix.SOL_SOCKET, unix.SO_ERROR)
			if unknown == nil && failed == 0 {
				open = append(open, ports[w.Fd])
			}
			err = errors.Join(err, unknown, unix.Close(int(w.Fd)))
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return open, nil
}
