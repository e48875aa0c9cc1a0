// Package build makes the programs that tests run beside the product: each is a
// module of its own below app/e2e, built once per content.
package build

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// Program returns the program of the module app/e2e/<name>, from the project's
// cache where its sources have not changed.
func Program(name string) (string, error) {
	mod, err := output(".", "go", "env", "GOMOD")
	if err != nil {
		return "", err
	}
	root := filepath.Dir(strings.TrimSpace(mod))
	source := filepath.Join(root, "app", "e2e", name)
	sum, err := digest(source)
	if err != nil {
		return "", err
	}
	program := filepath.Join(root, ".cache", "bin", name+"-"+sum)
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		return "", err
	}
	// The first build takes a minute or two, and several packages' tests run at
	// once: one of them builds, the others wait. The lock ends with its process.
	lock, err := os.OpenFile(program+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	// Renamed when whole: who finds it need not lock.
	if _, err := output(source, "go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-o", program+".part", "."); err != nil {
		return "", err
	}
	return program, os.Rename(program+".part", program)
}

// output runs a command of the Go toolchain in dir.
func output(dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(context.Background(), name, args...) // its build is shared by all tests
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	stderr := &strings.Builder{}
	cmd.Stderr = stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s in %s: %w\n%s", cmd, dir, err, stderr)
	}
	return string(out), nil
}
