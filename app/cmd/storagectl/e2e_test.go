package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/s3store"
	"cloudstorage/app/s3store/s3state"
)

// startTimeout is for a busy machine.
const startTimeout = 60 * time.Second

// programs builds the commands as a user would and returns their paths.
func programs(t *testing.T) (storagectl, storaged string) {
	t.Helper()
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", dir+string(filepath.Separator),
		"cloudstorage/app/cmd/storagectl", "cloudstorage/app/cmd/storaged")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, out)
	}
	suffix := ""
	if runtime.GOOS == "windows" {
		suffix = ".exe"
	}
	return filepath.Join(dir, "storagectl"+suffix), filepath.Join(dir, "storaged"+suffix)
}

// serve runs storaged on a free port until the test ends, and returns its
// address. More settings go over those of a server that anyone may call.
func serve(t *testing.T, storaged string, g gatewaytest.Gateway, bucket string, more ...string) string {
	t.Helper()
	cmd := exec.Command(storaged)
	cmd.Env = append(os.Environ(), "STORAGE_BUCKET="+bucket, "STORAGE_STATE_BUCKET="+g.NewBucket(t), "STORAGE_ACCESS=open", "STORAGE_ADDRESS=127.0.0.1:0", "AWS_REGION="+g.Region,
		"AWS_ENDPOINT_URL="+g.Endpoint, "AWS_ACCESS_KEY_ID="+g.AccessKey, "AWS_SECRET_ACCESS_KEY="+g.SecretKey, "AWS_SESSION_TOKEN=")
	cmd.Env = append(cmd.Env, more...)
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(log)
		for lines.Scan() {
			var record struct{ Msg, Address string }
			if json.Unmarshal(lines.Bytes(), &record) == nil && record.Msg == "listening" {
				address <- record.Address
			}
		}
		_, _ = io.Copy(io.Discard, log)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // its own tests look at how it stops
		<-ended
		_ = cmd.Wait()
	})
	select {
	case a := <-address:
		return a
	case <-ended:
		t.Fatal("storaged ended early")
	case <-time.After(startTimeout):
		t.Fatal("storaged did not listen")
	}
	return ""
}

// user is a person at a folder, with the real program.
type user struct {
	program, dir, address string
	key                   string
}

func (u user) run(t *testing.T, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, u.program, append([]string{"--ip", u.address}, args...)...)
	cmd.Dir = u.dir
	cmd.Env = append(os.Environ(), "STORAGE_KEY="+u.key)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", cmd, err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// list returns what the program lists.
func (u user) list(t *testing.T) []string {
	t.Helper()
	got := u.run(t, "list", "--json")
	var result listResult
	if err := json.Unmarshal([]byte(got.stdout), &result); err != nil || got.code != exitDone || got.stderr != "" {
		t.Fatalf("list: %+v, %v", got, err)
	}
	names := []string{}
	for _, f := range result.Files {
		names = append(names, f.Name)
	}
	return names
}

func TestTheRealProgramAgainstARealServerAndS3(t *testing.T) {
	t.Parallel()
	storagectl, storaged := programs(t)
	g := gatewaytest.Start(t)
	bucket := g.NewBucket(t)
	u := user{program: storagectl, dir: t.TempDir(), address: serve(t, storaged, g, bucket)}

	u.run(t, "ping").want(t, greeting+"\n")
	u.run(t, "list").want(t, "")
	u.run(t, "download", "--filename", "no such").wantFailure(t, exitFailed, "there is no such file 'no such' in the bucket")
	u.run(t, "delete", "--filename", "no such").want(t, "Successfully deleted file 'no such' on s3 bucket '"+bucket+"'\n")

	source := filepath.Join(t.TempDir(), "source")
	names := []string{
		"report.pdf", "a b", " lead", "a+b", "100%", "a%20b", "%2e%2e", "a&b=c", "a#b", "a?b", `"it's"`, "<b>", "a;b,c:d@e",
		"ünïcödé", "日本語.txt", "🎈", ".hidden", "...", "a/b/c", "ordner/ü +%&.txt", "list_files", "-dash",
	}
	for _, name := range names {
		content := "content of " + name
		if err := os.WriteFile(source, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		u.run(t, "upload", "--filename", source, "--key", name).want(t, "Successfully uploaded file '"+name+"' on s3 bucket '"+bucket+"'\n")
		saved := path.Base(name)
		u.run(t, "download", "--filename", name).
			want(t, "Successfully downloaded file '"+name+"' on s3 bucket '"+bucket+"'\nSaved as "+saved+" ("+byteCount(int64(len(content)))+")\n")
		if got, err := os.ReadFile(filepath.Join(u.dir, saved)); err != nil || string(got) != content {
			t.Errorf("%q: downloaded %q, %v", name, got, err)
		}
	}
	slices.Sort(names)
	if got := u.list(t); !slices.Equal(got, names) {
		t.Errorf("listed %q, want %q", got, names)
	}
	u.run(t, "list").want(t, strings.Join(names, "\n")+"\n")
	for _, name := range names {
		u.run(t, "delete", "--filename", name).want(t, "Successfully deleted file '"+name+"' on s3 bucket '"+bucket+"'\n")
	}
	if got := u.list(t); len(got) != 0 {
		t.Errorf("left in the bucket: %q", got)
	}
	if parts, _ := filepath.Glob(filepath.Join(u.dir, ".*.part")); len(parts) != 0 {
		t.Errorf("left behind: %q", parts)
	}
}

func TestTheRealProgramsWhereKeysSayWhoMay(t *testing.T) {
	t.Parallel()
	storagectl, storaged := programs(t)
	g := gatewaytest.Start(t)
	u := user{program: storagectl, dir: t.TempDir()}
	made := u.run(t, "key", "new", "--json", "--id", "ci", "--verbs", "list,read,write", "--prefix", "", "--expires", "1h")
	var key keyResult
	if err := json.Unmarshal([]byte(made.stdout), &key); err != nil || made.code != exitDone {
		t.Fatalf("%+v, %v", made, err)
	}
	ring, err := auth.NewKeyring([]auth.Key{key.Entry})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(ring)
	if err != nil {
		t.Fatal(err)
	}
	state, err := s3store.Open(t.Context(), s3store.Config{Bucket: g.NewBucket(t), Region: g.Region, Endpoint: g.Endpoint, AccessKeyID: g.AccessKey, SecretAccessKey: g.SecretKey})
	if err != nil {
		t.Fatal(err)
	}
	if err := (s3state.Objects{Store: state}).Create(t.Context(), "keyring.json", text); err != nil {
		t.Fatal(err)
	}
	bucket := g.NewBucket(t)
	u.address = serve(t, storaged, g, bucket, "STORAGE_ACCESS=restricted", "STORAGE_STATE_BUCKET="+state.Bucket(), "STORAGE_EXERCISE_ROUTES=all")
	if err := os.WriteFile(filepath.Join(u.dir, "a b"), []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}

	u.run(t, "ping").want(t, greeting+"\n")
	u.run(t, "list").wantFailure(t, exitFailed, "the storage API answered 401: no key")
	u.key = auth.NewToken()
	u.run(t, "list").wantFailure(t, exitFailed, "STORAGE_KEY")
	u.key = key.Key
	if got := u.run(t, "upload", "--filename", "a b"); got.code != exitDone {
		t.Errorf("upload: %+v", got)
	}
	u.run(t, "list").want(t, "a b\n")
	if got := u.run(t, "download", "--filename", "a b"); got.code != exitDone {
		t.Errorf("download: %+v", got)
	}
	u.run(t, "delete", "--filename", "a b").wantFailure(t, exitFailed, `403: ci may not delete "a b"`)
	u.run(t, "rm", "a b").wantFailure(t, exitFailed, `403: ci may not delete "a b"`)

	// Of the exercise's routes it has none that change anything, unless told.
	u.address = serve(t, storaged, g, bucket, "STORAGE_ACCESS=restricted", "STORAGE_STATE_BUCKET="+state.Bucket())
	u.run(t, "upload", "--filename", "a b").wantFailure(t, exitFailed, "404")
	u.run(t, "put", "a b", "--to", "c d").want(t, "Sent a b as c d (7 B)\n")
	u.run(t, "ls").want(t, "a b\nc d\n")
	u.run(t, "get", "c d").want(t, "Saved c d as c d (7 B)\n")
}

func TestFilesOfAnySizeArriveAsTheyWere(t *testing.T) {
	t.Parallel()
	storagectl, storaged := programs(t)
	g := gatewaytest.Start(t)
	u := user{program: storagectl, dir: t.TempDir(), address: serve(t, storaged, g, g.NewBucket(t))}
	for name, size := range map[string]int64{"empty": 0, "one byte": 1, "large.bin": 64 << 20} {
		source := filepath.Join(t.TempDir(), name)
		want := randomFile(t, source, size)
		if got := u.run(t, "upload", "--filename", source); got.code != exitDone || got.stderr != "" {
			t.Fatalf("upload %s: %+v", name, got)
		}
		got := u.run(t, "download", "--filename", name, "--json")
		var result transferResult
		if err := json.Unmarshal([]byte(got.stdout), &result); err != nil || got.code != exitDone || got.stderr != "" || result.Size != size || result.Path != name {
			t.Fatalf("download %s: %+v, %v", name, got, err)
		}
		if digest(t, filepath.Join(u.dir, name)) != want {
			t.Errorf("%s: other bytes came back", name)
		}
	}
}

// randomFile writes a file that no compression or hole makes smaller, and
// returns its digest.
func randomFile(t *testing.T, name string, size int64) [sha256.Size]byte {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(f, sum), rand.NewChaCha8([32]byte{}), size); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return [sha256.Size]byte(sum.Sum(nil))
}

func digest(t *testing.T, name string) [sha256.Size]byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		t.Fatal(err)
	}
	return [sha256.Size]byte(sum.Sum(nil))
}
