package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cloudstorage/infra/emulator"
)

func TestTheEstimateIsOfTheEnvironmentsStacks(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	outdir := filepath.Join(root, "cdktf.out")
	for _, name := range []string{"module02-storage", "module02-api", "single-storage", "single-api"} {
		copyInto(t, filepath.Join(emulator.StackDir(outdir, name), "cdk.tf.json"), "../../stack/testdata/aws/"+name+".json")
	}
	module02 := deployment{project: &project{root: root}, environment: "module02"}
	estimate, err := module02.cost()
	if err != nil {
		t.Fatal(err)
	}
	stacks := map[string]bool{}
	for _, line := range estimate.Lines {
		stacks[line.Stack] = true
	}
	if estimate.Environment != "module02" || fmt.Sprint(stacks) != "map[module02-api:true]" || estimate.TotalUSD <= 0 {
		t.Errorf("%+v", estimate)
	}
	if err := os.Remove(filepath.Join(emulator.StackDir(outdir, "module02-storage"), "cdk.tf.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := module02.cost(); err == nil || !strings.Contains(err.Error(), "reading what was synthesized") {
		t.Error(err)
	}
}

func TestAnEmulatorIsNeitherPricedNorScanned(t *testing.T) {
	t.Parallel()
	root := testProject(t)
	variables := map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}
	for _, args := range [][]string{{"cost", "module02"}, {"scan"}} {
		if code, out := commandIn(t, variables, root, "", args...); code != 1 || !strings.Contains(out, "error: AWS_ENDPOINT_URL is set") {
			t.Errorf("%s: exit code %d, %q", args[0], code, out)
		}
	}
}
