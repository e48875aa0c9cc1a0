package main

import (
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/e2e/gatewaytest"
)

// TestScripts runs what a user types, in testdata/script: the real program, each
// script with a server of its own in front of an empty bucket. The address is in
// STORAGE_URL, and whatever else is called by http goes there, too; OLD_URL is a
// server that has the exercise's routes alone, BAKED_URL the one that is built
// from source.
//
//	example rm        runs each line of that command's examples
func TestScripts(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	storagectl, storaged := programs(t)
	g := gatewaytest.Start(t)
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".txtar"), func(t *testing.T) {
			t.Parallel()
			bucket := g.NewBucket(t)
			address := "http://" + serve(t, storaged, g, bucket)
			old := "http://" + daemontest.Start(t, daemontest.Exercise(), daemontest.Environ(t, g, map[string]string{"STORAGE_BUCKET": bucket})).Address
			baked := "http://" + daemontest.Start(t, daemontest.Baked(), daemontest.Environ(t, g, map[string]string{"STORAGE_BUCKET": bucket})).Address
			proxy := anywhere(t, address)
			testscript.Run(t, testscript.Params{
				Files:               []string{script},
				RequireExplicitExec: true,
				Setup: func(e *testscript.Env) error {
					e.Setenv("PATH", filepath.Dir(storagectl)+string(os.PathListSeparator)+os.Getenv("PATH"))
					e.Setenv("HOME", e.WorkDir)
					e.Setenv("STORAGE_URL", address)
					e.Setenv("OLD_URL", old)
					e.Setenv("BAKED_URL", baked)
					e.Setenv("http_proxy", proxy)
					return nil
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){"example": runExamples},
			})
		})
	}
}

// anywhere is a proxy that takes each request to one server.
func anywhere(t *testing.T, address string) string {
	t.Helper()
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: to.Scheme, Host: to.Host}) }})
	t.Cleanup(proxy.Close)
	return proxy.URL
}

// exampleVersion is the version's id in the examples.
const exampleVersion = "3HL4kqtJlcpXrof3vjVBH40Nrxf6wQ2l"

// runExamples runs each line of a command's examples, as it is but for the id of
// a version: that is the file's newest where it is to be undone, else its oldest.
func runExamples(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: example command...")
	}
	cmd, _, err := program{}.root(new(bool)).Find(strings.Fields(strings.TrimPrefix(strings.Join(args, " "), "storagectl")))
	ts.Check(err)
	for line := range strings.Lines(cmd.Example) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, exampleVersion) {
			line = strings.ReplaceAll(line, exampleVersion, versionFor(ts, line))
		}
		if err := ts.Exec("sh", "-c", line); err != nil {
			ts.Fatalf("the example %q: %v", line, err)
		}
	}
}

var fileInExample = regexp.MustCompile(`[a-z]+\.(pdf|txt)`)

func versionFor(ts *testscript.TestScript, line string) string {
	name := fileInExample.FindString(line)
	ts.Check(ts.Exec("storagectl", "versions", name))
	ids := regexp.MustCompile(`(?m)^\S+`).FindAllString(ts.ReadFile("stdout"), -1)
	if len(ids) < 2 {
		ts.Fatalf("%q has %d versions, and the example %q needs an older one", name, len(ids), line)
	}
	if strings.Contains(line, "before=") {
		return ids[0]
	}
	return ids[len(ids)-1]
}

func TestEveryCommandsExamplesAreRun(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("testdata/script/examples.txtar")
	if err != nil {
		t.Fatal(err)
	}
	ran := regexp.MustCompile(`(?m)^example (.+)$`).FindAllStringSubmatch(string(script), -1)
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		if !strings.Contains(cmd.Example, "storagectl") {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		if !slices.ContainsFunc(ran, func(m []string) bool { return "storagectl "+m[1] == cmd.CommandPath() || m[1] == cmd.CommandPath() }) {
			t.Errorf("nothing runs the examples of %s", cmd.CommandPath())
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(program{}.root(new(bool)))
}
