package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"cloudstorage/app/auth"
)

func TestANewKeyIsShownOnceWithWhatTheEnvironmentFileNeeds(t *testing.T) {
	t.Parallel()
	args := []string{"key", "new", "--id", "007", "--verbs", "list,read", "--prefix", "reports/", "--prefix", `a "b": #c, <d>`, "--expires", "2099-01-31"}
	got := where{}.run(t, args...)
	parts := regexp.MustCompile(`(?s)^Token, shown this once: (\S+)\nSHA-256: (\S+)\n\nAdd to api.keys in the environment file:\n(.*)$`).FindStringSubmatch(got.stdout)
	if got.code != exitDone || got.stderr != "" || parts == nil {
		t.Fatalf("%+v", got)
	}
	if parts[2] != auth.Hash(parts[1]) || strings.Count(got.stdout, parts[1]) != 1 {
		t.Errorf("token %s with the hash %s, in %s", parts[1], parts[2], got.stdout)
	}
	var pasted struct {
		API struct {
			Keys []struct {
				ID, SHA256 string
				Verbs      []auth.Verb
				Prefixes   []string
				Expires    time.Time
			}
		}
	}
	if err := yaml.UnmarshalWithOptions([]byte("api:\n  keys:\n"+parts[3]), &pasted, yaml.Strict()); err != nil || len(pasted.API.Keys) != 1 {
		t.Fatalf("%v in %s", err, parts[3])
	}
	key := auth.Key(pasted.API.Keys[0])
	keyring, err := auth.NewKeyring([]auth.Key{key})
	if err != nil {
		t.Fatal(err)
	}
	caller, err := keyring.Authenticate(parts[1], time.Now())
	if err != nil || caller.ID != "007" || !key.Expires.Equal(time.Date(2099, 1, 31, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v, %v", key, err)
	}
	for _, name := range []string{"reports/1", `a "b": #c, <d>`} {
		if err := caller.May(auth.Read, name); err != nil {
			t.Error(err)
		}
	}
}

func TestANewKeyAsJSONIsAKeyringsEntry(t *testing.T) {
	t.Parallel()
	first := where{}.run(t, "key", "new", "--json", "--id", "ci", "--verbs", "write", "--prefix", "")
	second := where{}.run(t, "key", "new", "--json", "--id", "ci", "--verbs", "write", "--prefix", "")
	if first.code != exitDone || first.stdout == second.stdout {
		t.Fatalf("%+v", first)
	}
	var result struct {
		Token string
		Key   json.RawMessage
	}
	if err := json.Unmarshal([]byte(first.stdout), &result); err != nil {
		t.Fatal(err)
	}
	keyring, err := auth.ParseKeyring(fmt.Appendf(nil, `{"keys":[%s]}`, result.Key))
	if err != nil {
		t.Fatalf("%v in %s", err, first.stdout)
	}
	if caller, err := keyring.Authenticate(result.Token, time.Now()); err != nil || caller.May(auth.Write, "anything") != nil {
		t.Errorf("%+v, %v", caller, err)
	}
}

func TestAKeyThatWouldNotBeWhatWasMeantIsAFaultOfTheLine(t *testing.T) {
	t.Parallel()
	for says, args := range map[string][]string{
		"say key new":           {},
		`unknown command "old"`: {"old"},
		`prefixes is empty`:     {"new"},
		`id "a b"`:              {"new", "--id", "a b", "--verbs", "read", "--prefix", ""},
		`verb "own"`:            {"new", "--id", "a", "--verbs", "own", "--prefix", ""},
		"verbs is empty":        {"new", "--id", "a", "--verbs", "", "--prefix", ""},
		"give days":             {"new", "--id", "a", "--verbs", "read", "--prefix", "", "--expires", "soon"},
		"has passed":            {"new", "--id", "a", "--verbs", "read", "--prefix", "", "--expires", "2020-01-01"},
		`"-1d" has passed`:      {"new", "--id", "a", "--verbs", "read", "--prefix", "", "--expires=-1d"},
		`"9999999d": give`:      {"new", "--id", "a", "--verbs", "read", "--prefix", "", "--expires", "9999999d"},
		"not up to 1024 bytes":  {"new", "--id", "a", "--verbs", "read", "--prefix", strings.Repeat("p", 1025)},
	} {
		where{}.run(t, append([]string{"key"}, args...)...).wantFailure(t, exitUsage, says)
	}
}

func TestAKeysEnd(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	for text, want := range map[string]string{
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
