package stack_test

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cloudstorage/infra/emulator"
	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/stack"
)

// The real Terraform and the real provider plan, apply and destroy each stack as it would go to AWS, with the
// provider's answers mocked: everything that they validate is valid, and every reference leads somewhere. Where a
// stack has placeholders, a second run holds that any other account than the emulator's refuses it.
func TestTerraformAcceptsEveryStack(t *testing.T) {
	terraformAccepts(t, shipped(t, stack.Target{}))
}

// What no shipped environment chooses is accepted too.
func TestTerraformAcceptsEveryChoice(t *testing.T) {
	terraformAccepts(t, changed(t, "module02", strings.NewReplacer(
		"0000000000", "8302961457",
		"undo_days: 30", "undo_days: 30\n  expire_days: 7\n  encryption: kms\n  logs_bucket: module02-logs-8302961457\n  web_origins: [https://files.example.org]",
	)))
	// An argument that cdktf does not type is in the WAF's rules.
	terraformAccepts(t, changed(t, "production", strings.NewReplacer("  access_logs: true\n", "  access_logs: true\n  waf: {}\n")))
}

func terraformAccepts(t *testing.T, stacks map[string]template.Template) {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	tools, err := emulator.FindTools(t.Context(), root, filepath.Join(root, ".cache"), t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	mock := readTestdata(t, "mock.tftest.hcl")
	refused := readTestdata(t, "refused.tftest.hcl")
	for _, name := range slices.Sorted(maps.Keys(stacks)) {
		t.Run(name, func(t *testing.T) {
			dir := stacks[name].Dir
			liftProtection(t, filepath.Join(dir, "cdk.tf.json"))
			runs := mock
			if stacks[name].Value("data.aws_caller_identity.account") != nil {
				runs = slices.Concat(mock, refused)
			}
			if err := os.WriteFile(filepath.Join(dir, "mock.tftest.hcl"), runs, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, arguments := range [][]string{{"init", "-backend=false", "-input=false"}, {"test"}} {
				terraform := exec.CommandContext(t.Context(), tools.Terraform, append(arguments, "-no-color")...)
				terraform.Dir, terraform.Env = dir, tools.Environ().Lines()
				out, err := terraform.CombinedOutput()
				if err != nil {
					t.Fatalf("terraform %s: %v\n%s", strings.Join(arguments, " "), err, out)
				}
			}
		})
	}
}

func readTestdata(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// liftProtection lets the test clean up: `terraform test` cannot destroy what has prevent_destroy.
func liftProtection(t *testing.T, file string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lifted := bytes.ReplaceAll(content, []byte(`"prevent_destroy": true`), []byte(`"prevent_destroy": false`))
	if err := os.WriteFile(file, lifted, 0o600); err != nil {
		t.Fatal(err)
	}
}
