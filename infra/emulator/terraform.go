package emulator

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"time"

	tfexec "github.com/hashicorp/terraform-exec/tfexec"
	tfjson "github.com/hashicorp/terraform-json"
)

// StackOptions say how Terraform runs in one stack's folder. The zero value suits AWS.
type StackOptions struct {
	Environ     Environ       // added to the tools' own; nil: nothing
	Emulator    string        // endpoint of an emulated AWS; "": the user's own account and credentials
	Parallelism int           // 0: Terraform's 10, or 30 on the emulator
	Grace       time.Duration // how long an interrupted Terraform may finish and save its state; 0: 1 h, or 5 s on the emulator
	Out         io.Writer     // takes what Terraform prints; nil: nobody
	Err         io.Writer
}

// Stack is Terraform in the folder of one synthesized stack.
type Stack struct {
	tf          *tfexec.Terraform
	parallelism *tfexec.ParallelismOption
	cache       string
	out         io.Writer
}

// emulatedDataDir, in the stack's folder, is Terraform's when it works on the emulator: it remembers a backend, and the
// account's is another.
const emulatedDataDir = ".terraform-emulator"

// planFile is where a plan waits to be applied, in the stack's folder.
const planFile = "plan.tfplan"

// Stack returns Terraform for the folder that holds a cdk.tf.json.
func (t *Tools) Stack(dir string, o StackOptions) (*Stack, error) {
	tf, err := tfexec.NewTerraform(dir, t.Terraform)
	if err != nil {
		return nil, fmt.Errorf("terraform in %s: %w", dir, err)
	}
	env, parallelism, grace := t.env.With(o.Environ), o.Parallelism, o.Grace
	if o.Emulator != "" {
		env = env.Emulated(o.Emulator)
		env["TF_DATA_DIR"] = emulatedDataDir
		if parallelism == 0 {
			parallelism = 30
		}
		if grace == 0 {
			grace = 5 * time.Second
		}
	}
	if parallelism == 0 {
		parallelism = 10
	}
	if grace == 0 {
		grace = time.Hour
	}
	if err := tf.SetEnv(env); err != nil {
		return nil, fmt.Errorf("terraform in %s: %w", dir, err)
	}
	if err := tf.SetWaitDelay(grace); err != nil {
		return nil, fmt.Errorf("terraform in %s: %w", dir, err)
	}
	if o.Err != nil {
		tf.SetStderr(o.Err)
	}
	return &Stack{tf: tf, parallelism: tfexec.Parallelism(parallelism), cache: t.cache, out: o.Out}, nil
}

// Init makes the folder ready: backend and provider. It fails where the folder remembers another backend.
func (s *Stack) Init(ctx context.Context) error {
	return s.init(ctx)
}

// InitAnew is Init that forgets the backend that the folder remembers. It moves no state.
func (s *Stack) InitAnew(ctx context.Context) error {
	return s.init(ctx, tfexec.Reconfigure(true))
}

func (s *Stack) init(ctx context.Context, options ...tfexec.InitOption) error {
	// Terraform's plugin cache is not safe for several inits at once.
	unlock, err := lock(ctx, filepath.Join(s.cache, "terraform", "init.lock"))
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.shown().Init(ctx, options...); err != nil {
		return s.failed(ctx, "init", err)
	}
	return nil
}

// Plan compares the stack with what is there, keeps the plan for ApplyPlan and tells whether anything would change.
func (s *Stack) Plan(ctx context.Context) (changes bool, err error) {
	changes, err = s.shown().Plan(ctx, s.parallelism, tfexec.Out(planFile))
	if err != nil {
		return false, s.failed(ctx, "plan", err)
	}
	return changes, nil
}

// PlanDestroy is Plan for the removal of the stack.
func (s *Stack) PlanDestroy(ctx context.Context) (changes bool, err error) {
	changes, err = s.shown().Plan(ctx, s.parallelism, tfexec.Out(planFile), tfexec.Destroy(true))
	if err != nil {
		return false, s.failed(ctx, "plan -destroy", err)
	}
	return changes, nil
}

// Planned returns the plan that Plan kept.
func (s *Stack) Planned(ctx context.Context) (*tfjson.Plan, error) {
	plan, err := s.silent().ShowPlanFile(ctx, planFile)
	if err != nil {
		return nil, s.failed(ctx, "show", err)
	}
	return plan, nil
}

// ApplyPlan does what Plan said, and nothing else.
func (s *Stack) ApplyPlan(ctx context.Context) error {
	if err := s.shown().Apply(ctx, s.parallelism, tfexec.DirOrPlan(planFile)); err != nil {
		return s.failed(ctx, "apply", err)
	}
	return nil
}

// Apply makes the stack what its folder says.
func (s *Stack) Apply(ctx context.Context) error {
	if err := s.shown().Apply(ctx, s.parallelism); err != nil {
		return s.failed(ctx, "apply", err)
	}
	return nil
}

// ApplyOnly makes one resource what the folder says, with what it depends on, and leaves everything else alone.
func (s *Stack) ApplyOnly(ctx context.Context, address string) error {
	if err := s.shown().Apply(ctx, s.parallelism, tfexec.Target(address)); err != nil {
		return s.failed(ctx, "apply -target", err)
	}
	return nil
}

// Destroy removes everything that the stack made.
func (s *Stack) Destroy(ctx context.Context) error {
	if err := s.shown().Destroy(ctx, s.parallelism); err != nil {
		return s.failed(ctx, "destroy", err)
	}
	return nil
}

// Output returns the stack's outputs; those that are not strings as JSON.
func (s *Stack) Output(ctx context.Context) (map[string]string, error) {
	metas, err := s.silent().Output(ctx)
	if err != nil {
		return nil, s.failed(ctx, "output", err)
	}
	out := make(map[string]string, len(metas))
	for name, meta := range metas {
		var text string
		if err := json.Unmarshal(meta.Value, &text); err != nil {
			text = string(meta.Value)
		}
		out[name] = text
	}
	return out, nil
}

// State returns what Terraform knows of the stack's resources.
func (s *Stack) State(ctx context.Context) (*tfjson.State, error) {
	state, err := s.silent().Show(ctx)
	if err != nil {
		return nil, s.failed(ctx, "show", err)
	}
	return state, nil
}

// PullState returns the text of the state that the backend keeps; "" is none.
func (s *Stack) PullState(ctx context.Context) (string, error) {
	text, err := s.silent().StatePull(ctx)
	if err != nil {
		return "", s.failed(ctx, "state pull", err)
	}
	return text, nil
}

// PushState writes the state in file to the backend. Terraform refuses one that is older than, or unrelated to, what is
// there.
func (s *Stack) PushState(ctx context.Context, file string) error {
	if err := s.shown().StatePush(ctx, file, tfexec.Lock(true)); err != nil {
		return s.failed(ctx, "state push", err)
	}
	return nil
}

// shown is Terraform with its output going to whoever asked for it.
func (s *Stack) shown() *tfexec.Terraform {
	s.tf.SetStdout(s.out)
	return s.tf
}

// silent is Terraform for the commands whose output is JSON for us.
func (s *Stack) silent() *tfexec.Terraform {
	s.tf.SetStdout(nil)
	return s.tf
}

func (s *Stack) failed(ctx context.Context, command string, err error) error {
	if ctx.Err() != nil {
		err = fmt.Errorf("interrupted: %w", ctx.Err())
	}
	return fmt.Errorf("terraform %s in %s: %w", command, s.tf.WorkingDir(), err)
}
