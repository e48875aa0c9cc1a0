package bootstrap

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func source() map[string]string {
	return map[string]string{
		"go.mod":       "module example\n",
		"app/a/b.go":   "package b\n\nconst s = `~~ $(id) \\ ' ~~`\n",
		"app/a/c-d.go": "\n\ttext\n\n~\n",
	}
}

func TestWhatIsPackedIsUnpacked(t *testing.T) {
	t.Parallel()
	files, err := packed(source())
	if err != nil {
		t.Fatal(err)
	}
	got, err := unpacked(files[len(files)-1].content)
	if diff := cmp.Diff(source(), got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	for _, broken := range []string{"", "x", files[len(files)-1].content[:20]} {
		if got, err := unpacked(broken); err == nil && len(got) > 0 {
			t.Errorf("%q is unpacked as %v", broken, got)
		}
	}
}

// As on a machine: the module unpack, built by its own go.sum, and a shell.
func TestAMachineUnpacksWhatIsPacked(t *testing.T) {
	t.Parallel()
	files, err := packed(source())
	if err != nil {
		t.Fatal(err)
	}
	tool, out := t.TempDir(), t.TempDir()
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(tool, filepath.Base(f.path)), []byte(f.content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), "bash", "-c", "set -euo pipefail; go run . <storaged.br | (cd \"$0\" && bash -e)", out)
	command.Dir = tool
	command.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off", "GOTOOLCHAIN=local")
	if text, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	got := map[string]string{}
	for path := range maps.Keys(source()) {
		content, err := os.ReadFile(filepath.Join(out, path))
		if err != nil {
			t.Fatal(err)
		}
		got[path] = string(content)
	}
	if diff := cmp.Diff(source(), got); diff != "" {
		t.Error(diff)
	}
}

func TestTheMachineUnpacksWithTheModuleThatPacked(t *testing.T) {
	t.Parallel()
	_, module, _ := strings.Cut(unpackMod, "require ")
	for name, want := range map[string]string{"../../go.mod": module, "../../go.sum": unpackSum} {
		project, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(project), want) {
			t.Errorf("%s does not have %q", name, want)
		}
	}
}
