package emulator

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTheStateIsReadBackAsItWasWritten(t *testing.T) {
	t.Parallel()
	p := places{run: t.TempDir()}
	want := state{
		Emulator: &Process{PID: 7, Started: "1 boot"}, Port: 4566, EmulatorAt: time.Unix(1_700_000_000, 0).UTC(),
		Server: &Process{PID: 8, Started: "2 boot"}, Address: "127.0.0.1:5000", Digest: "ab", ServerAt: time.Unix(1_700_000_060, 0).UTC(),
	}
	if got, err := p.readState(); err != nil || got != (state{}) {
		t.Fatalf("before anything was written: %+v, %v", got, err)
	}
	if err := p.writeState(want); err != nil {
		t.Fatal(err)
	}
	got, err := p.readState()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestADamagedStateIsAnErrorNotACleanSlate(t *testing.T) {
	t.Parallel()
	p := places{run: t.TempDir()}
	if err := writeFile(p.state(), []byte(`{"emulator":`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := p.readState(); err == nil {
		t.Error("no error")
	}
}

func TestClearKeepsOnlyWhatCostsADownload(t *testing.T) {
	t.Parallel()
	p := places{run: t.TempDir()}
	if err := p.clear(); err != nil {
		t.Fatalf("where nothing was made: %v", err)
	}
	touch(t, p.run, "venv/bin/python", "state.json", "moto.log", "cdktf.out/manifest.json", "terraform.local-api.emulator.tfstate", "storaged-0123")
	if !p.used() {
		t.Error("not used")
	}
	if err := p.clear(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(p.run)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != "venv" {
		t.Errorf("left: %v", entries)
	}
	if p.used() {
		t.Error("used after clear")
	}
}

func TestDownWhereNothingRunsIsFine(t *testing.T) {
	t.Parallel()
	o := Options{Root: t.TempDir()}
	for range 2 {
		if err := Down(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	st, err := ReadStatus(t.Context(), o)
	if err != nil || st.Up() || st.API.Running || st.Emulator.Running {
		t.Errorf("status %+v, %v", st, err)
	}
	if _, err := os.Stat(filepath.Join(o.Root, ".cache", "emulator", "state.json")); err == nil {
		t.Error("a state file was made")
	}
}
