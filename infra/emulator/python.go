package emulator

import (
	"bufio"
	"bytes"
	"context"
	"errors"
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

// installMoto makes the virtual environment. An installation that was broken off is not trusted: the marker is
// written last.
func installMoto(ctx context.Context, cache string, note Note) (string, error) {
	unlock, err := lock(ctx, filepath.Join(cache, "venv.lock"))
	if err != nil {
		return "", err
	}
	defer unlock()

	venv := filepath.Join(cache, "venv")
	own := filepath.Join(venv, "bin", "python")
	marker := filepath.Join(venv, "installed-"+pinnedMoto)
	if _, err := os.Stat(marker); err == nil {
		// The Python that the environment was made with may have been removed since.
		if _, err := motoVersion(ctx, own); err == nil {
			return own, nil
		}
	}
	python, err := findPython(ctx)
	if err != nil {
		return "", err
	}
	if err := os.RemoveAll(venv); err != nil {
		return "", fmt.Errorf("installing moto: %w", err)
	}
	note("installing moto %s (the AWS emulator) with pip, once", pinnedMoto)
	if err := quietly(ctx, python, "-m", "venv", venv); err != nil {
		return "", fmt.Errorf("the venv module of Python does not work: install it (on Debian and Ubuntu: apt install python3-venv): %w", err)
	}
	if err := quietly(ctx, own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "moto[server]=="+pinnedMoto); err != nil {
		return "", fmt.Errorf("installing moto %s with pip: %w", pinnedMoto, err)
	}
	if err := os.WriteFile(marker, nil, 0o644); err != nil {
		return "", fmt.Errorf("installing moto: %w", err)
	}
	return own, nil
}

var errNoPython = errors.New("Python 3 is missing: install Python " + minPython + " or later from https://www.python.org/downloads or your system's packages (it runs the AWS emulator)") //nolint:staticcheck // a proper name begins it

func findPython(ctx context.Context) (string, error) {
	python, err := exec.LookPath("python3")
	if err != nil {
		return "", errNoPython
	}
	const ask = `import sys; print("%d.%d.%d" % sys.version_info[:3])`
	out, err := exec.CommandContext(ctx, python, "-c", ask).Output()
	if err != nil {
		return "", fmt.Errorf("%w (%s does not run: %w)", errNoPython, python, err)
	}
	if version := strings.TrimSpace(string(out)); !atLeast(version, minPython) {
		return "", fmt.Errorf("python3 on PATH is %s, too old: install Python %s or later (it runs the AWS emulator)", version, minPython)
	}
	return python, nil
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
