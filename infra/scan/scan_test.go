package scan

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestAnExceptionCoversItsChecksInItsPlacesOnly(t *testing.T) {
	t.Parallel()
	findings := []Finding{
		{Check: "A", Stack: "x-api", Where: "aws_lb.one"},
		{Check: "A", Stack: "x-api", Where: "aws_vpc.one"},
		{Check: "B", Stack: "x-api", Where: "aws_lb.one"},
		{Check: "A", Stack: "y-api", Where: "aws_lb.one"},
		{Check: "A", Stack: "x-api", Where: "old_aws_lb.one"},
	}
	open, stale := Exceptions{{Checks: []string{"A"}, Where: []string{"x-api/aws_lb.*"}, Reason: "r"}}.Judge(findings)
	if len(open) != 4 || slices.Contains(open, findings[0]) || len(stale) != 0 {
		t.Errorf("open %v, stale %v", open, stale)
	}
}

func TestAnExceptionThatCoversNothingAnyMoreIsNamed(t *testing.T) {
	t.Parallel()
	findings := []Finding{{Check: "A", Stack: "x", Where: "one"}}
	open, stale := Exceptions{
		{Checks: []string{"A", "B"}, Where: []string{"x/*", "y/*"}, Reason: "r"},
	}.Judge(findings)
	want := []string{"B is found nowhere in x/*, y/*", "nothing is found in y/* of A, B"}
	if len(open) != 0 || !slices.Equal(stale, want) {
		t.Errorf("open %v, stale %q, want %q", open, stale, want)
	}
}

func TestAnExceptionWithoutAReasonIsRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"- {checks: [A], where: [x/*], reason: ' '}":       "exception 1 needs checks, where and a reason",
		"- {checks: [], where: [x/*], reason: r}":          "exception 1 needs",
		"- {checks: [A], where: [], reason: r}":            "exception 1 needs",
		"- {checks: [A], where: [x], reason: r, until: 2}": "until",
		"- {checks: [A], where: [x], reasons: misspelled}": "reasons",
		"- {checks: [A], where: [x], reason: r":            "reading the exceptions",
	} {
		file := filepath.Join(t.TempDir(), "scan.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadExceptions(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func TestTheShippedExceptionsCanBeRead(t *testing.T) {
	t.Parallel()
	exceptions, err := ReadExceptions("../../.ci/scan.yaml")
	if err != nil || len(exceptions) == 0 {
		t.Errorf("%d exceptions, %v", len(exceptions), err)
	}
}

// report is what checkov would say of a stack "x-api" and of the unsafe one.
func report(t *testing.T, passed, failed string, parsingErrors int) checkovReport {
	t.Helper()
	var r checkovReport
	text := fmt.Sprintf(`{"results": {"passed_checks": [%s], "failed_checks": [%s]}, "summary": {"parsing_errors": %d}}`, passed, failed, parsingErrors)
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func atFault(checks []string) string {
	var found []string
	for _, id := range checks {
		found = append(found, fmt.Sprintf(`{"check_id": %q, "file_path": "/unsafe/cdk.tf.json", "resource": "x"}`, id))
	}
	return strings.Join(found, ",")
}

func TestCheckovIsOnlyBelievedWhenItSees(t *testing.T) {
	t.Parallel()
	stack, err := prepare([]byte(`{"resource": {"aws_lb": {"alb": {}}}, "data": null}`))
	if err != nil {
		t.Fatal(err)
	}
	stacks := map[string]document{"x-api": stack, unsafeStack: {}}
	const (
		passed = `{"check_id": "CKV_1", "file_path": "/x-api/cdk.tf.json", "resource": "aws_lb.alb"}`
		failed = `{"check_id": "CKV_2", "check_name": "Ensure", "file_path": "/x-api/cdk.tf.json", "resource": "resource.alb"}, `
	)
	count, findings, err := report(t, passed, failed+atFault(seen), 0).read(stacks)
	want := Finding{Check: "CKV_2", Title: "Ensure", Stack: "x-api", Where: "aws_lb.alb"}
	if err != nil || count != 1 || len(findings) != 1 || findings[0] != want {
		t.Errorf("%d passed, found %v, %v", count, findings, err)
	}
	for name, c := range map[string]struct {
		report checkovReport
		want   string
	}{
		"a stack that it could not read":     {report(t, passed, atFault(seen), 1), "could not read 1 stacks"},
		"a stack in which it checks nothing": {report(t, "", atFault(seen), 0), "checked nothing in x-api"},
		"a fault that it overlooks":          {report(t, passed, atFault(seen[1:]), 0), seen[0] + " does not find infra/scan/unsafe.tf.json at fault"},
	} {
		if _, _, err := c.report.read(stacks); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestWhatCheckovCannotReadIsLeftOut(t *testing.T) {
	t.Parallel()
	d, err := prepare([]byte(`{"//": {"metadata": {}}, "terraform": {"required_version": ">= 1.10"}, "provider": {"aws": [{}]},
		"resource": {"aws_lb": {"alb": {"//": {"path": "x"}, "name": "a", "internal": null, "block": [{"//": 1, "x": "y"}]}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"resource":{"aws_lb":{"alb":{"block":[{"x":"y"}],"name":"a"}}}}`; string(text) != want {
		t.Errorf("got %s, want %s", text, want)
	}
}

func TestWhatTFLintSaysIsRead(t *testing.T) {
	t.Parallel()
	findings, err := readTFLint([]byte(`{"issues": [{"rule": {"name": "terraform_x"}, "message": "data y is not used",
		"range": {"filename": "../a/stacks/x-api/cdk.tf.json"}}], "errors": []}`))
	want := Finding{Check: "terraform_x", Title: "tflint", Stack: "x-api", Where: "data y is not used"}
	if err != nil || len(findings) != 1 || findings[0] != want {
		t.Errorf("%v %v", findings, err)
	}
	if _, err := readTFLint([]byte(`{"issues": [], "errors": [{"message": "no such rule"}]}`)); err == nil || !strings.Contains(err.Error(), "no such rule") {
		t.Error(err)
	}
}

func TestThePinOfCheckovIsOne(t *testing.T) {
	t.Parallel()
	pins, err := os.ReadFile("../../.ci/scan/checkov.txt")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(pins), "\ncheckov=="+checkovVersion+" ") {
		t.Errorf(".ci/scan/checkov.txt does not pin %s", checkovVersion)
	}
}
