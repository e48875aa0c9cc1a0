package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"cloudstorage/infra/config"
	"cloudstorage/infra/emulator"
)

// deployment is an environment that was synthesized and the Terraform that runs its stacks.
type deployment struct {
	*project
	environment string
	endpoint    string // of an emulated AWS; "": AWS
	tools       *emulator.Tools
}

func newSynth(p *project) *cobra.Command {
	return &cobra.Command{
		Use:   "synth ENVIRONMENT",
		Short: "Write an environment's Terraform to cdktf.out",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, err := p.synth(cmd.Context(), args[0])
			return err
		},
	}
}

func newPlan(p *project) *cobra.Command {
	return &cobra.Command{
		Use:   "plan ENVIRONMENT",
		Short: "Show what a deployment would change",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := p.deployment(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			for _, name := range d.stacks() {
				if _, _, err := d.plan(cmd.Context(), name); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// open reads the environment's file and returns what is to be prepared before Terraform can run.
func (p *project) open(environment string) (*deployment, config.Set, error) {
	set, err := config.LoadDir(p.environments())
	if err != nil {
		return nil, config.Set{}, err
	}
	if set, err = set.Only(environment); err != nil {
		return nil, config.Set{}, err
	}
	d := &deployment{project: p, environment: environment}
	if d.endpoint, err = loopbackEndpoint(p.env("AWS_ENDPOINT_URL")); err != nil {
		return nil, config.Set{}, err
	}
	return d, set, nil
}

// synth writes the environment's Terraform and returns where it goes.
func (p *project) synth(ctx context.Context, environment string) (*deployment, error) {
	d, _, err := p.open(environment)
	if err != nil {
		return nil, err
	}
	err = d.synthesizeStacks(ctx)
	return d, err
}

func (d *deployment) synthesizeStacks(ctx context.Context) error {
	return d.synthesize(ctx, emulator.SynthOptions{Environment: d.environment, Outdir: d.outdir(), Emulator: d.endpoint, Out: d.out})
}

// synthesize builds the synthesizing program, the project's own, and runs it.
func (p *project) synthesize(ctx context.Context, o emulator.SynthOptions) error {
	if _, err := emulator.CheckNode(ctx); err != nil {
		return err
	}
	bin := filepath.Join(p.cache(), "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return fmt.Errorf("synthesizing: %w", err)
	}
	program, err := emulator.BuildSynth(ctx, p.root, bin)
	if err != nil {
		return err
	}
	o.Program, o.Root, o.Environments = program, p.root, p.environments()
	return emulator.Synth(ctx, o)
}

// deployment synthesizes the environment and finds Terraform.
func (p *project) deployment(ctx context.Context, environment string) (*deployment, error) {
	d, _, err := p.open(environment)
	if err != nil {
		return nil, err
	}
	err = d.prepare(ctx)
	return d, err
}

// prepare synthesizes the environment and finds Terraform.
func (d *deployment) prepare(ctx context.Context) (err error) {
	// The first Ctrl-C lets Terraform finish what it does and save its state; the second ends us at once.
	context.AfterFunc(ctx, func() { signal.Reset(os.Interrupt, syscall.SIGTERM) })
	if err := d.synthesizeStacks(ctx); err != nil {
		return err
	}
	if d.endpoint != "" {
		d.note("AWS_ENDPOINT_URL is on this machine: this goes to the emulated AWS at %s, with test credentials", d.endpoint)
	}
	d.tools, err = emulator.FindTools(ctx, d.root, d.cache(), d.note)
	return err
}

// stacks are the environment's stacks in the order that they are made in.
func (d *deployment) stacks() []string {
	if d.environment == config.AccountName {
		return []string{config.AccountName}
	}
	return []string{d.storage(), d.api()}
}

func (d *deployment) storage() string { return d.environment + "-storage" }
func (d *deployment) api() string     { return d.environment + "-api" }

// stack returns Terraform in a stack's folder, initialized.
func (d *deployment) stack(ctx context.Context, name string) (*emulator.Stack, error) {
	s, err := d.tools.Stack(emulator.StackDir(d.outdir(), name), emulator.StackOptions{
		Emulator: d.endpoint, Out: d.out, Err: d.err,
	})
	if err != nil {
		return nil, err
	}
	d.note("\n== %s", name)
	move, err := d.stateMove(name)
	if err != nil {
		return nil, err
	}
	if move != nil {
		err = move.run(ctx, s)
	} else {
		err = s.Init(ctx)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (d *deployment) plan(ctx context.Context, name string) (s *emulator.Stack, changes bool, err error) {
	if s, err = d.stack(ctx, name); err != nil {
		return nil, false, err
	}
	changes, err = s.Plan(ctx)
	return s, changes, err
}

// loopbackEndpoint returns the endpoint when it is on this machine, "" when there is none. Any other endpoint is
// neither AWS nor the emulator, so nothing here is meant for it.
func loopbackEndpoint(endpoint string) (string, error) {
	if endpoint == "" {
		return "", nil
	}
	if config.OnThisMachine(endpoint) {
		return endpoint, nil
	}
	return "", fmt.Errorf("AWS_ENDPOINT_URL=%s is neither AWS nor an emulator on this machine: unset it for AWS", endpoint)
}

// lifted returns a synthesized stack's JSON without what protects its data: prevent_destroy is gone, and buckets are
// emptied when they are destroyed.
func lifted(stack []byte) ([]byte, error) {
	var document map[string]any
	if err := json.Unmarshal(stack, &document); err != nil {
		return nil, fmt.Errorf("reading the synthesized stack: %w", err)
	}
	resources, ok := document["resource"].(map[string]any)
	if !ok {
		return nil, errors.New("the synthesized stack holds no resources")
	}
	for kind, named := range resources {
		instances, ok := named.(map[string]any)
		if !ok {
			continue
		}
		for _, instance := range instances {
			resource, ok := instance.(map[string]any)
			if !ok {
				continue
			}
			if lifecycle, ok := resource["lifecycle"].(map[string]any); ok {
				delete(lifecycle, "prevent_destroy")
			}
			if kind == "aws_s3_bucket" {
				resource["force_destroy"] = true
			}
		}
	}
	return json.MarshalIndent(document, "", "  ")
}
