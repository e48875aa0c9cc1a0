package emulator

import (
	"context"
	"fmt"
	"net"
	"strconv"
)

// loopback is the only address that anything of the emulator listens on.
const loopback = "127.0.0.1"

// PortInUseError says that a port that was asked for belongs to another program.
type PortInUseError struct {
	Port    int
	Purpose string // "the API"
	Setting string // the make variable that chooses another: "PORT"
}

func (e *PortInUseError) Error() string {
	return fmt.Sprintf("port %d, asked for by %s, is in use by another program: end that one, or choose another port with %s=%d",
		e.Port, e.Purpose, e.Setting, e.Port+1)
}

// checkPort returns a *PortInUseError unless the port can be listened on.
func checkPort(ctx context.Context, port int, purpose, setting string) error {
	if port < 1 || port > 65535 {
		return fmt.Errorf("%s=%d is not a port: give a number from 1 to 65535", setting, port)
	}
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
	if err != nil {
		return &PortInUseError{Port: port, Purpose: purpose, Setting: setting}
	}
	return l.Close()
}
