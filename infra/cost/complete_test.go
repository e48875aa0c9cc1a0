package cost

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// goldens are the stacks that the project ships, as they go to AWS; infra/stack's tests keep them true.
func goldens(t *testing.T) []Stack {
	t.Helper()
	files, err := filepath.Glob("../stack/testdata/aws/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden stacks: %v", err)
	}
	var stacks []Stack
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := ParseStack(strings.TrimSuffix(filepath.Base(file), ".json"), text)
		if err != nil {
			t.Fatal(err)
		}
		stacks = append(stacks, s)
	}
	return stacks
}

func shippedPrices(t *testing.T) Prices {
	t.Helper()
	p, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEveryShippedResourceHasAPriceOrIsFreeForAReason(t *testing.T) {
	t.Parallel()
	for _, s := range goldens(t) {
		if _, err := Of(s.Name, shippedPrices(t), s); err != nil {
			t.Error(err)
		}
	}
	for kind, reason := range free {
		if rules[kind] != nil {
			t.Errorf("%s has a price and is free", kind)
		}
		if reason == "" {
			t.Errorf("%s is free without a reason", kind)
		}
	}
}

// binding is how a construct comes by a resource type: the package of the provider's bindings that makes it.
var binding = regexp.MustCompile(`"github\.com/cdktf/cdktf-provider-aws-go/aws/v\d+/(\w+)"`)

// What no shipped environment chooses is in no golden file; the constructs' imports name it all the same.
func TestEveryResourceThatAChoiceCanBringHasAPriceOrIsFree(t *testing.T) {
	t.Parallel()
	var known []string
	for kind := range rules {
		known = append(known, bindingOf(kind))
	}
	for kind := range free {
		known = append(known, bindingOf(kind))
	}
	imports := 0
	for _, file := range sources(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range binding.FindAllStringSubmatch(string(text), -1) {
			name := found[1]
			if name == "provider" || strings.HasPrefix(name, "dataaws") {
				continue // reading costs nothing
			}
			imports++
			if !slices.Contains(known, name) {
				t.Errorf("%s makes %s, which has no price and is not free: see infra/cost/rules.go", file, name)
			}
		}
	}
	if imports < 20 {
		t.Errorf("only %d imports found: the constructs are elsewhere", imports)
	}
}

// bindingOf is a resource type's package in the bindings: aws_lb_listener is in lblistener.
func bindingOf(kind string) string {
	return strings.ReplaceAll(strings.TrimPrefix(kind, "aws_"), "_", "")
}

func sources(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, pattern := range []string{"../*/*.go", "../*/*/*.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			if !strings.HasSuffix(file, "_test.go") {
				files = append(files, file)
			}
		}
	}
	return files
}

var readmeRow = regexp.MustCompile("(?m)^\\| `(\\w+)` \\|.*\\| ([0-9.]+)(?: USD)? \\|$")

func TestTheReadmeSaysWhatEachEnvironmentCosts(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, row := range readmeRow.FindAllStringSubmatch(string(readme), -1) {
		said[row[1]] = row[2]
	}
	environments := map[string][]Stack{}
	for _, s := range goldens(t) {
		if name, _, ok := strings.Cut(s.Name, "-"); ok {
			environments[name] = append(environments[name], s)
		}
	}
	for name, stacks := range environments {
		e, err := Of(name, shippedPrices(t), stacks...)
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("%.2f", e.TotalUSD)
		if name == "local" {
			want = "0" // it never leaves this machine
		}
		if said[name] != want {
			t.Errorf("%s costs %s a month, README.md says %q", name, want, said[name])
		}
	}
	for name := range said {
		if environments[name] == nil {
			t.Errorf("README.md says what %s costs, which has no golden stacks", name)
		}
	}
}

func TestEveryPriceIsCompleteAndUsed(t *testing.T) {
	t.Parallel()
	p := shippedPrices(t)
	check := func(name string, price Price) {
		if price.USD <= 0 || price.Unit == "" || !strings.HasPrefix(price.Source, "https://aws.amazon.com/") {
			t.Errorf("%s is not complete: %+v", name, price)
		}
	}
	all := reflect.ValueOf(p)
	for i := range all.NumField() {
		if price, ok := all.Field(i).Interface().(Price); ok {
			check(all.Type().Field(i).Name, price)
			if !slices.Contains([]string{unitHour, unitMonth, unitGBMonth}, price.Unit) {
				t.Errorf("%s has the unit %q, which a month's total cannot hold", all.Type().Field(i).Name, price.Unit)
			}
		}
	}
	for name, usd := range p.Instances.USD {
		check(name, Price{USD: usd, Unit: unitHour, Source: p.Instances.Source})
	}
	for _, price := range p.Usage.all() {
		check(price.What, price)
		if price.What == "" {
			t.Errorf("a price by use has no words: %+v", price)
		}
	}
	if shown, fields := len(p.Usage.all()), reflect.TypeFor[Usage]().NumField(); shown != fields {
		t.Errorf("%d prices by use are shown, %d are there", shown, fields)
	}
	if p.Region == "" || p.Published == "" || p.Hours != 730 {
		t.Errorf("%q %q %v", p.Region, p.Published, p.Hours)
	}
}
