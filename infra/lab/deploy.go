//go:build linux

package lab

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"cloudstorage/infra/emulator"
)

// The lab's own environment files, one for each delivery.
const (
	environmentBinary = "lab"
	environmentSource = "lab-source"
)

// deployer applies the lab's environment to the emulated account, with the real Terraform.
type deployer struct {
	root         string
	environment  string // its name
	program      string // that synthesizes
	environments string // folder of the lab's copy
	outdir       string
	endpoint     string // of the gate
	tools        *emulator.Tools
	log          io.Writer
	wait         string // for a fleet to serve; "": as synthesized
	applied      bool   // once, whole
	builds       int    // beside the first
}

// firstTTL is what the environment's file says, in minutes, before anything changes it.
const firstTTL = 10

// newBuild changes a setting, so that the next deploy replaces the fleet.
func (d *deployer) newBuild() error {
	old, new := fmt.Sprintf("url_ttl: %dm", firstTTL+d.builds), fmt.Sprintf("url_ttl: %dm", firstTTL+d.builds+1)
	path := filepath.Join(d.environments, d.environment+".yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("change the environment: %w", err)
	}
	if strings.Count(string(text), old) != 1 {
		return fmt.Errorf("change the environment: %s does not hold %q exactly once", path, old)
	}
	d.builds++
	return os.WriteFile(path, []byte(strings.Replace(string(text), old, new, 1)), 0o644)
}

// apply synthesizes and applies the stacks: from the second time on that of the API, since a build changes no other.
func (d *deployer) apply(ctx context.Context) error {
	err := emulator.Synth(ctx, emulator.SynthOptions{
		Program: d.program, Root: d.root, Environment: d.environment, Environments: d.environments, Outdir: d.outdir, Emulator: d.endpoint,
	})
	if err != nil {
		return err
	}
	if d.wait != "" {
		if err := d.shorten(d.wait); err != nil {
			return err
		}
	}
	storage, api := d.environment+"-storage", d.environment+"-api"
	for _, name := range []string{storage, api} {
		if d.applied && name == storage {
			continue
		}
		s, err := d.tools.Stack(emulator.StackDir(d.outdir, name), emulator.StackOptions{Emulator: d.endpoint, Out: d.log, Err: d.log})
		if err != nil {
			return err
		}
		if !d.applied {
			if err := s.Init(ctx); err != nil {
				return err
			}
		}
		if err := s.Apply(ctx); err != nil {
			return err
		}
	}
	d.applied = true
	return nil
}
