package scan

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"cloudstorage/infra/emulator"
)

// checkovVersion is what .ci/scan/checkov.txt pins.
const checkovVersion = "3.3.30"

//go:embed run_checkov.py
var runCheckov []byte

// unsafeTerraform is a stack that is wrong in many ways. It is scanned with the others: a scanner that does not see them
// has gone blind, for a stack that it cannot read passes every check.
//
//go:embed unsafe.tf.json
var unsafeTerraform []byte

const unsafeStack = "unsafe"

// seen are checks that must find the unsafe stack at fault: one of each kind that our stacks depend on.
var seen = []string{
	"CKV_AWS_24",  // open ssh
	"CKV_AWS_26",  // an unencrypted topic
	"CKV_AWS_63",  // an IAM policy that allows every action
	"CKV_AWS_70",  // a bucket policy for anyone
	"CKV_AWS_79",  // IMDSv1
	"CKV_AWS_88",  // an instance with a public address
	"CKV_AWS_103", // a listener without TLS
	"CKV_AWS_290", // writing without constraints: needs the policies gap closed
	"CKV_AWS_355", // every resource: needs the policies gap closed
	"CKV_AWS_382", // everything out: needs the egress gap closed
	"CKV2_AWS_6",  // no public access block: a check that follows references
	"CKV2_AWS_12", // a default security group: a check that follows references
	"CKV2_AWS_20", // a load balancer without HTTPS: a check that follows references
}

// installCheckov returns the Python that has checkov.
func installCheckov(ctx context.Context, root, cache string, note emulator.Note) (string, error) {
	return emulator.Venv{
		Dir: filepath.Join(cache, "checkov"), Tool: "checkov", Version: checkovVersion, Purpose: "the policy scan",
		Install: []string{"--require-hashes", "--requirement", filepath.Join(root, ".ci", "scan", "checkov.txt")},
		Works: func(ctx context.Context, python string) error {
			return exec.CommandContext(ctx, python, "-c", "import checkov.version").Run()
		},
	}.Python(ctx, note)
}

// checkovReport is what checkov prints.
type checkovReport struct {
	Results struct {
		Passed []checkovCheck `json:"passed_checks"`
		Failed []checkovCheck `json:"failed_checks"`
	} `json:"results"`
	Summary struct {
		ParsingErrors int `json:"parsing_errors"`
	} `json:"summary"`
}

type checkovCheck struct {
	ID       string `json:"check_id"`
	Name     string `json:"check_name"`
	File     string `json:"file_path"`
	Resource string `json:"resource"`
}

func (c checkovCheck) stack() string { return filepath.Base(filepath.Dir(c.File)) }

// checkov scans stacks, by name, in a folder that it may fill. It returns how many checks passed and all that did not.
func checkov(ctx context.Context, python, dir string, stacks map[string][]byte) (passed int, findings []Finding, err error) {
	if err := os.RemoveAll(dir); err != nil {
		return 0, nil, fmt.Errorf("preparing checkov: %w", err)
	}
	scanned := filepath.Join(dir, "stacks")
	prepared := map[string]document{}
	for name, text := range withUnsafe(stacks) {
		if prepared[name], err = prepare(text); err != nil {
			return 0, nil, fmt.Errorf("%s: %w", name, err)
		}
		if err := prepared[name].write(filepath.Join(scanned, name, "cdk.tf.json")); err != nil {
			return 0, nil, err
		}
	}
	program := filepath.Join(dir, "run_checkov.py")
	if err := os.WriteFile(program, runCheckov, 0o644); err != nil {
		return 0, nil, fmt.Errorf("preparing checkov: %w", err)
	}
	// Nothing is fetched and nothing is sent: no policies of a platform, no search for a newer version. The exit code
	// only says that something was found.
	cmd := exec.CommandContext(ctx, python, program, "--directory", scanned, "--framework", "terraform_json",
		"--skip-download", "--soft-fail", "--compact", "--output", "json")
	env := emulator.OwnEnviron()
	for name := range env {
		if strings.HasPrefix(name, "BC_") || strings.HasPrefix(name, "CKV_") || strings.HasPrefix(name, "CHECKOV_") || strings.HasPrefix(name, "PRISMA_") {
			delete(env, name)
		}
	}
	cmd.Env = env.With(emulator.Environ{"CKV_SKIP_PACKAGE_UPDATE_CHECK": "true", "LOG_LEVEL": "ERROR"}).Lines()
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return 0, nil, fmt.Errorf("running checkov: %w\n%s", err, bytes.TrimSpace(said.Bytes()))
	}
	var report checkovReport
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		return 0, nil, fmt.Errorf("reading what checkov says: %w\n%s", err, bytes.TrimSpace(said.Bytes()))
	}
	return report.read(prepared)
}

func withUnsafe(stacks map[string][]byte) map[string][]byte {
	all := map[string][]byte{unsafeStack: unsafeTerraform}
	for name, text := range stacks {
		all[name] = text
	}
	return all
}

// read takes the report apart: it is only believed when each stack was scanned and the unsafe one found at fault.
func (r checkovReport) read(stacks map[string]document) (passed int, findings []Finding, err error) {
	if r.Summary.ParsingErrors > 0 {
		return 0, nil, fmt.Errorf("checkov could not read %d stacks", r.Summary.ParsingErrors)
	}
	checks := map[string]int{}
	for _, c := range r.Results.Passed {
		checks[c.stack()]++
		if c.stack() != unsafeStack {
			passed++
		}
	}
	var atFault []string
	for _, c := range r.Results.Failed {
		checks[c.stack()]++
		if c.stack() == unsafeStack {
			atFault = append(atFault, c.ID)
			continue
		}
		findings = append(findings, Finding{Check: c.ID, Title: c.Name, Stack: c.stack(), Where: stacks[c.stack()].address(c.Resource)})
	}
	var errs []error
	for name := range stacks {
		if checks[name] == 0 {
			errs = append(errs, fmt.Errorf("checkov checked nothing in %s", name))
		}
	}
	for _, id := range seen {
		if !slices.Contains(atFault, id) {
			errs = append(errs, fmt.Errorf("checkov has gone blind: %s does not find infra/scan/unsafe.tf.json at fault", id))
		}
	}
	return passed, findings, errors.Join(errs...)
}

// document is the part of a stack's Terraform that checkov reads: resources and data, by kind, type and name.
type document map[string]map[string]map[string]any

// prepare leaves out what checkov cannot read (a text in the terraform section) and what is no Terraform (cdktf's
// comments, and arguments without a value).
func prepare(text []byte) (document, error) {
	var stack map[string]any
	if err := json.Unmarshal(text, &stack); err != nil {
		return nil, fmt.Errorf("reading the synthesized stack: %w", err)
	}
	kept, err := json.Marshal(clean(map[string]any{"resource": stack["resource"], "data": stack["data"]}))
	if err != nil {
		return nil, fmt.Errorf("preparing the synthesized stack: %w", err)
	}
	var d document
	if err := json.Unmarshal(kept, &d); err != nil {
		return nil, fmt.Errorf("preparing the synthesized stack: %w", err)
	}
	return d, nil
}

func clean(node any) any {
	switch typed := node.(type) {
	case map[string]any:
		kept := map[string]any{}
		for key, each := range typed {
			if key != "//" && each != nil {
				kept[key] = clean(each)
			}
		}
		return kept
	case []any:
		kept := make([]any, len(typed))
		for i, each := range typed {
			kept[i] = clean(each)
		}
		return kept
	}
	return node
}

func (d document) write(file string) error {
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("preparing checkov: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("preparing checkov: %w", err)
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return fmt.Errorf("preparing checkov: %w", err)
	}
	return nil
}

// address gives back the type that some of checkov's checks lose: they say resource.<name>. Names are unique in a
// stack that cdktf wrote.
func (d document) address(resource string) string {
	section, name, _ := strings.Cut(resource, ".")
	for kind, named := range d[section] {
		if _, ok := named[name]; ok {
			return kind + "." + name
		}
	}
	return resource
}
