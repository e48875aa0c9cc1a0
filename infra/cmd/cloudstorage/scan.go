package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"cloudstorage/infra/emulator"
	"cloudstorage/infra/scan"
)

func newScan(p *project) *cobra.Command {
	return &cobra.Command{
		Use:   "scan",
		Short: "Scan all environments for what is unsafe, with checkov and tflint",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return p.scan(cmd.Context()) },
	}
}

func (p *project) scan(ctx context.Context) error {
	if p.env("AWS_ENDPOINT_URL") != "" {
		return errors.New("AWS_ENDPOINT_URL is set: unset it to scan the stacks as they go to AWS")
	}
	// A folder of its own: what was synthesized before, of other environments, is not scanned.
	outdir := filepath.Join(p.cache(), "scan", "cdktf.out")
	if err := os.RemoveAll(outdir); err != nil {
		return fmt.Errorf("scanning: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(outdir), 0o755); err != nil {
		return fmt.Errorf("scanning: %w", err)
	}
	if err := p.synthesize(ctx, emulator.SynthOptions{Outdir: outdir}); err != nil {
		return err
	}
	result, err := scan.Run(ctx, scan.Options{Root: p.root, Cache: p.cache(), Stacks: filepath.Join(outdir, "stacks"), Note: p.note})
	if err != nil {
		return err
	}
	for _, finding := range result.Open {
		p.note("%s", finding)
	}
	for _, exception := range result.Stale {
		p.note(".ci/scan.yaml: %s: take it out", exception)
	}
	p.note("scanned %d stacks: %d checks pass, %d are excepted with a reason, %d are open", result.Stacks, result.Passed, result.Excepted, len(result.Open))
	if len(result.Open) > 0 || len(result.Stale) > 0 {
		return fmt.Errorf("%d findings are open and %d exceptions cover nothing: mend the stack, or the reasons in .ci/scan.yaml", len(result.Open), len(result.Stale))
	}
	return nil
}
