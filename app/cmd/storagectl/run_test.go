package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

func TestFlagsGoBeforeOrAfterTheCommand(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	for _, args := range [][]string{
		{"delete", "--ip", f.address(), "--filename", "a b"},
		{"--ip", f.address(), "--filename", "a b", "delete"},
		{"--ip", f.address(), "delete", "--filename", "a b"},
		{"--filename=a b", "delete", "--ip=" + f.URL},
		{"delete", "a b", "--ip", f.address()},
		{"--ip", f.address(), "delete", "a b", "--filename", "a b"},
	} {
		f.objects["a b"] = "x"
		where{}.run(t, args...).want(t, "Successfully deleted file 'a b' on s3 bucket 'module02-1'\n")
		if len(f.objects) != 0 {
			t.Errorf("%q deleted nothing", args)
		}
	}
}

func TestPingPrintsTheMessage(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	where{}.run(t, "ping", "--ip", f.address()).want(t, greeting+"\n")
	where{}.run(t, "ping", "--quiet", "--ip", f.address()).want(t, greeting+"\n")
	where{}.run(t, "--json", "ping", "--ip", f.address()).want(t, fmt.Sprintf(`{"message":%q,"address":%q}`+"\n", greeting, f.URL))
}

func TestListPrintsNamesAndATableOnATerminal(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	where{}.run(t, "list", "--ip", f.address()).want(t, "")
	where{}.run(t, "list", "--ip", f.address(), "--json").want(t, `{"files":[]}`+"\n")
	where{terminal: true}.run(t, "list", "--ip", f.address()).want(t, "NAME\n")
	f.objects = map[string]string{"a/b": "", "c <&>": "", "d\x1b[2J": ""}
	where{}.run(t, "list", "--ip", f.address()).want(t, "a/b\nc <&>\nd\x1b[2J\n")
	where{}.run(t, "list", "--ip", f.address(), "--json").want(t, `{"files":[{"name":"a/b"},{"name":"c <&>"},{"name":"d\u001b[2J"}]}`+"\n")
	where{terminal: true}.run(t, "list", "--ip", f.address()).want(t, "NAME\na/b\nc <&>\nd\\x1b[2J\n")
}

func TestTheTableHasSizesWhereTheyAreKnown(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := writeTable(&out, []object.Info{{Key: "a", Size: 1536}, {Key: "b", Size: client.UnknownSize}, {Key: "c"}}); err != nil {
		t.Fatal(err)
	}
	if want := "SIZE     NAME\n1.5 KiB  a\n-        b\n0 B      c\n"; out.String() != want {
		t.Errorf("table\n%s\nwant\n%s", out.String(), want)
	}
}

func TestUploadAndDownload(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	from := filepath.Join(t.TempDir(), "a+b ü.txt")
	if err := os.WriteFile(from, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	where{}.run(t, "upload", "--filename", from, "--ip", f.address()).want(t, "Successfully uploaded file 'a+b ü.txt' on s3 bucket 'module02-1'\n")
	where{}.run(t, "upload", from, "--key", "x/y", "--ip", f.address(), "--json").
		want(t, fmt.Sprintf(`{"message":"Successfully uploaded file 'x/y' on s3 bucket 'module02-1'","name":"x/y","path":%q,"size":7}`+"\n", from))
	if f.objects["a+b ü.txt"] != "content" || f.objects["x/y"] != "content" {
		t.Errorf("stored %q", f.objects)
	}
	dir := t.TempDir()
	where{dir: dir}.run(t, "download", "--filename", "a+b ü.txt", "--ip", f.address()).
		want(t, "Successfully downloaded file 'a+b ü.txt' on s3 bucket 'module02-1'\nSaved as "+filepath.Join(dir, "a+b ü.txt")+" (7 B)\n")
	where{dir: dir}.run(t, "--json", "download", "x/y", "--ip", f.address()).
		want(t, fmt.Sprintf(`{"message":"Successfully downloaded file 'x/y' on s3 bucket 'module02-1'","name":"x/y","path":%q,"size":7}`+"\n", filepath.Join(dir, "y")))
	for _, name := range []string{"a+b ü.txt", "y"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != "content" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestDownloadsGoIntoTheWorkingDirectory(t *testing.T) {
	f := newFake(t)
	f.objects["a/b"] = "content"
	t.Chdir(t.TempDir())
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"download", "--filename", "a/b", "--ip", f.address()}, strings.NewReader(""), &stdout, &stderr)
	if code != exitDone || !strings.HasSuffix(stdout.String(), "Saved as b (7 B)\n") || stderr.String() != "" {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
	}
	if got, err := os.ReadFile("b"); err != nil || string(got) != "content" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAWrongCommandLineIsExitCodeTwo(t *testing.T) {
	t.Parallel()
	for says, args := range map[string][]string{
		"no command":                  {},
		"--filename is not for rm":    {"rm", "--filename", "a", "b"},
		"unknown command":             {"lst"},
		"Did you mean this? list":     {"lis"},
		"unknown flag: --nope":        {"ping", "--nope"},
		"unknown flag: --key":         {"delete", "--key", "x"},
		"needs an argument":           {"ping", "--ip"},
		"storagectl delete --help":    {"delete"},
		"which file":                  {"upload"},
		"with --filename":             {"download", "--filename="},
		"two files":                   {"delete", "a", "--filename", "b"},
		"accepts at most 1":           {"delete", "a", "b"},
		"unknown command \"x\" for":   {"ping", "x"},
		"is no address":               {"ping", "--ip", "http://"},
		"it is empty":                 {"ping", "--ip", ""},
		`path segment ".."`:           {"download", "--filename", "../x"},
		"control character U+001B":    {"delete", "\x1b[2J"},
		"the file name is empty":      {"upload", "x", "--key", ""},
		"the file name has 1025 byte": {"upload", "x", "--key", strings.Repeat("k", 1025)},
	} {
		where{}.run(t, args...).wantFailure(t, exitUsage, says)
	}
}

func TestWhatFailsIsExitCodeOne(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	dir := t.TempDir()
	where{}.run(t, "download", "--filename", "no/such", "--ip", f.address()).wantFailure(t, exitFailed, "there is no such file 'no/such' in the bucket")
	where{}.run(t, "upload", "--filename", dir, "--ip", f.address()).wantFailure(t, exitFailed, "is a directory")
	where{}.run(t, "upload", "--filename", filepath.Join(dir, "x"), "--ip", f.address()).wantFailure(t, exitFailed, "there is no file")
	f.objects["a/"] = ""
	where{}.run(t, "download", "--filename", "a/", "--ip", f.address()).wantFailure(t, exitFailed, "no file name")
	f.refuse = func(w http.ResponseWriter, _ *http.Request) { answer(w, 400, "because\n\x1b of that", nil) }
	where{}.run(t, "ping", "--ip", f.address()).wantFailure(t, exitFailed, "the storage API answered 400: because of that")
	where{}.run(t, "--json", "list", "--ip", f.address()).wantFailure(t, exitFailed, "because of that")
}

func TestAnAPIThatIsAwayGetsAHint(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.Close()
	got := where{}.run(t, "ping", "--ip", f.address())
	got.wantFailure(t, exitFailed, f.URL)
	for _, says := range []string{"connection refused", "make up", "--ip"} {
		if !strings.Contains(got.stderr, says) {
			t.Errorf("stderr %q does not say %q", got.stderr, says)
		}
	}
}

func TestWhoIsNotLetInGetsTheWayOut(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.refuse = func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("Authorization") {
		case "":
			answer(w, 401, "no key: send one", nil)
		case "Bearer revoked":
			answer(w, 401, "the key was revoked", nil)
		case "Bearer reader":
			answer(w, 403, "ci may not delete: ask for a key with that verb", nil)
		default:
			answer(w, 200, greeting, nil)
		}
	}
	where{key: "good"}.run(t, "ping", "--ip", f.address()).want(t, greeting+"\n")
	where{}.run(t, "ping", "--ip", f.address()).wantFailure(t, exitFailed, "the storage API answered 401: no key: send one; put yours into the environment variable STORAGE_KEY")
	where{key: "revoked"}.run(t, "ping", "--ip", f.address()).wantFailure(t, exitFailed, "401: the key was revoked; put another into the environment variable STORAGE_KEY")
	where{key: "reader"}.run(t, "delete", "x", "--ip", f.address()).wantFailure(t, exitFailed, "403: ci may not delete: ask for a key with that verb")
	where{key: "two secrets"}.run(t, "ping", "--ip", f.address()).wantFailure(t, exitUsage, "STORAGE_KEY: the key holds characters")
}

func TestTheKeyComesFromTheEnvironment(t *testing.T) {
	f := newFake(t)
	var got string
	f.refuse = func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("Authorization")
		answer(w, 200, greeting, nil)
	}
	t.Setenv("STORAGE_KEY", "secret")
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"ping", "--ip", f.address()}, strings.NewReader(""), &stdout, &stderr); code != exitDone || got != "Bearer secret" {
		t.Errorf("exit code %d, sent %q", code, got)
	}
}

func TestCancellingIsExitCodeOneAndLeavesNothing(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.refuse = func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() }
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	code := program{stdout: &stdout, stderr: &stderr, dir: dir, isTerminal: isTerminal}.run(ctx, []string{"download", "x", "--ip", f.address()})
	outcome{code, stdout.String(), stderr.String()}.wantFailure(t, exitFailed, "cancelled")
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestATransferHasABarOnATerminalOnly(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	dir := t.TempDir()
	for name, content := range map[string]string{"large.bin": strings.Repeat("x", 3<<20), "empty": ""} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"upload", file}, {"download", name}} {
			args = append(args, "--ip", f.address())
			got := where{terminal: true}.run(t, args...)
			if got.code != exitDone || !strings.Contains(got.stderr, name) || !strings.Contains(got.stderr, "ETA") || !strings.Contains(got.stderr, "/s") {
				t.Errorf("%q on a terminal: %+v", args, got)
			}
			if len(content) > 0 && !strings.Contains(got.stderr, "3.0 MiB / 3.0 MiB") {
				t.Errorf("%q: the bar does not end full: %q", args, got.stderr)
			}
			if got := (where{}).run(t, args...); got.code != exitDone || got.stderr != "" {
				t.Errorf("%q in a pipe: %+v", args, got)
			}
		}
	}
	where{terminal: true}.run(t, "download", "no/such", "--ip", f.address()).wantFailure(t, exitFailed, "no such file")
}

func TestHelpHasAnExampleForEveryCommand(t *testing.T) {
	t.Parallel()
	started := false
	root := program{}.root(&started)
	commands := []*cobra.Command{root}
	for i := 0; i < len(commands); i++ {
		commands = append(commands, commands[i].Commands()...)
	}
	for _, cmd := range commands {
		if !strings.Contains(cmd.Example, "storagectl") {
			t.Errorf("%s has no example", cmd.Name())
		}
		args := strings.Fields(cmd.CommandPath() + " --help")[1:]
		if got := (where{}).run(t, args...); got.code != exitDone || got.stderr != "" || !strings.Contains(got.stdout, cmd.Example) {
			t.Errorf("%q: %+v", args, got)
		}
	}
}

func TestVersionAndCompletion(t *testing.T) {
	t.Parallel()
	if got := (where{}).run(t, "--version"); got.code != exitDone || !strings.HasPrefix(got.stdout, "storagectl version ") {
		t.Errorf("--version: %+v", got)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if got := (where{}).run(t, "completion", shell); got.code != exitDone || !strings.Contains(got.stdout, "storagectl") {
			t.Errorf("completion %s: exit code %d, %s", shell, got.code, got.stderr)
		}
	}
}

func TestByteCount(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 64 << 20: "64.0 MiB", 5 << 40: "5.0 TiB", 1 << 62: "4096.0 PiB"} {
		if got := byteCount(n); got != want {
			t.Errorf("byteCount(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestParseSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"0": 0, "7": 7, "7B": 7, "5K": 5 << 10, "5KiB": 5 << 10, "8MiB": 8 << 20, "8M": 8 << 20, "5GiB": 5 << 30} {
		if got, err := parseSize(text); err != nil || got != want {
			t.Errorf("parseSize(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1.5MiB", "1 MiB", "5MB", "1iB", "9999999999999GiB", "99999999999999999999", "5KiBB"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("parseSize(%q) = %d", text, got)
		}
	}
}
