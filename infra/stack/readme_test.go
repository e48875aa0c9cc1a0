package stack_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/stack"
)

func readme(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestTheReadmeShowsWhatIsTested(t *testing.T) {
	showsExample(t, "README.md", "example_test.go")
}

// showsExample holds that a page shows, to the letter, what stands between "// example:" and "// end of example" in a
// test file of this package, which compiles and runs.
func showsExample(t *testing.T, page, file string) {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(page)))
	if err != nil {
		t.Fatal(err)
	}
	_, example, found := strings.Cut(string(source), "// example:\n")
	example, _, closed := strings.Cut(example, "\n// end of example")
	if !found || !closed {
		t.Fatalf("%s marks no example", file)
	}
	if !strings.Contains(string(text), "```go\n"+strings.TrimSpace(example)+"\n```\n") {
		t.Errorf("%s does not show the example of %s as it is:\n%s", page, file, example)
	}
}

var (
	node = regexp.MustCompile(`(\w+)\["[^"]*?(aws_\w+)"\]`)
	edge = regexp.MustCompile(`(?m)^ *(\w+) --> (\w+)$`)
)

// The README's picture names resource types; each must be made by module02, and each arrow must be a reference or a
// dependency in what is synthesized.
func TestTheReadmesPictureIsOfWhatIsSynthesized(t *testing.T) {
	_, picture, found := strings.Cut(readme(t), "```mermaid\n")
	picture, _, closed := strings.Cut(picture, "```")
	if !found || !closed {
		t.Fatal("README.md has no mermaid picture")
	}
	stacks := shipped(t, stack.Target{})
	kinds := map[string]string{}
	for _, match := range node.FindAllStringSubmatch(picture, -1) {
		kinds[match[1]] = match[2]
		if len(resources(stacks, match[2])) == 0 {
			t.Errorf("%s is in the picture and in no stack of module02", match[2])
		}
	}
	edges := 0
	for _, match := range edge.FindAllStringSubmatch(picture, -1) {
		from, to := kinds[match[1]], kinds[match[2]]
		if from == "" || to == "" {
			continue // an arrow from or to a person or a file is not a resource's
		}
		edges++
		if !slices.ContainsFunc(resources(stacks, from), func(r template.Resource) bool {
			return strings.Contains(fmt.Sprint(r.Args), "${"+to+".") || strings.Contains(fmt.Sprint(r.Get("depends_on")), to+".")
		}) {
			t.Errorf("the picture's arrow from %s to %s is in no stack", from, to)
		}
	}
	if len(kinds) < 10 || edges < 8 {
		t.Errorf("the picture shows %d resource types and %d arrows between them: too few to be one", len(kinds), edges)
	}
}

func resources(stacks map[string]template.Template, kind string) []template.Resource {
	return slices.Concat(stacks["module02-storage"].Resources(kind), stacks["module02-api"].Resources(kind))
}
