package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"cloudstorage/app/auth"
)

// pasted is what the environment file gets.
type pasted struct {
	ID, SHA256 string
	Verbs      []auth.Verb
	Prefixes   []string
	Expires    time.Time
}

// newKey runs key new and returns the key, the entry that its lines give, and
// the sentence before them.
func newKey(t *testing.T, args ...string) (key string, entry auth.Key, sentence string) {
	t.Helper()
	got := where{}.run(t, append([]string{"key", "new"}, args...)...)
	sentence, lines, found := strings.Cut(got.stderr, ":\n\n")
	if got.code != exitDone || !found {
		t.Fatalf("%+v", got)
	}
	key = strings.TrimSuffix(got.stdout, "\n")
	if strings.ContainsAny(key, " \n") || strings.Contains(got.stderr, key) {
		t.Errorf("standard output is %q and standard error %q: the key belongs into the first alone", got.stdout, got.stderr)
	}
	var file struct{ API struct{ Keys []pasted } }
	if err := yaml.UnmarshalWithOptions([]byte("api:\n  keys:\n"+lines), &file, yaml.Strict()); err != nil || len(file.API.Keys) != 1 {
		t.Fatalf("%v in %s", err, lines)
	}
	return key, auth.Key(file.API.Keys[0]), sentence
}

// caller is who has the key, where the keyring has the entry.
func caller(t *testing.T, key string, entry auth.Key) auth.Caller {
	t.Helper()
	ring, err := auth.NewKeyring([]auth.Key{entry})
	if err != nil {
		t.Fatal(err)
	}
	c, err := ring.Authenticate(key, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestANewKeyIsWhatTheEnvironmentFileLetsIn(t *testing.T) {
	t.Parallel()
	key, entry, sentence := newKey(t, "--id", "007", "--verbs", "list,write", "--prefix", "reports/", "--prefix", `a "b": #c, <d>`, "--expires", "2099-01-31")
	if want := `Key 007 may list, write below ["reports/","a \"b\": #c, <d>"] and ends at 2099-01-31T00:00:00Z.`; !strings.HasPrefix(sentence, want) {
		t.Errorf("%s, want %s", sentence, want)
	}
	c := caller(t, key, entry)
	if c.ID != "007" || !entry.Expires.Equal(time.Date(2099, 1, 31, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", entry)
	}
	for _, name := range []string{"reports/1", `a "b": #c, <d>`} {
		if err := c.May(auth.Write, name); err != nil {
			t.Error(err)
		}
	}
	if c.May(auth.Write, "other") == nil || c.May(auth.Read, "reports/1") == nil {
		t.Error("it may more than it was given")
	}
}

func TestANewKeyReadsAndListsEverywhereUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
	key, entry, sentence := newKey(t, "--id", "ci")
	if !strings.HasPrefix(sentence, "Key ci may read, list everywhere and never ends.") {
		t.Error(sentence)
	}
	c := caller(t, key, entry)
	for verb, may := range map[auth.Verb]bool{auth.List: true, auth.Read: true, auth.Write: false, auth.Delete: false} {
		if err := c.May(verb, "a/b"); (err == nil) != may {
			t.Errorf("%s: %v", verb, err)
		}
	}
}

func TestANewKeyAsJSONIsAKeyringsEntry(t *testing.T) {
	t.Parallel()
	first := where{}.run(t, "key", "new", "--json", "--id", "ci", "--verbs", "write")
	second := where{}.run(t, "key", "new", "--json", "--id", "ci", "--verbs", "write")
	if first.code != exitDone || first.stderr != "" || first.stdout == second.stdout {
		t.Fatalf("%+v", first)
	}
	var result struct {
		Key   string
		Entry json.RawMessage
	}
	if err := json.Unmarshal([]byte(first.stdout), &result); err != nil {
		t.Fatal(err)
	}
	keyring, err := auth.ParseKeyring(fmt.Appendf(nil, `{"keys":[%s]}`, result.Entry))
	if err != nil {
		t.Fatalf("%v in %s", err, first.stdout)
	}
	if c, err := keyring.Authenticate(result.Key, time.Now()); err != nil || c.May(auth.Write, "anything") != nil {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestAKeyThatWouldNotBeWhatWasMeantIsAFaultOfTheLine(t *testing.T) {
	t.Parallel()
	for says, args := range map[string][]string{
		"say key new":           {},
		`unknown command "old"`: {"old"},
		`id ""`:                 {"new"},
		`id "a b"`:              {"new", "--id", "a b"},
		`verb "own"`:            {"new", "--id", "a", "--verbs", "own"},
		"verbs is empty":        {"new", "--id", "a", "--verbs", ""},
		"give hours or days":    {"new", "--id", "a", "--expires", "soon"},
		"has passed":            {"new", "--id", "a", "--expires", "2020-01-01"},
		`"-1d" has passed`:      {"new", "--id", "a", "--expires=-1d"},
		`"9999999d": give`:      {"new", "--id", "a", "--expires", "9999999d"},
		"not up to 1024 bytes":  {"new", "--id", "a", "--prefix", strings.Repeat("p", 1025)},
	} {
		where{}.run(t, append([]string{"key"}, args...)...).wantFailure(t, exitUsage, says)
	}
}

func TestAKeysEnd(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	for text, want := range map[string]string{
		"720h":                      "2026-02-01T03:04:05Z",
		"90d":                       "2026-04-02T03:04:05Z",
		"1d":                        "2026-01-03T03:04:05Z",
		"2026-01-03":                "2026-01-03T00:00:00Z",
		"2026-01-02T05:00:00+01:00": "2026-01-02T04:00:00Z",
	} {
		if got, err := parseExpiry(text, now); err != nil || got.Format(time.RFC3339Nano) != want {
			t.Errorf("%s: %s, %v, want %s", text, got, err, want)
		}
	}
}
