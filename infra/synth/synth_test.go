package synth_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cloudstorage/infra/release"
	"cloudstorage/infra/stack"
	"cloudstorage/infra/synth"
)

// fixtureReleases stand in for builds, which release's own tests make for real.
type fixtureReleases struct{ err error }

func (f fixtureReleases) Source(context.Context) (release.Source, error) {
	return release.Source{Files: map[string]string{"go.mod": "module fixture\n"}, GoVersion: "1.25.0"}, f.err
}

func (f fixtureReleases) Binary(context.Context, string) (release.Binary, error) {
	return release.Binary{Path: "storaged", SHA256: strings.Repeat("0", 64), Size: 1}, f.err
}

func prepare(t *testing.T, o synth.Options) (string, error) {
	t.Helper()
	var notes strings.Builder
	if o.Environments == "" {
		o.Environments = filepath.Join("..", "environments")
	}
	if o.Root == "" {
		o.Root = t.TempDir()
	}
	if o.Releases == nil {
		o.Releases = fixtureReleases{}
	}
	o.Notes = &notes
	_, err := synth.Prepare(t.Context(), o)
	return notes.String(), err
}

func TestSynthSaysHowMuchUserDataIsUsedAndWhatIsNotYoursYet(t *testing.T) {
	notes, err := prepare(t, synth.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"of 16384 bytes (source)", "of 16384 bytes (binary)",
		"single: way out internet: 3.65 USD a month",
		"module02: way out internet: 7.30 USD a month",
		"production: way out endpoints (logs, ssm, ssmmessages): 48.18 USD a month",
		"module02: warning: anyone may list, read, replace and delete files",
		"module02: warning: placeholders that a real account refuses: run `make init ENV=module02`",
		"production: warning: placeholders that a real account refuses: run `make init ENV=production`",
		"module02: warning: module02.pem does not exist, which a real account refuses: run `make key`",
		"production: warning: nobody may call: `storagectl key new` makes a key and prints its lines for api.keys",
		"account: warning: placeholders",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("no %q in:\n%s", want, notes)
		}
	}
	if strings.Contains(notes, "single: warning: anyone") || strings.Contains(notes, "production: warning: anyone") || strings.Contains(notes, "local: warning") ||
		strings.Count(notes, "nobody may call") != 1 {
		t.Errorf("a warning where there is nothing to warn of:\n%s", notes)
	}
}

func TestOneEnvironmentAloneIsPrepared(t *testing.T) {
	notes, err := prepare(t, synth.Options{Only: "local", Target: stack.Target{Emulator: true}})
	if err != nil || strings.Count(notes, "\n") != 1 || !strings.HasPrefix(notes, "local: user-data ") {
		t.Errorf("%v\n%s", err, notes)
	}
}

func TestNothingIsSynthesizedFromAMistake(t *testing.T) {
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "x.yaml"), []byte("region: nowhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	keys := t.TempDir()
	if err := os.WriteFile(filepath.Join(keys, "module02.pem"), []byte("not a key"), 0o400); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, want string
		options    synth.Options
	}{
		{"a broken file", `x.yaml:1: region: "nowhere"`, synth.Options{Environments: broken}},
		{"an unknown environment", `there is no environment "moon": known are local, module02, production, single, account`, synth.Options{Only: "moon"}},
		{"a failed build", "local: out of disk", synth.Options{Only: "local", Releases: fixtureReleases{errors.New("out of disk")}}},
		{"a broken key", "is not a private key without a passphrase", synth.Options{Only: "module02", Root: keys}},
	} {
		if _, err := prepare(t, tc.options); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.want)
		}
	}
}
