// Package template reads synthesized Terraform in tests: resources by type, properties, references and outputs.
package template

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/provider"
	"github.com/hashicorp/terraform-cdk-go/cdktf"
)

// Template is one stack's Terraform.
type Template struct {
	t    testing.TB
	root map[string]any

	// Dir is the folder that Terraform would run in, until the test ends.
	Dir string
	// Dependencies are the names of the stacks that come before this one.
	Dependencies []string
}

// Resource is one resource or data source: its address and its arguments.
type Resource struct {
	t       testing.TB
	Address string // such as aws_vpc.network_vpc_1234
	Args    map[string]any
}

// Synth makes an app, lets build fill it, and reads the stacks that it writes, by name.
func Synth(t testing.TB, build func(app cdktf.App)) map[string]Template {
	t.Helper()
	outdir := t.TempDir()
	app := cdktf.NewApp(&cdktf.AppConfig{Outdir: jsii.String(outdir)})
	build(app)
	app.Synth()
	files, err := filepath.Glob(filepath.Join(outdir, "stacks", "*", "cdk.tf.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("nothing was synthesized: %v", err)
	}
	var manifest struct {
		Stacks map[string]struct{ Dependencies []string }
	}
	read(t, filepath.Join(outdir, "manifest.json"), &manifest)
	stacks := map[string]Template{}
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file))
		stack := Template{t: t, Dir: filepath.Dir(file), Dependencies: manifest.Stacks[name].Dependencies}
		read(t, file, &stack.root)
		stacks[name] = stack
	}
	return stacks
}

func read(t testing.TB, file string, into any) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// One synthesizes a single stack that build fills.
func One(t testing.TB, build func(stack cdktf.TerraformStack)) Template {
	t.Helper()
	return Synth(t, func(app cdktf.App) {
		stack := cdktf.NewTerraformStack(app, jsii.String("test"))
		provider.NewAwsProvider(stack, jsii.String("aws"), &provider.AwsProviderConfig{})
		build(stack)
	})["test"]
}

// Value is what stands at path, keys and indices separated by dots; nil where nothing does.
func (t Template) Value(path string) any { return value(t.root, path) }

// Resources are all resources of kind, in the order of their addresses.
func (t Template) Resources(kind string) []Resource { return t.section("resource", kind) }

// Data are all data sources of kind.
func (t Template) Data(kind string) []Resource { return t.section("data", kind) }

// All are all resources of every kind.
func (t Template) All() []Resource {
	var found []Resource
	kinds, _ := t.root["resource"].(map[string]any)
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		found = append(found, t.Resources(kind)...)
	}
	return found
}

// Only is the one resource of kind; the test fails where there are none or more.
func (t Template) Only(kind string) Resource {
	t.t.Helper()
	found := t.Resources(kind)
	if len(found) != 1 {
		t.t.Fatalf("%d resources of %s, want 1", len(found), kind)
	}
	return found[0]
}

// Output is an output's value.
func (t Template) Output(name string) any { return t.Value("output." + name + ".value") }

func (t Template) section(section, kind string) []Resource {
	named, _ := value(t.root, section+"."+kind).(map[string]any)
	found := make([]Resource, 0, len(named))
	for _, name := range slices.Sorted(maps.Keys(named)) {
		args, _ := named[name].(map[string]any)
		address := kind + "." + name
		if section == "data" {
			address = "data." + address
		}
		found = append(found, Resource{t: t.t, Address: address, Args: args})
	}
	return found
}

// Get is what stands at path in the resource; nil where nothing does.
func (r Resource) Get(path string) any { return value(r.Args, path) }

// Wants fails the test for each path whose value is not, as text, what is wanted. An array of one counts as its entry.
func (r Resource) Wants(want map[string]string) {
	r.t.Helper()
	for _, path := range slices.Sorted(maps.Keys(want)) {
		if got := fmt.Sprint(r.Get(path)); got != want[path] {
			r.t.Errorf("%s: %s is %s, want %s", r.Address, path, got, want[path])
		}
	}
}

// DependsOn reports whether the resource names other among its explicit dependencies.
func (r Resource) DependsOn(other Resource) bool {
	list, _ := r.Get("depends_on").([]any)
	return slices.Contains(list, any(other.Address))
}

// Ref is how other resources refer to an attribute of this one.
func (r Resource) Ref(attribute string) string { return "${" + r.Address + "." + attribute + "}" }

// Tags are the resource's tags; those of an Auto Scaling group stand in blocks.
func (r Resource) Tags() map[string]string {
	tags := map[string]string{}
	if plain, ok := r.Get("tags").(map[string]any); ok {
		for key, each := range plain {
			tags[key] = fmt.Sprint(each)
		}
	}
	blocks, _ := r.Get("tag").([]any)
	for _, block := range blocks {
		tags[fmt.Sprint(value(block, "key"))] = fmt.Sprint(value(block, "value"))
	}
	return tags
}

func value(node any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		if list, ok := node.([]any); ok {
			var index int
			if _, err := fmt.Sscanf(key, "%d", &index); err == nil {
				if index >= len(list) {
					return nil
				}
				node = list[index]
				continue
			}
			if len(list) != 1 {
				return nil
			}
			node = list[0]
		}
		object, ok := node.(map[string]any)
		if !ok {
			return nil
		}
		node = object[key]
	}
	return node
}
