package release_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cloudstorage/app/settings"
	"cloudstorage/app/settings/apisettings"
	"cloudstorage/infra/bootstrap"
	"cloudstorage/infra/release"
)

const root = "../.."

func builder(t *testing.T) release.Builder {
	t.Helper()
	return release.Builder{Root: root, Cache: t.TempDir()}
}

// source bundles with the project's own cache: bundling builds, which is worth keeping between runs.
func source(t *testing.T) release.Source {
	t.Helper()
	s, err := release.Builder{Root: root, Cache: filepath.Join(root, ".cache")}.Source(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheBakedSourceBuildsByItselfInAnEmptyFolder(t *testing.T) {
	t.Parallel()
	s := source(t)
	server := settings.Settings{Bucket: "module02-42", Region: "eu-west-1", URLTTL: time.Minute}
	userData, err := bootstrap.Render(server, bootstrap.Release{Source: &bootstrap.Source{Files: s.Files, GoVersion: s.GoVersion, Sum: s.Sum}})
	if err != nil {
		t.Fatal(err)
	}
	// What builds is what a machine would unpack, not what was packed.
	files, err := bootstrap.Files(userData)
	if err != nil {
		t.Fatal(err)
	}
	unpacked := release.Source{Files: map[string]string{}}
	for path, content := range files {
		if relative, ok := strings.CutPrefix(path, bootstrap.SourcePath); ok {
			unpacked.Files[relative] = content
		}
	}
	dir := t.TempDir()
	if err := unpacked.Write(dir); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "storaged")
	modules := t.TempDir()
	t.Cleanup(func() { makeWritable(t, modules) })
	run := func(flags string, args ...string) {
		t.Helper()
		command := exec.CommandContext(t.Context(), "go", args...)
		command.Dir = dir
		command.Env = append(os.Environ(),
			"GOMODCACHE="+modules, "GOPROXY=file://"+moduleCache(t)+"/cache/download", "GOSUMDB=off", "GOFLAGS="+flags,
			"GOTOOLCHAIN=local", "CGO_ENABLED=0", "GOWORK=off")
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	// As the install script does.
	run("-mod=mod", "list", "-deps", release.Main)
	sums, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.New()
	for line := range strings.Lines(string(sums)) {
		if !strings.Contains(line, "/go.mod ") {
			hash.Write([]byte(line))
		}
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != s.Sum {
		t.Errorf("the go command writes other checksums (%s) than those that travel (%s):\n%s", got, s.Sum, sums)
	}
	run("-mod=readonly", "build", "-trimpath", "-o", program, release.Main)
	// Without settings it says which it wants.
	out, err := exec.CommandContext(t.Context(), program).CombinedOutput()
	if err == nil || !strings.Contains(string(out), settings.EnvBucket) {
		t.Errorf("the program that was built does not run: %v\n%s", err, out)
	}
}

func moduleCache(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// makeWritable lets the test's cleanup remove a module cache, whose folders are read-only.
func makeWritable(t *testing.T, dir string) {
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestTheBakedSourceIsOnlyWhatTheServerNeeds(t *testing.T) {
	t.Parallel()
	for path, content := range source(t).Files {
		if !strings.HasPrefix(path, "app/") && path != "go.mod" || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "app/client") {
			t.Errorf("%s has no place in it", path)
		}
		if strings.HasSuffix(path, ".go") && strings.Contains(content, "\n// ") {
			t.Errorf("%s still has comments", path)
		}
		if path == "go.mod" && (strings.Contains(content, "cdktf") || strings.Contains(content, "toolchain")) {
			t.Errorf("go.mod asks for too much:\n%s", content)
		}
	}
}

func TestTheBakedSourceLeavesRoomForAMachinesSettings(t *testing.T) {
	t.Parallel()
	const reserve = 512 // bytes: the longest names, a goproxy list
	s := source(t)
	userData, err := bootstrap.Render(apisettings.Settings{
		Settings: settings.Settings{Bucket: "b-1", Region: "eu-west-1"}, Access: apisettings.Restricted, StateBucket: "b-2", ExerciseRoutes: apisettings.ReadRoutes,
	}, bootstrap.Release{Source: &bootstrap.Source{Files: s.Files, GoVersion: s.GoVersion, Sum: s.Sum}})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes of user-data", len(userData))
	if free := bootstrap.Limit - len(userData); free < reserve {
		t.Errorf("%d bytes are left, want %d: bake less source", free, reserve)
	}
}

func TestABuildIsTheSameBytesWhereverTheProjectLies(t *testing.T) {
	t.Parallel()
	here, err := builder(t).Binary(t.Context(), "x86_64")
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(t.TempDir(), "another", "place")
	copyProject(t, elsewhere)
	there, err := release.Builder{Root: elsewhere, Cache: t.TempDir()}.Binary(t.Context(), "x86_64")
	if err != nil {
		t.Fatal(err)
	}
	if here.SHA256 != there.SHA256 || here.Size != there.Size {
		t.Errorf("%+v differs from %+v", here, there)
	}
	content, err := os.ReadFile(here.Path)
	if err != nil {
		t.Fatal(err)
	}
	if digest := sha256.Sum256(content); hex.EncodeToString(digest[:]) != here.SHA256 || here.Key() != "storaged/"+here.SHA256 {
		t.Errorf("the digest %s is not the file's", here.SHA256)
	}
}

// copyProject copies what a build of the server reads.
func copyProject(t *testing.T, to string) {
	t.Helper()
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(to, "app"), os.DirFS(filepath.Join(root, "app"))); err != nil {
		t.Fatal(err)
	}
}

func TestASecondReleaseOfTheSameInputsBuildsNothing(t *testing.T) {
	t.Parallel()
	b := builder(t)
	first, err := b.Binary(t.Context(), "arm64")
	if err != nil {
		t.Fatal(err)
	}
	// A marker in the cached file would be lost if it were built again.
	if err := os.WriteFile(first.Path, []byte("marked"), 0o755); err != nil {
		t.Fatal(err)
	}
	second, err := b.Binary(t.Context(), "arm64")
	if err != nil {
		t.Fatal(err)
	}
	if second.Path != first.Path || second.Size != int64(len("marked")) {
		t.Errorf("built again: %+v", second)
	}
	bundle := source(t)
	if diff := cmp.Diff(bundle, source(t)); diff != "" {
		t.Error(diff)
	}
}

func TestAnUnknownArchitectureOrABrokenProjectIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := builder(t).Binary(t.Context(), "vax"); err == nil || !strings.Contains(err.Error(), `"vax" is neither`) {
		t.Error(err)
	}
	broken := release.Builder{Root: t.TempDir(), Cache: t.TempDir()}
	if _, err := broken.Source(context.Background()); err == nil || !strings.Contains(err.Error(), "go list") {
		t.Error(err)
	}
}

func TestARememberingBuilderAsksTheGoCommandOnce(t *testing.T) {
	forgetful := release.Builder{Root: root, Cache: filepath.Join(root, ".cache")}
	remembering := forgetful.Remembering()
	first, err := remembering.Source(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", t.TempDir()) // no go command from here on
	second, err := remembering.Source(t.Context())
	if diff := cmp.Diff(first, second); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if _, err := forgetful.Source(t.Context()); err == nil {
		t.Error("a builder that does not remember asked nobody")
	}
}
