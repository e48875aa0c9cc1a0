package main

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"cloudstorage/infra/config"
)

// testProject is a copy of what the commands need of the project.
func testProject(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	copyInto(t, filepath.Join(root, "cdktf.json"), "../../../cdktf.json")
	files, err := filepath.Glob("../../environments/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no environments: %v", err)
	}
	for _, file := range files {
		copyInto(t, filepath.Join(root, "infra", "environments", filepath.Base(file)), file)
	}
	return root
}

func copyInto(t *testing.T, to, from string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

func replaceOnce(t *testing.T, text, old, new string) string {
	t.Helper()
	if strings.Count(text, old) != 1 {
		t.Fatalf("%q is not there exactly once", old)
	}
	return strings.Replace(text, old, new, 1)
}

// command runs a command as a person would, who types the given lines.
func command(t *testing.T, root, typed string, args ...string) (code int, out string) {
	t.Helper()
	return commandIn(t, nil, root, typed, args...)
}

// commandIn is command where the variables are set.
func commandIn(t *testing.T, variables map[string]string, root, typed string, args ...string) (code int, out string) {
	t.Helper()
	var said bytes.Buffer
	code = run(t.Context(), append([]string{"--root", root}, args...), console{
		in: strings.NewReader(typed), out: &said, err: &said, getenv: func(name string) string { return variables[name] },
	})
	return code, said.String()
}

func environment(t *testing.T, root, name string) *config.Environment {
	t.Helper()
	set, err := config.LoadDir(filepath.Join(root, "infra", "environments"))
	if err != nil {
		t.Fatal(err)
	}
	if set, err = set.Only(name); err != nil {
		t.Fatal(err)
	}
	return set.Environments[0]
}

func TestInitMakesAnEnvironmentYours(t *testing.T) {
	t.Parallel()
	root := testProject(t)
	before := environment(t, root, "single")
	if len(before.Placeholders()) == 0 {
		t.Fatal("the shipped environment has no placeholders")
	}
	code, out := command(t, root, "198.51.100.7\n198.51.100.0/24, 10.0.0.0/8\n", "init", "single")
	if code != 0 {
		t.Fatal(out)
	}
	after := environment(t, root, "single")
	if left := after.Placeholders(); len(left) > 0 {
		t.Errorf("still placeholders: %v\n%s", left, out)
	}
	if got := join(after.SSH.Allow); got != "198.51.100.7/32" {
		t.Errorf("ssh.allow %s", got)
	}
	if got := join(after.API.Allow); got != "198.51.100.0/24, 10.0.0.0/8" {
		t.Errorf("api.allow %s", got)
	}

	// The name may hold files now: it changes only for someone who says so.
	if code, out := command(t, root, "", "init", "single"); code != 0 || !strings.Contains(out, "stays as it is") {
		t.Errorf("a second init: %d %s", code, out)
	}
	if got := environment(t, root, "single").Storage.Bucket; got != after.Storage.Bucket {
		t.Errorf("a second init renamed the bucket to %s", got)
	}
	if code, out := command(t, root, "new\n\n\n", "init", "single"); code != 0 {
		t.Error(out)
	}
	if got := environment(t, root, "single").Storage.Bucket; got == after.Storage.Bucket {
		t.Error("the bucket kept its name though a new one was asked for")
	}
}

func TestInitTakesFlagsWhereNobodySits(t *testing.T) {
	t.Parallel()
	root := testProject(t)
	if code, out := command(t, root, "", "init", "module02", "--cidr", "198.51.100.7"); code != 0 {
		t.Fatal(out)
	}
	e := environment(t, root, "module02")
	if join(e.SSH.Allow) != "198.51.100.7/32" || join(e.API.Allow) != "198.51.100.7/32" || len(e.Placeholders()) > 0 {
		t.Errorf("%+v", e)
	}
	if code, out := command(t, root, "", "init", "account", "--email", "ops@example.org"); code != 0 {
		t.Fatal(out)
	}
	set, err := config.LoadDir(filepath.Join(root, "infra", "environments"))
	if err != nil {
		t.Fatal(err)
	}
	if set.Account.Budget.Email != "ops@example.org" || len(set.Account.Placeholders()) > 0 {
		t.Errorf("%+v", set.Account)
	}
}

func TestInitRefusesWhatDoesNotFitAndChangesNothing(t *testing.T) {
	t.Parallel()
	root := testProject(t)
	for name, args := range map[string][]string{
		"not a block":     {"init", "single", "--cidr", "everyone"},
		"not an address":  {"init", "account", "--email", "nobody"},
		"the local one":   {"init", "local"},
		"an unknown one":  {"init", "staging"},
		"none":            {"init"},
		"not a command":   {"deploi", "single"},
		"not a project":   {"--root", t.TempDir(), "status"},
		"a port too high": {"up", "--port", "70000"},
	} {
		if code, out := command(t, root, "", args...); code != 1 || !strings.Contains(out, "error: ") {
			t.Errorf("%s: exit code %d, %q", name, code, out)
		}
	}
	for _, file := range []string{"single.yaml", "account.yaml"} {
		got, err := os.ReadFile(filepath.Join(root, "infra", "environments", file))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join("..", "..", "environments", file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s was changed", file)
		}
	}
}

func TestTheKeyIsMadeOnce(t *testing.T) {
	t.Parallel()
	root := testProject(t)
	path := filepath.Join(root, keyFile)
	if code, out := command(t, root, "", "key"); code != 0 {
		t.Fatal(out)
	}
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o400 {
		t.Errorf("mode %v, %v; want 0400", info.Mode(), err)
	}
	key, err := ssh.ParseRawPrivateKey(first)
	if err != nil {
		t.Fatal(err)
	}
	if k, ok := key.(*rsa.PrivateKey); !ok || k.N.BitLen() != keyBits {
		t.Errorf("a %T", key)
	}
	code, out := command(t, root, "", "key")
	if code != 0 || !strings.Contains(out, "stays as it is") {
		t.Errorf("a second time: %d %s", code, out)
	}
	if second, err := os.ReadFile(path); err != nil || !bytes.Equal(first, second) {
		t.Error("the key changed")
	}
}

func TestStatusFailsWhereNothingRuns(t *testing.T) {
	t.Parallel()
	if code, out := command(t, testProject(t), "", "status"); code != 1 || !strings.Contains(out, "the API") || strings.Contains(out, "error") {
		t.Errorf("exit code %d, %q", code, out)
	}
}

func TestOnlyTheExactWordConfirms(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]bool{"module02\n": true, "module02": true, " module02 \n": true, "yes\n": false, "\n": false, "": false, "Module02\n": false} { //nolint:gocritic // the white space around a word is the case
		var said bytes.Buffer
		err := newAsker(console{in: strings.NewReader(typed), out: &said}).confirm("This removes it.", "module02")
		if (err == nil) != want {
			t.Errorf("%q: %v", typed, err)
		}
		if !strings.Contains(said.String(), "This removes it.") {
			t.Errorf("asked %q", said.String())
		}
	}
}

func TestOnlyThisMachineIsAnEmulator(t *testing.T) {
	t.Parallel()
	for endpoint, ok := range map[string]bool{
		"": true, "http://127.0.0.1:4566": true, "http://localhost:4566": true, "http://[::1]:4566": true,
		"https://s3.example.com": false, "http://10.0.0.1:4566": false, "127.0.0.1:4566": false,
	} {
		got, err := loopbackEndpoint(endpoint)
		if (err == nil) != ok || ok && got != endpoint {
			t.Errorf("%q: %q, %v", endpoint, got, err)
		}
	}
}

func TestOnlyThePurgeCopyIsUnprotected(t *testing.T) {
	t.Parallel()
	const stack = `{"resource": {
		"aws_s3_bucket": {"data": {"bucket": "b", "lifecycle": {"prevent_destroy": true, "ignore_changes": ["tags"]}}},
		"aws_s3_bucket_versioning": {"data": {"bucket": "b"}}},
		"terraform": {"backend": {"local": {"path": "../../../terraform.x.tfstate"}}}}`
	text, err := lifted([]byte(stack))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Resource struct {
			Bucket     map[string]map[string]any `json:"aws_s3_bucket"`
			Versioning map[string]map[string]any `json:"aws_s3_bucket_versioning"`
		} `json:"resource"`
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	bucket := got.Resource.Bucket["data"]
	lifecycle, _ := bucket["lifecycle"].(map[string]any)
	if _, there := lifecycle["prevent_destroy"]; there || bucket["force_destroy"] != true || lifecycle["ignore_changes"] == nil {
		t.Errorf("%s", text)
	}
	if _, there := got.Resource.Versioning["data"]["force_destroy"]; there {
		t.Errorf("force_destroy where it does not belong: %s", text)
	}
	if !bytes.Contains(text, []byte("../../../terraform.x.tfstate")) {
		t.Errorf("the state's place changed: %s", text)
	}
}

func TestPollingEndsWithTheAnswerOrTheDeadline(t *testing.T) {
	t.Parallel()
	asked := 0
	state, err := poll(t.Context(), time.Millisecond, func(context.Context) (string, bool) {
		asked++
		return "answer", asked == 3
	})
	if state != "answer" || err != nil || asked != 3 {
		t.Errorf("%q, %v after %d", state, err, asked)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	state, err = poll(ctx, time.Millisecond, func(context.Context) (string, bool) { return "503", false })
	if state != "503" || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%q, %v", state, err)
	}
}
