package oidc

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cloudstorage/app/auth"
)

func TestAClaimsValues(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, raw string
		want      []string
	}{
		{"groups", `"a b"`, []string{"a b"}},
		{"groups", `["a b","c"]`, []string{"a b", "c"}},
		{"groups", `[]`, []string{}},
		{"scope", `"a  b"`, []string{"a", "b"}},
		{"scope", `["a","b"]`, []string{"a", "b"}},
		{"scp", `"a"`, []string{"a"}},
		{"groups", `["a",1]`, nil},
		{"groups", `1`, nil},
		{"groups", `true`, nil},
		{"groups", `{"a":"b"}`, nil},
		{"groups", ``, nil},
	} {
		if diff := cmp.Diff(tt.want, values(tt.name, json.RawMessage(tt.raw))); diff != "" {
			t.Errorf("%s %s: %s", tt.name, tt.raw, diff)
		}
	}
}

func TestAllRulesThatMatchAreGranted(t *testing.T) {
	t.Parallel()
	read := auth.Grant{Verbs: []auth.Verb{auth.Read}, Prefixes: []string{"a/"}}
	write := auth.Grant{Verbs: []auth.Verb{auth.Write}, Prefixes: []string{"b/"}}
	cfg := Config{Rules: []Rule{{"groups", "x", read}, {"groups", "y", write}, {"scope", "files", read}}}
	for text, want := range map[string][]auth.Grant{
		`{"groups":["y","x"]}`:           {read, write},
		`{"groups":"y","scope":"files"}`: {write, read},
		`{"groups":["X"]}`:               nil,
		`{"groups":["xy"],"group":"x"}`:  nil,
		`{}`:                             nil,
		`{"groups":null}`:                nil,
	} {
		var claims map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &claims); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, cfg.grants(claims)); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

// FuzzClaims holds that whatever a claim is, it grants only what it spells.
func FuzzClaims(f *testing.F) {
	for _, s := range []string{`"x"`, `["x","y"]`, `"a x"`, `null`, `{"x":"x"}`, `[["x"]]`, `"\u0078"`, ``} {
		f.Add("groups", s)
		f.Add("scope", s)
	}
	f.Fuzz(func(t *testing.T, name, raw string) {
		for _, v := range values(name, json.RawMessage(raw)) {
			var one string
			var list []string
			_ = json.Unmarshal([]byte(raw), &one)
			_ = json.Unmarshal([]byte(raw), &list)
			if v != one && !slices.Contains(list, v) && (!spaced(name) || !strings.Contains(one, v)) {
				t.Fatalf("%s %s has the value %q", name, raw, v)
			}
		}
	})
}
