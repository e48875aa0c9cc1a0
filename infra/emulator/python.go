package emulator

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	minMoto    = "5.1"   // the first with everything that the stacks use
	pinnedMoto = "5.2.1" // installed where none is found; the version that everything was tried with
	minPython  = "3.10"  // what the pinned moto asks for
)

// Note tells a person something in passing.
type Note func(format string, args ...any)

// FindMoto returns the Python that has a moto of at least version 5.1: the one of the moto_server on PATH, or of a
// virtual environment below cache (a folder), into which it installs a pinned moto, once.
func FindMoto(ctx context.Context, cache string, note Note) (string, error) {
	if path, err := exec.LookPath("moto_server"); err == nil {
		python := interpreter(path)
		version, err := motoVersion(ctx, python)
		switch {
		case err == nil && atLeast(version, minMoto):
			return python, nil
		case err == nil:
			note("moto %s on PATH is older than %s: using moto %s of its own", version, minMoto, pinnedMoto)
		default:
			note("moto_server on PATH does not work: using moto %s of its own", pinnedMoto)
		}
	}
	return installMoto(ctx, cache, note)
}

// motoVersion asks a Python which moto it has, and checks that moto's server extra is there.
func motoVersion(ctx context.Context, python string) (string, error) {
	const ask = `import flask, flask_cors, importlib.metadata as m; print(m.version("moto"))`
	out, err := exec.CommandContext(ctx, python, "-c", ask).Output()
	if err != nil {
		return "", fmt.Errorf("asking %s for its moto: %w", python, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// interpreter is the Python that runs a script: the one that its first line names, or, where that is a shell (a
// version manager's shim), the python3 beside it.
func interpreter(script string) string {
	beside := filepath.Join(filepath.Dir(script), "python3")
	text, err := os.Open(script)
	if err != nil {
		return beside
	}
	defer func() { _ = text.Close() }()
	first, err := bufio.NewReader(text).ReadString('\n')
	if err != nil || !strings.HasPrefix(first, "#!") {
		return beside
	}
	fields := strings.Fields(first[2:])
	if len(fields) == 1 && strings.Contains(filepath.Base(fields[0]), "python") {
		return fields[0]
	}
	return beside
}

// installMoto makes a virtual environment of its own for the pinned moto.
func installMoto(ctx context.Context, cache string, note Note) (string, error) {
	return Venv{
		Dir: filepath.Join(cache, "venv"), Tool: "moto", Version: pinnedMoto, Purpose: "the AWS emulator",
		Install: []string{"moto[server]==" + pinnedMoto},
		Works: func(ctx context.Context, python string) error {
			_, err := motoVersion(ctx, python)
			return err
		},
	}.Python(ctx, note)
}

// quietly runs a command and shows what it said only when it failed.
func quietly(ctx context.Context, name string, args ...string) error {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w\n%s", err, strings.TrimSpace(said.String()))
	}
	return nil
}
