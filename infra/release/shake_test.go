package release

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestShakingKeepsWhatIsComeToAndNothingElse(t *testing.T) {
	t.Parallel()
	kept, err := shake("example", "./cmd", map[string]string{
		"cmd/main.go": `package main

import (
	"fmt"
	other "example/lib"
)

func main() { fmt.Println(other.New().Name(), other.Second) }
`,
		"lib/a.go": `package lib

import (
	"errors"
	"strings"

	"example/dead"
)

type Thing struct {
	Text string ` + "`json:\"text\" doc:\"What it says.\"`" + `
}

func New() *Thing { return &Thing{Text: helper()} }

func helper() string { return strings.ToUpper("x") }

func (t *Thing) Name() string { return t.unexported() }
func (t *Thing) unexported() string { return t.Text }
func (t *Thing) Unused() error { return errors.New(dead.Text) }
func (t *Thing) String() string { return calledByFmt }

func Dead() string { return dead.Text }
`,
		"lib/b.go": `package lib

const (
	First = iota
	Second
)

const (
	alone  = "alone"
	unused = "unused"
)

var calledByFmt = alone

var registered = 1

func init() { registered++ }
`,
		"dead/dead.go": "package dead\n\nconst Text = \"dead\"\n",
	}, map[string]bool{"String": true})
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(kept)); !slices.Equal(got, []string{"cmd/cmd.go", "lib/lib.go"}) {
		t.Fatalf("kept %q", got)
	}
	lib := kept["lib/lib.go"]
	for _, want := range []string{"func New()", "func helper()", "Name() string", "unexported() string", "String() string", "calledByFmt", `alone = "alone"`, "First = iota", "func init()", "registered", "`json:\"text\"`"} {
		if !strings.Contains(lib, want) {
			t.Errorf("%q is gone:\n%s", want, lib)
		}
	}
	for _, gone := range []string{"Unused", "Dead", "errors", "example/dead", "unused", "doc:"} {
		if strings.Contains(lib, gone) {
			t.Errorf("%q is still there:\n%s", gone, lib)
		}
	}
}

func TestShakingRefusesTwoImportsOfOneName(t *testing.T) {
	t.Parallel()
	_, err := shake("example", "./cmd", map[string]string{
		"cmd/a.go": "package main\n\nimport \"text/template\"\n\nfunc main() { _ = template.New; other() }\n",
		"cmd/b.go": "package main\n\nimport \"html/template\"\n\nfunc other() { _ = template.New }\n",
	}, nil)
	if err == nil || !strings.Contains(err.Error(), "template is") {
		t.Error(err)
	}
}
