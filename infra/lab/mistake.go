//go:build linux

package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// mistake is a change of the project's source that the lab must find: who makes one on purpose knows that it does.
type mistake struct {
	file     string // by slash path from the project's folder
	old, new string
	foundBy  string // the scenario
	says     string // what that says then, beside what else may be wrong
}

var mistakes = map[string]mistake{
	"drain": {"infra/traffic/targets.go", "drainSeconds = 30", "drainSeconds = 0", "deploy", "requests failed"},
	"digest": {
		"infra/bootstrap/install-binary.sh",
		`echo "$RELEASE_SHA256  $work/storaged" | sha256sum --check --status ||`, "true ||", "tampered", "the deploy went well",
	},
	"health-path": {"infra/traffic/targets.go", "jsii.String(p.HealthPath)", `jsii.String(p.HealthPath + "-check")`, "boot", ": 404, not 200"},
}

// Found says whether a report shows the mistake that was made on purpose.
func Found(name string, r Report) error {
	m := mistakes[name]
	for _, s := range r.Scenarios {
		if s.Key == m.foundBy && strings.Contains(s.Fault, m.says) {
			return fmt.Errorf("the mistake %s was found, by %s", name, s.Name)
		}
	}
	return fmt.Errorf("the mistake %s was NOT found by the scenario %s", name, m.foundBy)
}

// Mistakes are the names that Options.Break takes.
func Mistakes() []string { return slices.Sorted(maps.Keys(mistakes)) }

// made returns the file's content with the mistake in it.
func (m mistake) made(root string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.file)))
	if err != nil {
		return nil, fmt.Errorf("make a mistake: %w", err)
	}
	if strings.Count(string(text), m.old) != 1 {
		return nil, fmt.Errorf("make a mistake: %s does not hold %q exactly once", m.file, m.old)
	}
	return []byte(strings.Replace(string(text), m.old, m.new, 1)), nil
}

// build builds the program that synthesizes with the mistake in it, in dir; no file of the project changes.
func (m mistake) build(ctx context.Context, root, dir string) (program string, err error) {
	text, err := m.made(root)
	if err != nil {
		return "", err
	}
	changed, overlay := filepath.Join(dir, "mistake"), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(root, filepath.FromSlash(m.file)): changed}})
	if err != nil {
		return "", err
	}
	if err := writeFile(changed, string(text)); err != nil {
		return "", err
	}
	if err := writeFile(overlay, string(replace)); err != nil {
		return "", err
	}
	program = filepath.Join(dir, "synth")
	cmd := exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "-o", program, ".")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build with a mistake: %w\n%s", err, out)
	}
	return program, nil
}
