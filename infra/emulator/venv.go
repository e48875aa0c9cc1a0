package emulator

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Venv is a virtual environment of Python that holds one tool, installed once.
type Venv struct {
	Dir     string // where it is
	Tool    string // the package's name
	Version string // of the tool
	Purpose string // what the tool is, for whoever waits for it
	// Install are pip's arguments that name what to install.
	Install []string
	// Works checks an installation: the Python that the environment was made with may have been removed since.
	Works func(ctx context.Context, python string) error
}

// Python returns the environment's Python, after installing the tool if it is not there. An installation that was
// broken off is not trusted: its marker is written last.
func (v Venv) Python(ctx context.Context, note Note) (string, error) {
	unlock, err := lock(ctx, v.Dir+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()

	own := filepath.Join(v.Dir, "bin", "python")
	marker := filepath.Join(v.Dir, "installed-"+v.Version)
	if _, err := os.Stat(marker); err == nil && v.Works(ctx, own) == nil {
		return own, nil
	}
	python, err := v.findPython(ctx)
	if err != nil {
		return "", err
	}
	if err := os.RemoveAll(v.Dir); err != nil {
		return "", fmt.Errorf("installing %s: %w", v.Tool, err)
	}
	note("installing %s %s (%s) with pip, once", v.Tool, v.Version, v.Purpose)
	if err := quietly(ctx, python, "-m", "venv", v.Dir); err != nil {
		return "", fmt.Errorf("the venv module of Python does not work: install it (on Debian and Ubuntu: apt install python3-venv): %w", err)
	}
	pip := append([]string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check"}, v.Install...)
	if err := quietly(ctx, own, pip...); err != nil {
		return "", fmt.Errorf("installing %s %s with pip: %w", v.Tool, v.Version, err)
	}
	if err := os.WriteFile(marker, nil, 0o644); err != nil {
		return "", fmt.Errorf("installing %s: %w", v.Tool, err)
	}
	return own, nil
}

func (v Venv) findPython(ctx context.Context) (string, error) {
	python, err := exec.LookPath("python3")
	if err != nil {
		return "", v.noPython()
	}
	const ask = `import sys; print("%d.%d.%d" % sys.version_info[:3])`
	out, err := exec.CommandContext(ctx, python, "-c", ask).Output()
	if err != nil {
		return "", fmt.Errorf("%w (%s does not run: %w)", v.noPython(), python, err)
	}
	if version := strings.TrimSpace(string(out)); !atLeast(version, minPython) {
		return "", fmt.Errorf("python3 on PATH is %s, too old: install Python %s or later (it runs %s)", version, minPython, v.Purpose)
	}
	return python, nil
}

func (v Venv) noPython() error {
	return errors.New("Python 3 is missing: install Python " + minPython + " or later from https://www.python.org/downloads or your system's packages (it runs " + v.Purpose + ")")
}
