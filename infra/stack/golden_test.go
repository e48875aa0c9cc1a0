package stack_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cloudstorage/infra/stack"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestEveryStackIsWhatItsGoldenFileSays(t *testing.T) {
	for kind, target := range map[string]stack.Target{"aws": {}, "emulator": {Emulator: true}} {
		stacks := shipped(t, target)
		for _, name := range slices.Sorted(maps.Keys(stacks)) {
			t.Run(kind+"/"+name, func(t *testing.T) {
				got := withoutMetadata(t, stacks[name].Value("resource"), stacks[name].Value("data"), stacks[name].Value("output"),
					stacks[name].Value("provider"), stacks[name].Value("terraform"))
				file := filepath.Join("testdata", kind, name+".json")
				if *update {
					if err := os.WriteFile(file, got, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), string(got)); diff != "" {
					t.Errorf("run `go test ./infra/stack -update` if this is meant:\n%s", diff)
				}
			})
		}
	}
}

// withoutMetadata renders sections for a reader: without cdktf's comments and without arguments that say nothing.
func withoutMetadata(t *testing.T, sections ...any) []byte {
	t.Helper()
	names := []string{"resource", "data", "output", "provider", "terraform"}
	root := map[string]any{}
	for i, section := range sections {
		if section != nil {
			root[names[i]] = clean(section)
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(root); err != nil {
		t.Fatal(err)
	}
	return unreadable.ReplaceAll(text.Bytes(), []byte("$1…$2"))
}

// unreadable is what no reviewer reads and bootstrap's own golden files show: compressed user-data, and the launch
// template's name that follows from it. A new Go may compress differently, which is no change of a stack.
var unreadable = regexp.MustCompile(`("user_data(?:_base64)?": "|-lt-)[A-Za-z0-9+/=]+(")`)

func clean(node any) any {
	switch typed := node.(type) {
	case map[string]any:
		kept := map[string]any{}
		for key, each := range typed {
			if key != "//" && each != nil {
				kept[key] = clean(each)
			}
		}
		return kept
	case []any:
		kept := make([]any, len(typed))
		for i, each := range typed {
			kept[i] = clean(each)
		}
		return kept
	}
	return node
}
