package scan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"

	"cloudstorage/infra/emulator"
)

// installTFLint builds the tflint that .ci/scan/go.mod pins, and returns its path.
func installTFLint(ctx context.Context, root, cache string) (string, error) {
	program := filepath.Join(cache, "bin", "tflint")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/terraform-linters/tflint")
	cmd.Dir = filepath.Join(root, ".ci", "scan")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building tflint: %w\n%s", err, bytes.TrimSpace(out))
	}
	return program, nil
}

type tflintReport struct {
	Issues []struct {
		Rule struct {
			Name string `json:"name"`
		} `json:"rule"`
		Message string `json:"message"`
		Range   struct {
			File string `json:"filename"`
		} `json:"range"`
	} `json:"issues"`
	Errors []struct {
		Message string `json:"message"`
	} `json:"errors"`
}

// tflint scans the folder of synthesized stacks, a folder each, as they are.
func tflint(ctx context.Context, program, root, stacks string) ([]Finding, error) {
	cmd := exec.CommandContext(ctx, program, "--chdir="+stacks, "--recursive", "--format=json", "--force",
		"--config="+filepath.Join(root, ".ci", "scan", "tflint.hcl"))
	cmd.Env = emulator.OwnEnviron().With(emulator.Environ{"TFLINT_DISABLE_VERSION_CHECK": "1"}).Lines()
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("running tflint: %w\n%s%s", err, bytes.TrimSpace(said.Bytes()), bytes.TrimSpace(out.Bytes()))
	}
	return readTFLint(out.Bytes())
}

func readTFLint(text []byte) ([]Finding, error) {
	var report tflintReport
	if err := json.Unmarshal(text, &report); err != nil {
		return nil, fmt.Errorf("reading what tflint says: %w", err)
	}
	var errs []error
	for _, e := range report.Errors {
		errs = append(errs, errors.New("tflint: "+e.Message))
	}
	var findings []Finding
	for _, issue := range report.Issues {
		findings = append(findings, Finding{
			Check: issue.Rule.Name, Title: "tflint", Stack: filepath.Base(filepath.Dir(issue.Range.File)), Where: issue.Message,
		})
	}
	return findings, errors.Join(errs...)
}
