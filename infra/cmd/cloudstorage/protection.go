package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	tfjson "github.com/hashicorp/terraform-json"

	"cloudstorage/infra/emulator"
)

// deletionProtection is what makes AWS refuse to delete a load balancer.
const deletionProtection = "enable_deletion_protection"

// liftDeletionProtection lets a deployed stack's load balancer be deleted, and changes nothing else: whatever the
// environment says by now, the rest is about to be destroyed.
func (d *deployment) liftDeletionProtection(ctx context.Context, name string, s *emulator.Stack) error {
	state, err := s.State(ctx)
	if err != nil {
		return err
	}
	for _, balancer := range protectedBalancers(state) {
		d.note("\n%s is protected from deletion: that is lifted first", balancer.AttributeValues["name"])
		change := func(stack []byte) ([]byte, error) { return unprotected(stack, balancer) }
		copied, remove, err := d.changedCopy(ctx, name, "unprotect", change)
		if err != nil {
			return err
		}
		if err := copied.ApplyOnly(ctx, balancer.Address); err != nil {
			return err
		}
		if err := remove(); err != nil {
			return err
		}
	}
	return nil
}

// protectedBalancers are the load balancers that AWS would refuse to delete.
func protectedBalancers(state *tfjson.State) []*tfjson.StateResource {
	if state.Values == nil {
		return nil
	}
	var found []*tfjson.StateResource
	for _, r := range state.Values.RootModule.Resources {
		if r.Type == "aws_lb" && r.AttributeValues[deletionProtection] == true {
			found = append(found, r)
		}
	}
	return found
}

// decidedByAWS are the attributes of a load balancer that nobody configures, so that there is no change to ignore.
var decidedByAWS = []string{"arn", "arn_suffix", "dns_name", "vpc_id", "zone_id"}

// unprotected returns a stack of the same state and provider that holds the load balancer alone, as it is but for its
// protection. Without the others, nothing that it depends on can change with it.
func unprotected(stack []byte, balancer *tfjson.StateResource) ([]byte, error) {
	var document map[string]any
	if err := json.Unmarshal(stack, &document); err != nil {
		return nil, fmt.Errorf("reading the synthesized stack: %w", err)
	}
	kept := slices.DeleteFunc(slices.Sorted(maps.Keys(balancer.AttributeValues)), func(attribute string) bool {
		return attribute == deletionProtection || slices.Contains(decidedByAWS, attribute)
	})
	return json.MarshalIndent(map[string]any{
		"terraform": document["terraform"],
		"provider":  document["provider"],
		"resource": map[string]any{balancer.Type: map[string]any{balancer.Name: map[string]any{
			deletionProtection: false,
			"subnets":          balancer.AttributeValues["subnets"], // ignored too, but Terraform asks for them
			"lifecycle":        map[string]any{"ignore_changes": kept},
		}}},
	}, "", "  ")
}

// changedCopy returns Terraform on a changed copy of a synthesized stack, and what removes the copy after a success. It
// stands beside the stack's own folder, so that the relative path of its state is the same; the stack itself stays as
// it is.
func (d *deployment) changedCopy(ctx context.Context, name, suffix string, change func([]byte) ([]byte, error)) (s *emulator.Stack, remove func() error, err error) {
	const file = "cdk.tf.json"
	text, err := os.ReadFile(filepath.Join(emulator.StackDir(d.outdir(), name), file))
	if err != nil {
		return nil, nil, fmt.Errorf("reading the synthesized stack: %w", err)
	}
	if text, err = change(text); err != nil {
		return nil, nil, err
	}
	copied := name + "." + suffix
	dir := emulator.StackDir(d.outdir(), copied)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, fmt.Errorf("copying the stack: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, file), text, 0o644); err != nil {
		return nil, nil, fmt.Errorf("copying the stack: %w", err)
	}
	s, err = d.stack(ctx, copied)
	return s, func() error { return os.RemoveAll(dir) }, err
}
