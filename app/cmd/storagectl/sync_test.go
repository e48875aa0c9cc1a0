package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/service"
)

func TestSyncAsksAtATerminalBeforeItDeletes(t *testing.T) {
	t.Parallel()
	address := daemontest.Start(t, service.Program(), daemontest.Environ(t, gatewaytest.Start(t), nil)).Address
	dir := t.TempDir()
	add := func(name string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte("content"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(answer string, args ...string) outcome {
		t.Helper()
		return where{terminal: true, stdin: answer}.run(t, append([]string{"--ip", address, "sync", dir, ":"}, args...)...)
	}
	for _, name := range []string{"keep", "one", "two\u202e"} {
		add(name)
	}
	// Everything that is drawn stays, since all goes well.
	got := run("")
	if got.code != exitDone || !strings.HasPrefix(got.stdout, "Sent 3 files (21 B) in ") || !strings.Contains(got.stderr, "3 files ") || !strings.Contains(got.stderr, "21 B / 21 B") {
		t.Errorf("%+v", got)
	}
	for _, name := range []string{"one", "two\u202e"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if got := run("n\n", "--delete"); got.code != exitFailed || got.stderr != `Delete 2 files, from one to two\u202e? [y/N] storagectl: nothing was deleted`+"\n" {
		t.Errorf("%+v", got)
	}
	if got := run("", "--delete", "--dry-run", "--quiet"); got.code != exitDone || got.stderr != "" || got.stdout != "delete :one\ndelete :two\\u202e\n" {
		t.Errorf("%+v", got)
	}
	if got := run("y\n", "--delete", "--exclude", "two*"); got.code != exitDone || got.stderr != "Delete one? [y/N] " || !strings.HasSuffix(got.stdout, "; 1 are the same, 1 were deleted\n") {
		t.Errorf("%+v", got)
	}
	// What was drawn makes room for the question.
	add("new")
	got = run("y\n", "--delete")
	if got.code != exitDone || !strings.Contains(got.stderr, "14 B / 14 B") && !strings.Contains(got.stderr, "7 B / 7 B") || !strings.HasSuffix(got.stderr, "\n"+`Delete two\u202e? [y/N] `) {
		t.Errorf("%+v", got)
	}
	if got := run("", "--delete", "--quiet"); got != (outcome{}) {
		t.Errorf("%+v", got)
	}
}
