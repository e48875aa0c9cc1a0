package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"

	"cloudstorage/infra/emulator"
)

// stateMove takes a stack's state from its local file to the S3 bucket that the stack now names. Nothing is lost by it:
// it writes only where there is no state, reads back what it wrote, and then renames the local file, which stays. What
// an interruption leaves is recognised and finished by the next run; whatever else is there already, is refused.
type stateMove struct {
	name  string // the state's object, for messages
	local string // the local file; "" is none, only the folder still remembers one
	note  func(format string, args ...any)
}

// moved is what a local state's file is called once its state is in S3. Git ignores it, as it does the state.
const moved = ".moved"

// stateMove is what there is to move for a stack; nil is nothing.
func (d *deployment) stateMove(name string) (*stateMove, error) {
	dir := emulator.StackDir(d.outdir(), name)
	key, err := stateKey(dir)
	if err != nil || key == "" {
		return nil, err
	}
	local := filepath.Join(filepath.Dir(d.outdir()), "terraform."+path.Base(key))
	switch {
	case exists(local):
		return &stateMove{name: key, local: local, note: d.note}, nil
	case remembersLocal(dir): // planned before, and never deployed; or moved, and interrupted then
		return &stateMove{name: key, note: d.note}, nil
	}
	return nil, nil
}

// stateKey is the object that keeps a synthesized stack's state; "" is a stack that keeps it elsewhere.
func stateKey(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "cdk.tf.json"))
	if err != nil {
		return "", fmt.Errorf("reading the synthesized stack: %w", err)
	}
	var stack struct {
		Terraform struct {
			Backend struct {
				S3 struct{ Key string }
			}
		}
	}
	if err := json.Unmarshal(text, &stack); err != nil {
		return "", fmt.Errorf("reading the synthesized stack: %w", err)
	}
	return stack.Terraform.Backend.S3.Key, nil
}

// remembersLocal reports whether Terraform last used the folder with a local state.
func remembersLocal(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, ".terraform", "terraform.tfstate"))
	if err != nil {
		return false
	}
	var remembered struct{ Backend struct{ Type string } }
	return json.Unmarshal(text, &remembered) == nil && remembered.Backend.Type == "local"
}

// run initializes the stack with its new backend and moves the state.
func (m *stateMove) run(ctx context.Context, s *emulator.Stack) error {
	if m.local == "" {
		return s.InitAnew(ctx)
	}
	aside := m.local + moved
	if exists(aside) {
		return fmt.Errorf("the state in %s is to be moved to S3, and %s is there from an earlier move: keep both in a safe place, find out which is the one, and leave at most the first", m.local, aside)
	}
	if lock := lockFile(m.local); exists(lock) {
		return fmt.Errorf("somebody works with the state in %s: wait until they are done, or remove %s if nobody is", m.local, lock)
	}
	local, err := readState(m.local)
	if err != nil {
		return err
	}
	if err := s.InitAnew(ctx); err != nil {
		return err
	}
	remote, err := pullState(ctx, s)
	if err != nil {
		return err
	}
	switch {
	case remote == nil:
		m.note("Moving the state in %s to %s in the state bucket", m.local, m.name)
		if err := s.PushState(ctx, m.local); err != nil {
			return err
		}
		if remote, err = pullState(ctx, s); err != nil {
			return err
		}
		if !local.same(remote) {
			return fmt.Errorf("%s in the state bucket is not what was written there (%s, not %s); the local state is untouched in %s", m.name, remote, local, m.local)
		}
	case !local.same(remote):
		return fmt.Errorf("there are two states: %s in the state bucket (%s) and %s (%s). Nothing was changed. "+
			"If the one in the bucket is right, move the local file away; if the local one is, run terraform state push by hand (docs/aws-account.md)",
			m.name, remote, m.local, local)
	}
	if err := os.Rename(m.local, aside); err != nil {
		return fmt.Errorf("the state is in S3, and its local file has to go aside: %w", err)
	}
	m.note("The state is in S3 now; the local file is kept as %s", aside)
	return nil
}

// lockFile is where Terraform says that it works with a local state.
func lockFile(local string) string {
	return filepath.Join(filepath.Dir(local), "."+filepath.Base(local)+".lock.info")
}

func exists(file string) bool {
	_, err := os.Lstat(file)
	return !errors.Is(err, fs.ErrNotExist)
}

// state is what tells Terraform's states apart.
type state struct {
	Lineage   string
	Serial    int
	Resources []any
	Outputs   map[string]any
}

func (s *state) String() string {
	return fmt.Sprintf("lineage %s, serial %d, %d resources", s.Lineage, s.Serial, len(s.Resources))
}

// same reports whether two states know the same of the same resources. Lineage and serial say nothing here: Terraform
// starts both anew when it pushes into an S3 backend without a state.
func (s *state) same(other *state) bool {
	return other != nil && reflect.DeepEqual(s.Resources, other.Resources) && reflect.DeepEqual(s.Outputs, other.Outputs)
}

func readState(file string) (*state, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the local state: %w", err)
	}
	read, err := parseState(text, file)
	if err == nil && read.Lineage == "" {
		err = fmt.Errorf("%s is not a state of Terraform's: it has no lineage", file)
	}
	return read, err
}

// pullState returns the backend's state; nil is none, for which Terraform prints nothing or a state of nothing.
func pullState(ctx context.Context, s *emulator.Stack) (*state, error) {
	text, err := s.PullState(ctx)
	if err != nil || text == "" {
		return nil, err
	}
	pulled, err := parseState([]byte(text), "the state in S3")
	if err != nil || pulled.Lineage == "" && len(pulled.Resources) == 0 {
		return nil, err
	}
	return pulled, nil
}

func parseState(text []byte, where string) (*state, error) {
	var parsed state
	if err := json.Unmarshal(text, &parsed); err != nil {
		return nil, fmt.Errorf("%s is not a state of Terraform's: %w", where, err)
	}
	return &parsed, nil
}
