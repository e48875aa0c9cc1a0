// Command issuer is a real OpenID Connect issuer for tests: zitadel's provider
// on a free port of the loopback interface, with the client credentials grant.
// It is a module of its own so that its dependencies stay out of the product's.
//
// It prints one line of JSON (see ready) once it serves, and stops on SIGTERM
// or when its standard input closes, so that it never outlives its test. Each
// line that it reads is a command, which it answers with a line of JSON.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/zitadel/oidc/v3/pkg/op"
)

// ready is the first line of output.
type ready struct {
	Issuer string `json:"issuer"`
}

// command is a line of input: one of its fields is set.
type command struct {
	// Client may get tokens from now on.
	Client *client `json:"client,omitempty"`
	// Rotate makes a new signing key; the one before stays among the published
	// keys with "keep" and is withdrawn with "drop".
	Rotate string `json:"rotate,omitempty"`
}

// done answers a command.
type done struct {
	Error string `json:"error,omitempty"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "issuer:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	s := &storage{clients: map[string]client{}}
	if err := s.rotate("drop"); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	issuer := "http://" + listener.Addr().String()
	config := &op.Config{}
	_, _ = rand.Read(config.CryptoKey[:]) // never fails
	provider, err := op.NewProvider(config, s, op.StaticIssuer(issuer), op.WithAllowInsecure())
	if err != nil {
		return err
	}
	server := &http.Server{Handler: provider, ReadHeaderTimeout: 10 * time.Second}
	defer server.Close()
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(listener) }()

	out := json.NewEncoder(stdout)
	if err := out.Encode(ready{issuer}); err != nil {
		return err
	}
	closed := make(chan error, 1)
	go func() { closed <- s.obey(stdin, out) }()
	select {
	case err := <-stopped:
		return fmt.Errorf("serve: %w", err)
	case err := <-closed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// obey carries out commands until there are no more.
func (s *storage) obey(stdin io.Reader, out *json.Encoder) error {
	lines := bufio.NewScanner(stdin)
	for lines.Scan() {
		var c command
		err := json.Unmarshal(lines.Bytes(), &c)
		switch {
		case err != nil:
		case c.Client != nil:
			s.add(*c.Client)
		default:
			err = s.rotate(c.Rotate)
		}
		var answer done
		if err != nil {
			answer.Error = err.Error()
		}
		if err := out.Encode(answer); err != nil {
			return err
		}
	}
	return lines.Err()
}
