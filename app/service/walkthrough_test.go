package service

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"cloudstorage/app/auth"
	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/web/problem"
)

const walkthrough = "../../docs/api.md"

// block is what a fence of the page encloses, and the line that opens it.
type block struct {
	line     int
	language string
	text     string
}

// blocks are those of the page, in its order.
func blocks(page string) []block {
	var all []block
	var open *block
	for i, line := range strings.Split(page, "\n") {
		language, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && open == nil:
			open = &block{line: i + 1, language: language}
		case fence:
			all, open = append(all, *open), nil
		case open != nil:
			open.text += line + "\n"
		}
	}
	return all
}

// separator is printed before what a block prints.
const separator = "\x1e"

// script is the page's commands on the lines that they have in the page, so that
// bash names those.
func script(shell []block) string {
	lines := []string{`set -E; trap 'echo "docs/api.md:$LINENO: $BASH_COMMAND" >&2' ERR`}
	for _, b := range shell {
		for len(lines) < b.line-1 {
			lines = append(lines, "")
		}
		lines = append(lines, `printf '\036'`)
		lines = append(lines, strings.Split(strings.TrimSuffix(b.text, "\n"), "\n")...)
	}
	return strings.Join(lines, "\n") + "\n"
}

// printed is what the page says that a block prints; … is any text in a line.
func printed(text string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(text), "…", ".*") + "$")
}

// run runs commands in an empty folder and returns what they print.
func run(t *testing.T, commands string, environ ...string) string {
	t.Helper()
	for _, tool := range []string{"bash", "curl", "jq", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("docs/api.md is tried with %s, which is not here: install the package %s", tool, tool)
		}
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", commands)
	cmd.Dir = t.TempDir()
	cmd.Env = append(cmd.Environ(), append(environ, "HOME="+cmd.Dir, "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s\nafter\n%s", err, &stderr, &stdout)
	}
	return stdout.String()
}

// storagectl builds the client and returns the folder that it is in.
func storagectl(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(folder, "storagectl"), "cloudstorage/app/cmd/storagectl")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build storagectl: %v\n%s", err, out)
	}
	return folder
}

func readPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(walkthrough)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

func TestThePageOfTheAPIDoesWhatItSays(t *testing.T) {
	t.Parallel()
	var shell []block
	want := map[int]block{} // by the number of the block that prints it
	for _, b := range blocks(readPage(t)) {
		switch b.language {
		case "sh":
			shell = append(shell, b)
		case "text":
			want[len(shell)-1] = b
		}
	}
	token := auth.NewToken()
	s := daemontest.Start(t, Program(), restricted(t, key("reader", token, "", auth.Verbs()...)))
	got := strings.Split(run(t, script(shell), "API=http://"+s.Address, "KEY="+token, "PATH="+storagectl(t)+":"+os.Getenv("PATH")), separator)[1:]
	if len(got) != len(shell) || len(want) < 10 {
		t.Fatalf("%d of %d blocks printed, and the page says of %d what", len(got), len(shell), len(want))
	}
	for i, text := range got {
		if expected := want[i]; !printed(expected.text).MatchString(text) {
			t.Errorf("docs/api.md:%d prints\n%s\nand line %d says\n%s", shell[i].line, text, expected.line, expected.text)
		}
	}
}

// An open server on one's own machine is what a newcomer has.
func TestCurlAloneWritesAndReadsAFileWhereAccessIsOpen(t *testing.T) {
	t.Parallel()
	s := daemontest.Start(t, Program(), daemontest.Environ(t, gatewaytest.Start(t), nil))
	run(t, `head -c 1000000 /dev/urandom > file
curl -fsS -T file "$API/v1/files/n%C3%A4me%20with%20+%20and%20%25.txt"
curl -fsS -L -o back "$API/v1/files/n%C3%A4me%20with%20+%20and%20%25.txt"
cmp file back
`, "API=http://"+s.Address)
}

func TestThePageOfTheAPIHasEveryKindOfProblem(t *testing.T) {
	t.Parallel()
	page := readPage(t)
	for _, k := range problem.Kinds() {
		if row := "\n| " + strconv.Itoa(k.Status) + " | `" + k.Name + "` | "; !strings.Contains(page, row) {
			t.Errorf("docs/api.md lacks %q", row)
		}
	}
}
