//go:build linux

// Command lab boots the synthesized fleet on this machine and shows what it survives: see package lab.
package main

import (
	"bytes"
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

// notHere is the exit code of -check on a machine that does not permit a lab.
const notHere = 3

// run returns the exit code: 0 when every scenario showed what was promised.
func run(ctx context.Context) int {
	root, err := os.Getwd()
	keep := flag.Bool("keep-logs", false, "keep the logs in .cache/lab/logs when all went well, too")
	full := flag.Bool("full", false, "go through the scenarios that take minutes, too")
	delivery := flag.String("delivery", "both", "how the API travels: binary, source (built on the machines), both; more than its boot is tried with binary")
	only := flag.String("only", "", "go through these scenarios of the binary delivery only, beside the first and the last: "+strings.Join(lab.Keys(), ","))
	broken := flag.String("break", "", "make a mistake in the project's source, which the lab must find: "+strings.Join(lab.Mistakes(), ", "))
	check := flag.Bool("check", false, fmt.Sprintf("say whether this machine permits a lab, and end; %d: it does not", notHere))
	flag.Parse()
	o := lab.Options{Root: root, Out: os.Stdout, Full: *full, Source: *delivery == "source", Keep: *keep, Break: *broken}
	if *only != "" {
		o.Only = strings.Split(*only, ",")
	}
	if err == nil {
		err = lab.CheckOptions(o)
	}
	switch {
	case err != nil:
	case *check:
		err = lab.Permitted(ctx)
		if errors.Is(err, lab.ErrNotPermitted) {
			return say(ctx, err, notHere)
		}
	case lab.Inside():
		err = inside(ctx, o)
	default:
		if err = lab.CheckNeeds(); err == nil {
			err = deliveries(ctx, o, *delivery)
		}
		// The lab itself has said why it failed.
		if status := (&exec.ExitError{}); errors.As(err, &status) && status.ExitCode() > 0 {
			return status.ExitCode()
		}
	}
	return say(ctx, err, 1)
}

// say says what went wrong, and returns the exit code.
func say(ctx context.Context, err error, code int) int {
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		_, _ = fmt.Fprintln(os.Stderr, "interrupted; nothing is left of it")
	default:
		_, _ = fmt.Fprintln(os.Stderr, "error:", err)
	}
	return code
}

// deliveries runs a lab for each delivery that is asked for: side by side, since the machines of one build for minutes
// at low priority. Of the source delivery's, what it says is said when it is over.
func deliveries(ctx context.Context, o lab.Options, asked string) error {
	single := o.Only != nil || o.Break != ""
	switch {
	case asked == "binary" || asked == "both" && single, asked == "source":
		return lab.Isolated(ctx, o, os.Args[1:])
	case asked != "both":
		return fmt.Errorf("there is no delivery %q: binary, source or both", asked)
	}
	var said bytes.Buffer
	source := o
	source.Source, source.Out = true, &said
	ended := make(chan error, 1)
	go func() {
		ended <- lab.Isolated(ctx, source, append(os.Args[1:len(os.Args):len(os.Args)], "-delivery=source"))
	}()
	err := lab.Isolated(ctx, o, append(os.Args[1:len(os.Args):len(os.Args)], "-delivery=binary"))
	err = errors.Join(err, <-ended)
	_, _ = fmt.Fprintf(o.Out, "\n== the source delivery, beside it\n%s", &said)
	return err
}

func inside(ctx context.Context, o lab.Options) error {
	report, err := lab.Run(ctx, o)
	if len(report.Scenarios) > 0 {
		_, _ = fmt.Fprintln(o.Out)
		err = errors.Join(err, report.Table(o.Out))
	}
	failed := report.Failed()
	switch {
	case o.Break != "":
		err = errors.Join(err, lab.Found(o.Break, report))
	case err == nil && len(failed) > 0:
		err = fmt.Errorf("not as promised: %s", strings.Join(failed, ", "))
	}
	return err
}
