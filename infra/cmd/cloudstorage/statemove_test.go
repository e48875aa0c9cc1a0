package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cloudstorage/infra/emulator"
)

// The move of a state from its file to S3, by the real Terraform, with an emulated S3 as the bucket. The stack is one
// that needs no provider, so that it takes seconds.
func TestAStateMovesToS3AndNothingIsLost(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	endpoint := startS3(t, root)
	tools, err := emulator.FindTools(t.Context(), root, filepath.Join(root, ".cache"), t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	dir := t.TempDir()
	d := &deployment{project: &project{console: console{out: &said, err: &said}, root: dir}, environment: "x", tools: tools}
	stack := emulator.StackDir(d.outdir(), "x-storage")
	local := filepath.Join(dir, "terraform.x-storage.tfstate")
	plan := func() (changes bool, err error) {
		said.Reset()
		_, changes, err = d.plan(t.Context(), "x-storage")
		return changes, err
	}

	writeStack(t, stack, `"local": {"path": "../../../terraform.x-storage.tfstate"}`)
	s, err := d.stack(t.Context(), "x-storage")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := read(t, local)

	// The environment names a bucket now.
	writeStack(t, stack, fmt.Sprintf(`"s3": {"bucket": "state-1", "key": "cloudstorage/x-storage.tfstate", "region": "us-east-1",
		"endpoints": {"s3": %q}, "use_path_style": true, "skip_credentials_validation": true, "skip_requesting_account_id": true,
		"skip_metadata_api_check": true, "access_key": "test", "secret_key": "test", "use_lockfile": true}`, endpoint))

	if err := os.WriteFile(lockFile(local), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := plan(); err == nil || !strings.Contains(err.Error(), "somebody works with the state") {
		t.Errorf("moved under somebody's hands: %v", err)
	}
	if err := os.Remove(lockFile(local)); err != nil {
		t.Fatal(err)
	}

	if changes, err := plan(); err != nil || changes {
		t.Fatalf("after the move: changes %v, %v\n%s", changes, err, said.String())
	}
	if !strings.Contains(said.String(), "The state is in S3 now") || exists(local) || !bytes.Equal(read(t, local+moved), first) {
		t.Errorf("the local file did not go aside:\n%s", said.String())
	}
	if changes, err := plan(); err != nil || changes || strings.Contains(said.String(), "Moving") {
		t.Errorf("a second time: changes %v, %v\n%s", changes, err, said.String())
	}

	// Interrupted before the local file went aside: the next run finishes.
	if err := os.Rename(local+moved, local); err != nil {
		t.Fatal(err)
	}
	if changes, err := plan(); err != nil || changes || exists(local) || strings.Contains(said.String(), "Moving") {
		t.Errorf("after an interruption: changes %v, %v\n%s", changes, err, said.String())
	}

	// Another local state, and one beside a moved one: refused, and both stay what they are.
	second := bytes.ReplaceAll(first, []byte(`"value": "value"`), []byte(`"value": "another"`))
	if err := os.WriteFile(local, second, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := plan(); err == nil || !strings.Contains(err.Error(), "from an earlier move") {
		t.Errorf("an earlier copy would be replaced: %v", err)
	}
	if err := os.Rename(local+moved, filepath.Join(dir, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	if _, err := plan(); err == nil || !strings.Contains(err.Error(), "there are two states") {
		t.Errorf("one of two states won: %v", err)
	}
	if !bytes.Equal(read(t, local), second) {
		t.Error("the local state changed")
	}
	if err := os.Remove(local); err != nil {
		t.Fatal(err)
	}
	if changes, err := plan(); err != nil || changes {
		t.Errorf("the state in S3 changed: changes %v, %v\n%s", changes, err, said.String())
	}
}

func TestAFolderThatWasOnlyPlannedTakesItsNewBackend(t *testing.T) {
	t.Parallel()
	d := &deployment{project: &project{root: t.TempDir()}}
	stack := emulator.StackDir(d.outdir(), "x-api")
	writeStack(t, stack, `"s3": {"bucket": "state-1", "key": "cloudstorage/x-api.tfstate", "region": "us-east-1"}`)
	if move, err := d.stateMove("x-api"); err != nil || move != nil {
		t.Errorf("nothing to move, but %+v, %v", move, err)
	}
	remembered := filepath.Join(stack, ".terraform", "terraform.tfstate")
	for kind, want := range map[string]bool{"local": true, "s3": false} {
		if err := os.MkdirAll(filepath.Dir(remembered), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(remembered, []byte(`{"backend": {"type": "`+kind+`"}}`), 0o600); err != nil {
			t.Fatal(err)
		}
		if move, err := d.stateMove("x-api"); err != nil || (move != nil) != want {
			t.Errorf("a folder that remembers %s: %+v, %v", kind, move, err)
		}
	}
}

func TestWhatIsNoStateIsNotMoved(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "terraform.x.tfstate")
	for _, text := range []string{"", "{", "{}", `{"serial": 1}`} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		move := stateMove{name: "x", local: file, note: t.Logf}
		if err := move.run(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "is not a state of Terraform's") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func writeStack(t *testing.T, dir, backend string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	text := `{"terraform": {"backend": {` + backend + `}}, "resource": {"terraform_data": {"kept": {"input": "value"}}}}`
	if err := os.WriteFile(filepath.Join(dir, "cdk.tf.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// startS3 starts an emulated AWS with an empty bucket state-1 and returns its endpoint.
func startS3(t *testing.T, root string) string {
	t.Helper()
	moto := startMoto(t, root)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, moto.Endpoint()+"/state-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20000101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("making the bucket: %s", res.Status)
	}
	return moto.Endpoint()
}
