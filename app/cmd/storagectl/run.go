package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"golang.org/x/term"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1 // also when it was cancelled
	exitUsage  = 2 // the command line
)

// run is the whole program: it returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return program{stdin: stdin, stdout: stdout, stderr: stderr, dir: ".", isTerminal: isTerminal, env: os.Getenv}.run(ctx, args)
}

// program is what the commands share.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	dir            string // where downloads go
	isTerminal     func(stream any) bool
	env            func(name string) string // nil is an empty one
	called         *connection              // what run's command called
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// usageError is a fault of the command line that cobra does not find.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

func (p program) run(ctx context.Context, args []string) int {
	started := false
	p.called = &connection{}
	root := p.root(&started)
	root.SetArgs(args)
	root.SetIn(p.stdin)
	root.SetErr(p.stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	if wrong := (usageError{}); !started || errors.As(err, &wrong) {
		fmt.Fprintf(p.stderr, "storagectl: %s (see %s --help)\n", sentence(err.Error()), cmd.CommandPath())
		return exitUsage
	}
	p.complain(err)
	return exitFailed
}

// wayOut goes on where the API's or the client's sentence ends.
func (p program) wayOut(err error) string {
	var failed *client.Error
	if !errors.As(err, &failed) || failed.Peer != client.API {
		return ""
	}
	switch {
	case failed.Status == 0 && failed.Code == object.CodeUnavailable:
		return "; is it running? Start it with 'make up', or name another address with --ip"
	case failed.Status == http.StatusUnauthorized:
		return p.called.keyHelp()
	}
	return ""
}
