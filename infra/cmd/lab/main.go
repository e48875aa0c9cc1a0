//go:build linux

// Command lab boots the synthesized fleet on this machine and shows what it survives: see package lab.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"cloudstorage/infra/lab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx)
	stop()
	os.Exit(code)
}

// run returns the exit code: 0 when every scenario showed what was promised.
func run(ctx context.Context) int {
	root, err := os.Getwd()
	keep := flag.Bool("keep-logs", false, "keep the logs in .cache/lab/logs when all went well, too")
	full := flag.Bool("full", false, "go through the scenarios that take minutes, too")
	source := flag.Bool("source", false, "try the delivery that is built on the machines, and nothing else")
	flag.Parse()
	if err == nil && !lab.Inside() {
		if err = lab.CheckNeeds(); err == nil {
			err = lab.Isolated(ctx, root)
		}
		// The lab itself has said why it failed.
		if status := (&exec.ExitError{}); errors.As(err, &status) && status.ExitCode() > 0 {
			return status.ExitCode()
		}
	} else if err == nil {
		err = inside(ctx, lab.Options{Root: root, Out: os.Stdout, Full: *full, Source: *source, Keep: *keep})
	}
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		_, _ = fmt.Fprintln(os.Stderr, "interrupted; nothing is left of it")
	default:
		_, _ = fmt.Fprintln(os.Stderr, "error:", err)
	}
	return 1
}

func inside(ctx context.Context, o lab.Options) error {
	report, err := lab.Run(ctx, o)
	if len(report.Scenarios) > 0 {
		_, _ = fmt.Fprintln(o.Out)
		err = errors.Join(err, report.Table(o.Out))
	}
	if failed := report.Failed(); err == nil && len(failed) > 0 {
		err = fmt.Errorf("not as promised: %s", strings.Join(failed, ", "))
	}
	return err
}
