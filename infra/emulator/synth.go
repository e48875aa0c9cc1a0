package emulator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	minNode = "20" // what CDKTF 0.21 asks for
)

// CheckNode returns the version of the Node.js on PATH, which CDKTF's Go packages run on.
func CheckNode(ctx context.Context) (string, error) {
	const install = "install Node.js " + minNode + " or later from https://nodejs.org or your system's packages (CDKTF runs on it)"
	path, err := exec.LookPath("node")
	if err != nil {
		return "", errors.New("Node.js is missing: " + install) //nolint:staticcheck // a proper name begins it
	}
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("node on PATH does not run (%w): %s", err, install)
	}
	version := strings.TrimPrefix(strings.TrimSpace(string(out)), "v")
	if !atLeast(version, minNode) {
		return "", fmt.Errorf("node on PATH is %s, too old: %s", version, install)
	}
	return version, nil
}

// BuildSynth builds the project's main program, which turns environments into Terraform, and returns its path.
func BuildSynth(ctx context.Context, root, dir string) (string, error) {
	// Go writes a changed program in place: another build of it must neither meet half of it nor run that. When
	// nothing changed it writes nothing, so a running one is not disturbed.
	unlock, err := lock(ctx, filepath.Join(dir, "synth.lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	program := filepath.Join(dir, "synth")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", root, err, bytes.TrimSpace(out))
	}
	return program, nil
}

// SynthOptions say what to synthesize, and to where.
type SynthOptions struct {
	Program      string // from BuildSynth
	Root         string // the project's root
	Environment  string // its name; "": all of them
	Environments string // folder of environment files; "": the project's own
	Outdir       string
	Emulator     string    // endpoint of an emulated AWS; "": for AWS itself
	Out          io.Writer // takes what the program says; nil: shown only when it fails
}

// Synth runs the project's main program.
func Synth(ctx context.Context, o SynthOptions) error {
	env := OwnEnviron()
	if o.Emulator != "" {
		env = env.Emulated(o.Emulator)
	}
	set := Environ{
		"CDKTF_OUTDIR":     o.Outdir,
		"CLOUDSTORAGE_ENV": o.Environment,
		// A list of Node's major versions, past and to come: jsii's banner about them is longer than all else.
		"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "18,20,22,24",
	}
	if o.Environments != "" {
		set["CLOUDSTORAGE_ENVIRONMENTS"] = o.Environments
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, o.Program)
	cmd.Dir, cmd.Env = o.Root, env.With(set).Lines()
	cmd.Stdout, cmd.Stderr = &said, &said
	if o.Out != nil {
		cmd.Stdout, cmd.Stderr = o.Out, o.Out
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("synthesizing %s: %w\n%s", orAll(o.Environment), err, strings.TrimSpace(said.String()))
	}
	return nil
}

// StackDir is where Terraform runs for a stack.
func StackDir(outdir, stack string) string {
	return filepath.Join(outdir, "stacks", stack)
}

func orAll(environment string) string {
	if environment == "" {
		return "all environments"
	}
	return environment
}
