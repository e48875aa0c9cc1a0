package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"cloudstorage/infra/cost"
	"cloudstorage/infra/emulator"
)

func newCost(p *project) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "cost ENVIRONMENT",
		Short:   "Show what an environment costs a month, line by line",
		Example: "  cloudstorage cost production\n  cloudstorage cost production --json | jq .total_usd",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			// Standard output is the estimate's; what synthesizing says goes beside it.
			beside := *p
			beside.out = p.err
			if p.env("AWS_ENDPOINT_URL") != "" {
				return errors.New("AWS_ENDPOINT_URL is set, and an emulator costs nothing: unset it to see what AWS costs")
			}
			d, err := beside.synth(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			estimate, err := d.cost()
			if err != nil {
				return err
			}
			if asJSON {
				encoder := json.NewEncoder(p.out)
				encoder.SetEscapeHTML(false)
				encoder.SetIndent("", "  ")
				return encoder.Encode(estimate)
			}
			if args[0] == localName {
				p.note("%s runs on this machine and costs nothing; in an account it would be:\n", localName)
			}
			return estimate.Print(p.out)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the estimate as JSON")
	return cmd
}

// cost estimates the synthesized environment.
func (d *deployment) cost() (cost.Estimate, error) {
	prices, err := cost.Load()
	if err != nil {
		return cost.Estimate{}, err
	}
	var stacks []cost.Stack
	for _, name := range d.stacks() {
		text, err := os.ReadFile(filepath.Join(emulator.StackDir(d.outdir(), name), "cdk.tf.json"))
		if err != nil {
			return cost.Estimate{}, fmt.Errorf("reading what was synthesized: %w", err)
		}
		stack, err := cost.ParseStack(name, text)
		if err != nil {
			return cost.Estimate{}, err
		}
		stacks = append(stacks, stack)
	}
	return cost.Of(d.environment, prices, stacks...)
}
