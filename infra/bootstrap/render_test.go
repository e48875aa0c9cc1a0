package bootstrap

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"flag"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cloudstorage/app/auth"
	"cloudstorage/app/oidc"
	"cloudstorage/app/settings"
	"cloudstorage/app/settings/apisettings"
)

var update = flag.Bool("update", false, "write the golden files anew")

var server = settings.Settings{Bucket: "module02-42", Region: "eu-west-1", URLTTL: 10 * time.Minute, MaxURLTTL: time.Hour}

func fixtures() map[string]Release {
	binary := &Binary{Region: "eu-west-1", Bucket: "module02-releases-42", Key: "storaged/" + strings.Repeat("ab", 32), SHA256: strings.Repeat("ab", 32)}
	return map[string]Release{
		"binary": {Binary: binary},
		"logs":   {Binary: binary, Logs: &Logs{Group: "/module02/machines", Region: "eu-west-1"}},
		"source": {Source: &Source{GoVersion: "1.25.0", GoProxy: "https://proxy.example.com,direct", Files: map[string]string{
			"go.mod":                         "module example\n\ngo 1.25.0\n",
			"app/cmd/storaged-baked/main.go": "package main\n\nfunc main() {\n\tprintln(`tab\tand \"quotes\", ${var} %{x} \\n: # not a comment`)\n}\n",
		}}},
	}
}

func TestWhatAMachineGetsIsWhatTheGoldenFilesSay(t *testing.T) {
	t.Parallel()
	for name, release := range fixtures() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			userData, err := Render(server, release)
			if err != nil {
				t.Fatal(err)
			}
			files, err := Files(userData)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, f := range fileOrder(files) {
				got.WriteString("==> " + f + "\n" + files[f])
			}
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("run `go test ./infra/bootstrap -update` if this is meant:\n%s", diff)
			}
		})
	}
}

func fileOrder(files map[string]string) []string {
	var order []string
	for _, fixed := range []string{SettingsPath, ReleasePath, UnitPath, InstallPath, UnpackPath + "go.mod", UnpackPath + "go.sum", UnpackPath + "main.go", AgentPath, JournalUnitPath, JournalPath, ShipPath} {
		if _, ok := files[fixed]; ok {
			order = append(order, fixed)
		}
	}
	for _, source := range []string{"app/cmd/storaged-baked/main.go", "go.mod"} {
		if _, ok := files[SourcePath+source]; ok {
			order = append(order, SourcePath+source)
		}
	}
	return order
}

func TestUserDataGivesBackEveryFileByteForByte(t *testing.T) {
	t.Parallel()
	release := fixtures()["source"]
	userData, err := Render(server, release)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Files(userData)
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range release.Source.Files {
		if got[SourcePath+path] != content {
			t.Errorf("%s is %q", path, got[SourcePath+path])
		}
		delete(got, SourcePath+path)
	}
	for _, f := range written(t, release) {
		if f.path == PackedPath {
			continue
		}
		if diff := cmp.Diff(f.content, got[f.path]); diff != "" {
			t.Errorf("%s: %s", f.path, diff)
		}
		delete(got, f.path)
	}
	if len(got) != 0 {
		t.Errorf("more than was written: %v", got)
	}
}

func written(t *testing.T, release Release) []file {
	t.Helper()
	written, err := files(server, release)
	if err != nil {
		t.Fatal(err)
	}
	return written
}

func TestTheServersOwnLoaderAcceptsTheSettingsFile(t *testing.T) {
	t.Parallel()
	userData, err := Render(server, fixtures()["binary"])
	if err != nil {
		t.Fatal(err)
	}
	files, err := Files(userData)
	if err != nil {
		t.Fatal(err)
	}
	variables := Variables(files[SettingsPath])
	loaded, err := settings.Load(func(name string) string { return variables[name] })
	if err != nil || loaded.Bucket != server.Bucket || loaded.URLTTL != server.URLTTL || loaded.MaxURLTTL != server.MaxURLTTL {
		t.Errorf("%+v %v", loaded, err)
	}
}

// JSON in a line keeps its quotes: systemd takes them for its own only where a value begins with one.
func TestTheWholeServersLoaderAcceptsTheSettingsFile(t *testing.T) {
	t.Parallel()
	want := apisettings.Settings{
		Settings: settings.Settings{Bucket: "b-1", Region: "eu-west-1", Address: ":5000", URLTTL: time.Minute, MaxURLTTL: time.Hour, DrainTimeout: time.Second},
		Access:   apisettings.Restricted, StateBucket: "b-2", ExerciseRoutes: apisettings.ReadRoutes, MaxBody: 1, MaxLinkTTL: time.Hour,
		OIDC: &oidc.Config{Issuer: "https://id.example.org/a", Audience: "storage", Rules: []oidc.Rule{{
			Claim: "groups", Value: "l'équipe & <friends> ${HOME} %n #1 ", Grant: auth.Grant{Verbs: auth.Verbs(), Prefixes: []string{"", "a=b; c/"}},
		}}},
		WebOrigins: []string{"https://files.example.org"}, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.1.0/24")},
		RateLimit: -1, MaxConcurrency: 7,
	}
	userData, err := Render(want, fixtures()["binary"])
	if err != nil {
		t.Fatal(err)
	}
	files, err := Files(userData)
	if err != nil {
		t.Fatal(err)
	}
	variables := Variables(files[SettingsPath])
	got, err := apisettings.Load(func(name string) string { return variables[name] })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	for line := range strings.Lines(files[SettingsPath]) {
		if _, value, _ := strings.Cut(line, "="); strings.ContainsAny(value[:1], " \t\"'\\") || strings.Contains(value, `\`) || strings.HasSuffix(value, " \n") {
			t.Errorf("systemd would read %q differently", line)
		}
	}
}

func TestTheSameInputGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	for name, release := range fixtures() {
		first, err := Render(server, release)
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if again, err := Render(server, release); err != nil || !bytes.Equal(again, first) {
				t.Fatalf("%s: other bytes, %v", name, err)
			}
		}
	}
}

func TestWhatDoesNotFitSaysByHowMuch(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 2*Limit)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	release := Release{Source: &Source{GoVersion: "1.25.0", Files: map[string]string{"noise.go": base64.StdEncoding.EncodeToString(noise) + "\n"}}}
	_, err := Render(server, release)
	var tooLarge *TooLargeError
	if !errors.As(err, &tooLarge) || tooLarge.Size < 2*Limit || !strings.Contains(err.Error(), "more than the 16384 that EC2 takes") {
		t.Errorf("got %v", err)
	}
}

func TestNothingIsRenderedThatAMachineWouldReadDifferently(t *testing.T) {
	t.Parallel()
	for name, release := range map[string]Release{
		"neither":               {},
		"both":                  {Source: fixtures()["source"].Source, Binary: fixtures()["binary"].Binary},
		"no final line break":   {Source: &Source{Files: map[string]string{"a": "x"}}},
		"empty":                 {Source: &Source{Files: map[string]string{"a": ""}}},
		"a NUL":                 {Source: &Source{Files: map[string]string{"a": "x\x00\n"}}},
		"the line that ends it": {Source: &Source{Files: map[string]string{"a": "x\n~~\ny\n"}}},
		"a name for a shell":    {Source: &Source{Files: map[string]string{"a b;c": "x\n"}}},
		"logs to no group":      {Binary: fixtures()["binary"].Binary, Logs: &Logs{Region: "eu-west-1"}},
		"logs to no region":     {Binary: fixtures()["binary"].Binary, Logs: &Logs{Group: "/module02/machines"}},
	} {
		if _, err := Render(server, release); err == nil {
			t.Errorf("%s: rendered", name)
		}
	}
}

func TestNoTextIsWrittenThatYAMLWouldNotGiveBack(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"no final line break": "x", "leading space": " x\n", "empty": "", "not UTF-8": "\xff\n", "carriage return": "x\r\n",
		"next line (U+0085)": "x\u0085\n", "trailing empty lines": "x\n\n",
	} {
		if _, err := cloudConfig([]file{{"/a", "0644", content}}, nil); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

func TestTheScriptsAreSoundShell(t *testing.T) {
	t.Parallel()
	for name, release := range fixtures() {
		for _, f := range written(t, release) {
			if !strings.HasPrefix(f.content, "#!") {
				continue
			}
			run(t, name, f.content, "bash", "-n")
			if _, err := exec.LookPath("shellcheck"); err != nil {
				t.Log("shellcheck is not installed: bash -n only")
				continue
			}
			// The sourced file is on the machine, not here.
			run(t, name, f.content, "shellcheck", "--exclude=SC1091", "-")
		}
	}
}

func run(t *testing.T, name, script string, command ...string) {
	t.Helper()
	check := exec.CommandContext(t.Context(), command[0], command[1:]...)
	check.Stdin = strings.NewReader(script)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%s: %v: %v\n%s", name, command, err, out)
	}
}

func TestSystemdAcceptsTheUnits(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	for name, text := range map[string]string{
		// verify wants the programs to exist: any will do.
		"storaged.service":         strings.Replace(unit, "/usr/local/bin/storaged", "/bin/true", 1),
		"storaged-journal.service": strings.Replace(journalUnit, JournalPath, "/bin/true", 1),
	} {
		if !strings.Contains(text, "ExecStart=/bin/true\n") {
			t.Fatalf("%s starts another program", name)
		}
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--man=no", path).CombinedOutput()
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, name) {
				t.Errorf("systemd: %s", line)
			}
		}
		if err != nil {
			t.Logf("systemd-analyze: %v (it complains of this machine too)\n%s", err, out)
		}
	}
}
