// Package scan holds the synthesized stacks against the rules of public scanners, checkov and tflint, and against one
// file that says why some of them need not be kept: so that what is unsafe is a decision that somebody can read.
package scan

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cloudstorage/infra/emulator"
)

// Options say what to scan.
type Options struct {
	Root   string // the project's folder, with .ci/scan.yaml and .ci/scan
	Cache  string // takes the scanners and what they work on
	Stacks string // the folder of synthesized stacks, a folder each
	Note   emulator.Note
}

// Result is what the scanners found.
type Result struct {
	Stacks   int
	Passed   int       // checks of checkov; tflint does not count its own
	Excepted int       // findings that an exception covers
	Open     []Finding // findings that none covers
	Stale    []string  // exceptions that cover nothing any more
}

// Run scans the stacks.
func Run(ctx context.Context, o Options) (Result, error) {
	exceptions, err := ReadExceptions(filepath.Join(o.Root, ".ci", "scan.yaml"))
	if err != nil {
		return Result{}, err
	}
	stacks, err := readStacks(o.Stacks)
	if err != nil {
		return Result{}, err
	}
	python, err := installCheckov(ctx, o.Root, o.Cache, o.Note)
	if err != nil {
		return Result{}, err
	}
	program, err := installTFLint(ctx, o.Root, o.Cache)
	if err != nil {
		return Result{}, err
	}
	result := Result{Stacks: len(stacks)}
	var findings []Finding
	if result.Passed, findings, err = checkov(ctx, python, filepath.Join(o.Cache, "scan", "checkov"), stacks); err != nil {
		return Result{}, err
	}
	more, err := tflint(ctx, program, o.Root, o.Stacks)
	if err != nil {
		return Result{}, err
	}
	findings = append(findings, more...)
	result.Open, result.Stale = exceptions.Judge(findings)
	result.Excepted = len(findings) - len(result.Open)
	slices.SortFunc(result.Open, func(a, b Finding) int { return strings.Compare(a.String(), b.String()) })
	return result, nil
}

func readStacks(dir string) (map[string][]byte, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "cdk.tf.json"))
	if err != nil || len(files) == 0 {
		return nil, errors.Join(fmt.Errorf("no synthesized stacks in %s", dir), err)
	}
	stacks := map[string][]byte{}
	for _, file := range files {
		if stacks[filepath.Base(filepath.Dir(file))], err = os.ReadFile(file); err != nil {
			return nil, fmt.Errorf("reading the synthesized stacks: %w", err)
		}
	}
	return stacks, nil
}
