package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/client"
	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/service"
)

func TestNotesOfLinksAreOfOneAPIAndForgottenLongAfterTheirEnd(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state", "links")
	now := time.Now()
	n := linkNotes{dir, "http://here"}
	if all, err := n.all(now); len(all) != 0 || err != nil {
		t.Errorf("before the first: %v, %v", all, err)
	}
	note := func(id, api string, ends time.Duration) linkNote {
		return linkNote{API: api, ID: id, Key: "a", Token: "token-of-" + id, Expires: now.Add(ends).UTC()}
	}
	for _, w := range []linkNote{note("late", n.api, time.Hour), note("early", n.api, time.Minute), note("elsewhere", "http://there", time.Hour), note("ended", n.api, -time.Hour), note("gone", n.api, -keptAfter-time.Hour)} {
		if err := n.write(w); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"half.json": `{"id":"ha`, "other.json": `{"id":"late","api":"http://here"}`, "a.txt": "", "..json": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// What another run forgets meanwhile is listed and then not there.
	if err := os.Symlink("nothing", filepath.Join(dir, "forgotten.json")); err != nil {
		t.Fatal(err)
	}
	all, err := n.all(now)
	var ids []string
	for _, got := range all {
		ids = append(ids, got.ID)
	}
	if want := []string{"ended", "early", "late"}; err != nil || !slices.Equal(ids, want) {
		t.Errorf("%q, %v; want %q", ids, err, want)
	}
	if _, err := os.Stat(filepath.Join(dir, "gone.json")); err == nil {
		t.Error("what has ended long ago is kept")
	}
	for _, id := range []string{"", "..", "a/b", "../x", "a.b", strings.Repeat("x", 65)} {
		if err := n.write(note(id, n.api, time.Hour)); err == nil {
			t.Errorf("a note is written for %q", id)
		}
	}
	for link, want := range map[string]string{"late": "late", "token-of-late": "late", "http://x/v1/shared/token-of-late": "late", "http://x/v1/shared/token-of-late?inline=1": "late",
		"elsewhere": "", "token": "", "": "", "of-late": ""} {
		if got, found := n.find(link, now); found != (want != "") || got.ID != want {
			t.Errorf("%q is %q", link, got.ID)
		}
	}
	if err := (linkNotes{}).write(note("a", "", time.Hour)); err == nil {
		t.Error("without a folder, a note is written")
	}
}

func TestALinkIsListedAsWhatItIsGoodFor(t *testing.T) {
	t.Parallel()
	address := daemontest.Start(t, service.Program(), daemontest.Environ(t, gatewaytest.Start(t), nil)).Address
	c, err := client.New(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if _, err := c.Put(t.Context(), "a", strings.NewReader("a"), 1, client.PutOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	at := where{env: map[string]string{"HOME": home}}
	var made linkResult
	if err := json.Unmarshal([]byte(at.run(t, "share", "create", "a", "--json", "--ip", address).stdout), &made); err != nil {
		t.Fatal(err)
	}
	states := func() string {
		t.Helper()
		got := at.run(t, "share", "list", "--json", "--ip", address)
		var line listedLink
		if err := json.Unmarshal([]byte(got.stdout), &line); err != nil || got.code != exitDone || line.ID != made.ID || strings.Contains(got.stdout, made.Token) {
			t.Fatalf("%+v, %v", got, err)
		}
		return line.State
	}
	if got := states(); got != "active" {
		t.Errorf("a new link is %s", got)
	}
	if err := c.RevokeLink(t.Context(), made.Token); err != nil { // past the program
		t.Fatal(err)
	}
	if got := states(); got != "revoked" {
		t.Errorf("a link that was revoked elsewhere is %s", got)
	}
	notes := linkNotes{filepath.Join(home, ".local", "state", "storagectl", "links"), c.Address()}
	if err := notes.write(linkNote{API: notes.api, ID: made.ID, Key: "a", Expires: time.Now().Add(-time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if got := states(); got != "expired" {
		t.Errorf("a link whose time is over is %s", got)
	}
	// Without a home, the link is good all the same.
	if got := (where{}).run(t, "share", "create", "a", "--quiet", "--ip", address); got.code != exitDone || !strings.Contains(got.stdout, "/v1/shared/") || !strings.Contains(got.stderr, "share list will not show it") {
		t.Errorf("%+v", got)
	}
}
