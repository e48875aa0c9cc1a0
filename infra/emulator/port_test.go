package emulator

import (
	"errors"
	"net"
	"strings"
	"testing"
)

func TestAPortInUseIsNamedWithTheWayOut(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	err = checkPort(t.Context(), port, "the API", "PORT")
	var inUse *PortInUseError
	if !errors.As(err, &inUse) || inUse.Port != port {
		t.Fatalf("got %v, want a *PortInUseError for %d", err, port)
	}
	if text := err.Error(); !strings.Contains(text, "the API") || !strings.Contains(text, "PORT=") {
		t.Errorf("%q does not say who wants the port and how to choose another", text)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := checkPort(t.Context(), port, "the API", "PORT"); err != nil {
		t.Errorf("a port that is free again: %v", err)
	}
}

func TestANumberThatIsNoPortIsRefused(t *testing.T) {
	t.Parallel()
	for _, port := range []int{-1, 65536} {
		if err := checkPort(t.Context(), port, "the API", "PORT"); err == nil {
			t.Errorf("port %d is accepted", port)
		}
	}
}
