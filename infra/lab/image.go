//go:build linux

package lab

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// recipe makes the machines' root file system. It has what the user-data expects of Amazon Linux 2023: systemd, cloud-init, the AWS
// command line and a shell.
//
//go:embed image.sh
var recipe string

// makeImage returns the folder of the root file system, which is made once for each recipe.
func makeImage(ctx context.Context, cache string, note func(string, ...any)) (string, error) {
	digest := sha256.Sum256([]byte(recipe))
	dir := filepath.Join(cache, "image-"+hex.EncodeToString(digest[:])[:16])
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("make the image: %w", err)
	}
	lock, err := os.Open(cache)
	if err != nil {
		return "", fmt.Errorf("make the image: %w", err)
	}
	defer lock.Close()
	// Of two labs side by side, one makes it, and the other waits.
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("make the image: %w", err)
	}
	if exists(dir) {
		return dir, nil
	}
	note("making the root file system, once: a minute or two")
	partial := filepath.Join(cache, "partial")
	// One that was interrupted is begun anew.
	if err := os.RemoveAll(partial); err != nil {
		return "", fmt.Errorf("make the image: %w", err)
	}
	cmd := exec.CommandContext(ctx, "bash", "-c", recipe, "image", partial)
	cmd.WaitDelay = killGrace
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("make the image: %w\n%s", err, lastLines(string(out), 20)), os.RemoveAll(partial))
	}
	return dir, os.Rename(partial, dir)
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
