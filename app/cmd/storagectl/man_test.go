package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestTheManualHasAPageForEveryCommandAndIsReproducible(t *testing.T) {
	t.Parallel()
	first, second := manual(t, "1700000000"), manual(t, "1700000000")
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
		for _, want := range []string{".SH NAME", cmd.Short, ".SH EXAMPLE", "Nov 2023"} {
			if !strings.Contains(first[name], want) {
				t.Errorf("%s lacks %q:\n%s", name, want, first[name])
			}
		}
		if first[name] != second[name] {
			t.Errorf("%s is another the second time", name)
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(program{}.root(new(bool)))
	if name := "storagectl.1"; manual(t, "1600000000")[name] == first[name] {
		t.Errorf("%s does not hold the date that SOURCE_DATE_EPOCH says", name)
	}
}

func TestTheManualRefusesADateThatIsNone(t *testing.T) {
	t.Parallel()
	p := where{env: map[string]string{"SOURCE_DATE_EPOCH": "yesterday"}}
	if got := p.run(t, "man", "--to", t.TempDir()); got.code != exitUsage || !strings.Contains(got.stderr, `SOURCE_DATE_EPOCH "yesterday"`) {
		t.Errorf("%+v", got)
	}
}

// manual returns the pages by their files' names.
func manual(t *testing.T, epoch string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	if got := (where{env: map[string]string{"SOURCE_DATE_EPOCH": epoch}}).run(t, "man", "--to", dir); got.code != exitDone || got.stdout+got.stderr != "" {
		t.Fatalf("%+v", got)
	}
	pages := map[string]string{}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		pages[f.Name()] = string(text)
	}
	return pages
}
