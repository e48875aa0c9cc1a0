package config

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestEveryKeyIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/environments.md")
	if err != nil {
		t.Fatal(err)
	}
	environment, account, found := strings.Cut(string(text), "\n## account.yaml\n")
	if !found {
		t.Fatal("docs/environments.md has no section account.yaml")
	}
	for section, of := range map[string]struct {
		text string
		keys []string
	}{
		"An environment": {environment, keysOf(reflect.TypeFor[Environment](), "")},
		"account.yaml":   {account, keysOf(reflect.TypeFor[Account](), "")},
	} {
		for _, key := range of.keys {
			if !strings.Contains(of.text, "\n| `"+key+"` |") {
				t.Errorf("docs/environments.md, section %s, has no row for %s", section, key)
			}
		}
	}
}

// keysOf are the paths of a struct's keys, sections included.
func keysOf(t reflect.Type, path string) []string {
	switch {
	case t == durationType || t == prefixType || t == timeType:
		return nil
	case t.Kind() == reflect.Pointer:
		return keysOf(t.Elem(), path)
	case t.Kind() == reflect.Slice:
		return keysOf(t.Elem(), path+"[]")
	case t.Kind() != reflect.Struct:
		return nil
	}
	var keys []string
	for i := range t.NumField() {
		field := t.Field(i)
		if tag := field.Tag.Get("yaml"); tag != "" && tag != "-" {
			key := join(path, tag)
			keys = append(append(keys, key), keysOf(field.Type, key)...)
		}
	}
	return keys
}
