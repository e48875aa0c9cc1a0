// Command cloudstorage is what the Makefile runs: the local system, and the deployment of environments with
// Terraform.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"cloudstorage/infra/emulator"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], console{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv})
	stop()
	os.Exit(code)
}

// console is where a person sits.
type console struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(name string) string // nil: nothing is set
}

func (c console) env(name string) string {
	if c.getenv == nil {
		return ""
	}
	return c.getenv(name)
}

// errNotUp is status's answer when something does not run: an exit code, not a message.
var errNotUp = errors.New("not everything runs")

// run executes one command and returns the exit code: 0 done, 1 failed.
func run(ctx context.Context, args []string, c console) int {
	root := newRoot(c)
	root.SetArgs(args)
	switch err := root.ExecuteContext(ctx); {
	case err == nil:
		return 0
	case errors.Is(err, errNotUp):
	case ctx.Err() != nil:
		_, _ = fmt.Fprintln(c.err, "interrupted:", err)
	default:
		_, _ = fmt.Fprintln(c.err, "error:", err)
	}
	return 1
}

func newRoot(c console) *cobra.Command {
	p := &project{console: c}
	root := &cobra.Command{
		Use:           "cloudstorage",
		Short:         "Runs the storage API on this machine, and deploys it to AWS",
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(*cobra.Command, []string) (err error) {
			p.root, err = findRoot(p.root)
			return err
		},
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	root.PersistentFlags().StringVar(&p.root, "root", "", "the project's `folder` (default: the current one or the closest above it)")
	root.AddCommand(
		newUp(p), newStatus(p), newDown(p),
		newInit(p), newKey(p),
		newSynth(p), newCost(p), newScan(p), newPlan(p), newDeploy(p), newDestroy(p), newPurge(p),
	)
	return root
}

// project is the folder that the commands work in.
type project struct {
	console
	root string
}

func (p *project) cache() string { return filepath.Join(p.root, ".cache") }

// environments and outdir follow the variables that synthesizing itself follows.
func (p *project) environments() string {
	return cmp.Or(p.env("CLOUDSTORAGE_ENVIRONMENTS"), filepath.Join(p.root, "infra", "environments"))
}

func (p *project) outdir() string {
	return cmp.Or(p.env("CDKTF_OUTDIR"), filepath.Join(p.root, "cdktf.out"))
}

func (p *project) note(format string, args ...any) {
	p.printf(format+"\n", args...)
}

func (p *project) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(p.out, format, args...)
}

func (p *project) options() emulator.Options {
	return emulator.Options{Root: p.root, Out: p.out}
}

// findRoot returns the absolute path of the project's root: from, or the folder or the closest one above the
// current folder that holds cdktf.json.
func findRoot(from string) (string, error) {
	dir, err := filepath.Abs(from)
	if err != nil {
		return "", fmt.Errorf("finding the project: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "cdktf.json")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir || from != "" {
			return "", errors.New("no cdktf.json here or above: run this in the project's folder")
		}
		dir = parent
	}
}
