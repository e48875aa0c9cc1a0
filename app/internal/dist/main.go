// Command dist makes what a release of storagectl consists of, and checks it: for
// each platform an archive with the program, its manual and its completions, a
// list of what it is made of (CycloneDX), and the SHA-256 of all files.
//
//	go run ./app/internal/dist -to dist
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
)

func main() {
	to := flag.String("to", "dist", "the folder; a release that is there is removed first")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *to)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

// empty makes a folder and removes the release that is in it. It removes nothing
// where the folder holds anything else: somebody may have named the wrong one.
func empty(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() || e.Name() != sums && !strings.HasPrefix(e.Name(), "storagectl_") {
			return fmt.Errorf("%s holds %s, which is of no release: name a folder of its own", dir, e.Name())
		}
	}
	for _, e := range entries {
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func run(ctx context.Context, to string) error {
	to, err := filepath.Abs(to)
	if err != nil {
		return err
	}
	r, err := identify(ctx)
	if err != nil {
		return err
	}
	if err := empty(to); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "dist-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	native, err := r.build(ctx, work, host())
	if err != nil {
		return err
	}
	extras, err := r.extras(ctx, native, filepath.Join(work, "extras"))
	if err != nil {
		return err
	}
	for _, p := range platforms {
		program, err := r.build(ctx, work, p)
		if err != nil {
			return err
		}
		if err := r.bom(ctx, program, filepath.Join(to, r.name(p)+bomSuffix)); err != nil {
			return err
		}
		files := append([]file{{name: p.program(), path: program, mode: 0o755}}, extras...)
		if err := pack(filepath.Join(to, r.name(p)+p.suffix()), r.name(p), files, r.date); err != nil {
			return err
		}
	}
	if err := writeSums(to); err != nil {
		return err
	}
	if err := r.verify(ctx, to); err != nil {
		return fmt.Errorf("what was made is not right: %w", err)
	}
	fmt.Fprintf(os.Stdout, "%s: storagectl %s for %d platforms\n", to, r.version, len(platforms))
	return nil
}
