// Command benchsynth says how much longer all environments take to synthesize than an app that only loads the AWS
// provider, in the same run: jsii alone takes seconds, more or fewer on each machine, so only the ratio says anything.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"cloudstorage/infra/emulator"
)

// target is how much longer it may take.
const target = 1.25

func main() {
	rounds := flag.Int("rounds", 7, "how often each is `measured`")
	flag.Parse()
	if err := run(context.Background(), *rounds, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, rounds int, out io.Writer) error {
	if rounds < 1 {
		return fmt.Errorf("%d rounds measure nothing", rounds)
	}
	root, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("finding the project: %w", err)
	}
	dir, err := os.MkdirTemp("", "benchsynth")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	programs := []*program{
		{name: "the provider alone", source: "./infra/internal/benchsynth/baseline"},
		{name: "all environments", source: "."},
	}
	for i, p := range programs {
		p.root, p.path, p.outdir = root, filepath.Join(dir, fmt.Sprint("program", i)), filepath.Join(dir, fmt.Sprint("out", i))
		if err := p.build(ctx); err != nil {
			return err
		}
		// Once without measuring: releases are built and cached, programs and bindings are read from the disk.
		if _, err := p.measure(ctx); err != nil {
			return err
		}
	}
	// Taking turns, so that whatever else the machine does falls on both.
	for range rounds {
		for _, p := range programs {
			took, err := p.measure(ctx)
			if err != nil {
				return err
			}
			p.took = append(p.took, took)
		}
	}
	for _, p := range programs {
		if _, err := fmt.Fprintf(out, "%-20s median %.2f s, fastest %.2f s, slowest %.2f s of %d\n",
			p.name, p.median().Seconds(), slices.Min(p.took).Seconds(), slices.Max(p.took).Seconds(), rounds); err != nil {
			return fmt.Errorf("printing: %w", err)
		}
	}
	ratio := programs[1].median().Seconds() / programs[0].median().Seconds()
	if _, err := fmt.Fprintf(out, "ratio %.2f (target: at most %.2f)\n", ratio, target); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	if ratio > target {
		return errors.New("synthesizing takes longer than it should")
	}
	return nil
}

// program is one of the two, with what it took so far.
type program struct {
	name, source, root, path, outdir string
	took                             []time.Duration
}

func (p *program) build(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", p.path, p.source)
	cmd.Dir = p.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", p.name, err, bytes.TrimSpace(out))
	}
	return nil
}

func (p *program) measure(ctx context.Context) (time.Duration, error) {
	env := emulator.OwnEnviron().With(emulator.Environ{
		"CDKTF_OUTDIR": p.outdir, "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "18,20,22,24",
	})
	// Everything, as it goes to AWS.
	for _, name := range []string{"CLOUDSTORAGE_ENV", "AWS_ENDPOINT_URL"} {
		delete(env, name)
	}
	cmd := exec.CommandContext(ctx, p.path)
	cmd.Dir, cmd.Env = p.root, env.Lines()
	start := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(start)
	if err != nil {
		return 0, fmt.Errorf("running %s: %w\n%s", p.name, err, bytes.TrimSpace(out))
	}
	return took, nil
}

// median is the middle of an odd number of measurements, the faster of the two in the middle of an even number.
func (p *program) median() time.Duration {
	return slices.Sorted(slices.Values(p.took))[(len(p.took)-1)/2]
}
