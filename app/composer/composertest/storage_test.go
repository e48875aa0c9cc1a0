//go:build composer && linux

package composertest

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"cloudstorage/app/auth"
	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/s3store"
	"cloudstorage/app/s3store/s3state"
)

// storage is the storage API's own programs on an S3 gateway.
type storage struct {
	url     string
	airflow string // the key that Airflow has
	people  string // the key of those who land files

	storagectl, dir string
}

// newStorage runs storaged, which asks for keys, until the test ends.
func newStorage(t *testing.T) *storage {
	t.Helper()
	programs := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", programs+string(filepath.Separator),
		"cloudstorage/app/cmd/storagectl", "cloudstorage/app/cmd/storaged")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, out)
	}
	s := &storage{storagectl: filepath.Join(programs, "storagectl"), dir: t.TempDir()}
	var ring []auth.Key
	key := func(id string, args ...string) string {
		var made struct {
			Key   string
			Entry auth.Key
		}
		out := s.run(t, append([]string{"key", "new", "--json", "--expires", "1d", "--id", id}, args...)...)
		if err := json.Unmarshal([]byte(out), &made); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		ring = append(ring, made.Entry)
		return made.Key
	}
	// As docs/composer.md has it.
	s.airflow = key("airflow", "--verbs", "list,read,write", "--prefix", "landing/", "--prefix", "csv/")
	s.people = key("people", "--verbs", "list,read,write", "--prefix", "")

	g := gatewaytest.Start(t)
	state, err := s3store.Open(t.Context(), s3store.Config{
		Bucket: g.NewBucket(t), Region: g.Region, Endpoint: g.Endpoint, AccessKeyID: g.AccessKey, SecretAccessKey: g.SecretKey,
	})
	if err != nil {
		t.Fatal(err)
	}
	keyring, err := auth.NewKeyring(ring)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(keyring)
	if err != nil {
		t.Fatal(err)
	}
	if err := (s3state.Objects{Store: state}).Create(t.Context(), "keyring.json", text); err != nil {
		t.Fatal(err)
	}

	cmd := exec.Command(filepath.Join(programs, "storaged"))
	for name, value := range daemontest.Environ(t, g, map[string]string{"STORAGE_ACCESS": "restricted", "STORAGE_STATE_BUCKET": state.Bucket()}) {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	log := daemontest.NewLog()
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // its own tests look at how it stops
		<-ended
	})
	select {
	case address := <-log.Address:
		s.url = "http://" + address
	case <-ended:
		t.Fatalf("storaged ended early:\n%s", log)
	}
	return s
}

// run runs storagectl as those who land files do, and returns what it prints.
func (s *storage) run(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), s.storagectl, args...)
	cmd.Dir = s.dir
	cmd.Env = []string{"HOME=" + s.dir, "NO_PROXY=*", "STORAGE_URL=" + s.url, "STORAGE_KEY=" + s.people}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, &stderr)
	}
	return stdout.String()
}

// land uploads a file of that content.
func (s *storage) land(t *testing.T, key, content string) {
	t.Helper()
	source := filepath.Join(s.dir, "source")
	if err := os.WriteFile(source, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	s.run(t, "put", source, "--to", key)
}

// all are all files: what they are called, when they were written, how large
// they are and what they hold.
func (s *storage) all(t *testing.T) string {
	t.Helper()
	return s.run(t, "ls", "--recursive", "--json")
}
