package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cloudstorage/infra/emulator"
)

// The life of an environment through the commands, on an emulated AWS: deploy, destroy without the data, purge.
func TestDestroyKeepsTheDataAndPurgeDeletesIt(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("applies with the real Terraform, which takes a minute")
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	endpoint, bucket := startEmulator(t, root)
	environments := filepath.Join(t.TempDir(), "environments")
	if err := os.CopyFS(environments, os.DirFS(filepath.Join(root, "infra", "environments"))); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	variables := map[string]string{
		"AWS_ENDPOINT_URL": endpoint, "CLOUDSTORAGE_ENVIRONMENTS": environments, "CDKTF_OUTDIR": filepath.Join(out, "cdktf.out"),
	}

	does := func(code int, typed, says string, args ...string) {
		t.Helper()
		got, out := commandIn(t, variables, root, typed, args...)
		if got != code || !strings.Contains(out, says) {
			t.Fatalf("%v: exit code %d, want %d and %q\n%s", args, got, code, says, out)
		}
	}
	does(1, "no\n", "not confirmed", "deploy", "single")
	does(0, "", "an emulated load balancer serves nothing", "deploy", "single", "--yes")
	// Versions and a delete marker: what makes a bucket hard to empty.
	bucket(http.MethodPut, "/kept.txt", 200)
	bucket(http.MethodPut, "/kept.txt", 200)
	bucket(http.MethodPut, "/gone.txt", 200)
	bucket(http.MethodDelete, "/gone.txt", 204)

	does(1, "yes\n", "not confirmed", "destroy", "single")
	does(0, "single\n", "are still there", "destroy", "single")
	bucket(http.MethodGet, "/kept.txt", 200)

	does(1, "single\n", "not confirmed", "purge", "single")
	file := filepath.Join(environments, "single.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	renamed := replaceOnce(t, string(text), "module02-single-0000000000", "module02-single-1111111111")
	if err := os.WriteFile(file, []byte(renamed), 0o644); err != nil {
		t.Fatal(err)
	}
	does(1, "module02-single-1111111111\n", "the one that exists is module02-single-0000000000", "purge", "single")
	bucket(http.MethodGet, "/kept.txt", 200)
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}

	does(0, "module02-single-0000000000\n", "single is gone", "purge", "single")
	bucket(http.MethodGet, "", 404)
	does(0, "module02-single-0000000000\n", "single is gone", "purge", "single")
	for _, stack := range []string{"single-storage", "single-api"} {
		if _, err := os.Stat(filepath.Join(out, "terraform."+stack+".emulator.tfstate")); err != nil {
			t.Errorf("Terraform's state was not left alone: %v", err)
		}
	}
}

func startMoto(t *testing.T, root string) *emulator.Moto {
	t.Helper()
	python, err := emulator.FindMoto(t.Context(), filepath.Join(root, ".cache", "emulator"), t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	moto, err := emulator.StartMoto(t.Context(), emulator.MotoOptions{Python: python, Log: filepath.Join(t.TempDir(), "moto.log")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := moto.Stop(); err != nil {
			t.Error(err)
		}
	})
	return moto
}

// startEmulator starts an emulated AWS and returns its endpoint, and a function that asks for something in the bucket
// of the environment single and checks the status.
func startEmulator(t *testing.T, root string) (endpoint string, bucket func(method, key string, want int)) {
	t.Helper()
	moto := startMoto(t, root)
	return moto.Endpoint(), func(method, key string, want int) {
		t.Helper()
		var body io.Reader
		if method == http.MethodPut {
			body = strings.NewReader("data")
		}
		req, err := http.NewRequestWithContext(t.Context(), method, moto.Endpoint()+"/module02-single-0000000000"+key, body)
		if err != nil {
			t.Fatal(err)
		}
		// moto checks no signature; the scope tells it the service.
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20000101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Fatalf("%s %s: %s, want %d", method, key, res.Status, want)
		}
	}
}
