package auth_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/auth"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// keys is an authenticator that knows two keys, one of them token's.
func keys(token string, change func(*auth.Key)) auth.Authenticator {
	k := auth.Key{ID: "ci", SHA256: auth.Hash(token), Verbs: []auth.Verb{auth.Read}, Prefixes: []string{"reports/"}}
	if change != nil {
		change(&k)
	}
	r, err := auth.NewKeyring([]auth.Key{{ID: "other", SHA256: auth.Hash(auth.NewToken()), Verbs: auth.Verbs(), Prefixes: []string{""}}, k})
	if err != nil {
		panic(err)
	}
	return auth.Authenticator{Keys: func() auth.Keyring { return r }}
}

func TestAKeyIsItsCaller(t *testing.T) {
	t.Parallel()
	token := auth.NewToken()
	for name, change := range map[string]func(*auth.Key){
		"as it is":                   nil,
		"hash in upper case":         func(k *auth.Key) { k.SHA256 = strings.ToUpper(k.SHA256) },
		"a second before it expires": func(k *auth.Key) { k.Expires = now.Add(time.Second) },
	} {
		for _, header := range []string{"Bearer " + token, "bearer " + token, "BEARER  " + token} {
			caller, err := keys(token, change).Authenticate(t.Context(), []string{header}, now)
			if err != nil || caller.ID != "ci" {
				t.Errorf("%s: %q: %+v, %v", name, header, caller, err)
			}
		}
	}
}

func TestWhoIsNobodyIsToldWhy(t *testing.T) {
	t.Parallel()
	token := auth.NewToken()
	for _, tt := range []struct {
		name, header, reason string
		expires              time.Time
	}{
		{name: "another token", header: "Bearer " + auth.NewToken(), reason: "not known"},
		{name: "expired", header: "Bearer " + token, reason: "expired at 2026-01-02T03:04:05Z", expires: now},
		{name: "cut", header: "Bearer " + token[:len(token)-1], reason: "form of one"},
		{name: "not base64", header: "Bearer " + token[:len(token)-1] + "=", reason: "form of one"},
		{name: "another scheme", header: "Basic dXNlcjpwYXNz", reason: "Bearer <key>"},
		{name: "no token", header: "Bearer", reason: "is not a token"},
		{name: "a blank", header: "Bearer ", reason: "is not a token"},
		{name: "two tokens", header: "Bearer a b", reason: "is not a token"},
		{name: "a line break", header: "Bearer a\r\nb", reason: "is not a token"},
		{name: "far too long", header: "Bearer " + strings.Repeat("a", 9000), reason: "too long"},
	} {
		_, err := keys(token, func(k *auth.Key) { k.Expires = tt.expires }).Authenticate(t.Context(), []string{tt.header}, now)
		var invalid *auth.InvalidError
		if !errors.As(err, &invalid) || !strings.Contains(invalid.Reason, tt.reason) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.reason)
		}
		if err != nil && strings.Contains(err.Error(), token) {
			t.Errorf("%s: the message holds the token", tt.name)
		}
	}
	for name, headers := range map[string][]string{"no header": nil, "an empty header": {""}} {
		if _, err := keys(token, nil).Authenticate(t.Context(), headers, now); !errors.Is(err, auth.ErrMissing) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var invalid *auth.InvalidError
	if _, err := keys(token, nil).Authenticate(t.Context(), []string{"Bearer " + token, "Bearer " + token}, now); !errors.As(err, &invalid) {
		t.Errorf("two headers: %v", err)
	}
}

func TestACallerMayDoItsVerbsUnderItsPrefixes(t *testing.T) {
	t.Parallel()
	c := auth.Caller{ID: "ci", Grants: []auth.Grant{
		{Verbs: []auth.Verb{auth.List, auth.Read}, Prefixes: []string{"reports/", "a"}},
		{Verbs: []auth.Verb{auth.Write}, Prefixes: []string{"inbox/"}},
	}}
	for _, tt := range []struct {
		verb auth.Verb
		name string
		want bool
	}{
		{auth.Read, "reports/2026.pdf", true},
		{auth.Read, "abc", true},
		{auth.Read, "reports", false},
		{auth.Read, "Reports/2026.pdf", false},
		{auth.Read, "x/reports/2026.pdf", false},
		{auth.Write, "reports/2026.pdf", false},
		{auth.Write, "inbox/1", true},
		{auth.Read, "inbox/1", false},
		{auth.Delete, "abc", false},
		{auth.List, "reports/", true},
		{auth.List, "reports/2026", true},
		{auth.List, "report", false},
		{auth.List, "", false},
	} {
		err := c.May(tt.verb, tt.name)
		var forbidden *auth.ForbiddenError
		if tt.want != (err == nil) || err != nil && !errors.As(err, &forbidden) {
			t.Errorf("%s %q: %v", tt.verb, tt.name, err)
		}
	}
	for _, v := range auth.Verbs() {
		if err := auth.Anyone().May(v, ""); err != nil {
			t.Error(err)
		}
	}
}

func TestAKeyringThatDoesNotMeanWhatItSaysIsRefused(t *testing.T) {
	t.Parallel()
	hash := strings.Repeat("0a", 32)
	for name, tt := range map[string]struct{ text, want string }{
		"not JSON":         {`{`, "read keys"},
		"two documents":    {`{"keys":[]}{}`, "more than one"},
		"half of another":  {`{"keys":[]}]`, "more than one"},
		"no list":          {`{}`, `"keys" is missing`},
		"null":             {`null`, `"keys" is missing`},
		"mistyped expires": {`{"keys":[{"id":"a","sha256":"` + hash + `","verbs":["read"],"prefixes":[""],"expire":"2026-01-01T00:00:00Z"}]}`, `"expire"`},
		"id":               {`{"keys":[{"id":"a b","sha256":"` + hash + `","verbs":["read"],"prefixes":[""]}]}`, `id "a b"`},
		"everybody's id":   {`{"keys":[{"id":"anyone","sha256":"` + hash + `","verbs":["read"],"prefixes":[""]}]}`, "give the key another"},
		"hash":             {`{"keys":[{"id":"a","sha256":"0a","verbs":["read"],"prefixes":[""]}]}`, "64 hexadecimal"},
		"no verbs":         {`{"keys":[{"id":"a","sha256":"` + hash + `","prefixes":[""]}]}`, "verbs is empty"},
		"unknown verb":     {`{"keys":[{"id":"a","sha256":"` + hash + `","verbs":["own"],"prefixes":[""]}]}`, `verb "own"`},
		"prefix":           {`{"keys":[{"id":"a","sha256":"` + hash + `","verbs":["read"],"prefixes":["` + strings.Repeat("p", 1025) + `"]}]}`, "1024 bytes"},
		"no prefixes":      {`{"keys":[{"id":"a","sha256":"` + hash + `","verbs":["read"]}]}`, "prefixes is empty"},
		"hash twice": {`{"keys":[{"id":"a","sha256":"` + hash + `","verbs":["read"],"prefixes":[""]},
			{"id":"b","sha256":"` + strings.ToUpper(hash) + `","verbs":["read"],"prefixes":[""]}]}`, "another key's sha256"},
		"id twice": {`{"keys":[{"id":"a","sha256":"` + hash + `","verbs":["read"],"prefixes":[""]},
			{"id":"a","sha256":"` + hash + `","verbs":["read"],"prefixes":[""]}]}`, "another key's"},
	} {
		if _, err := auth.ParseKeyring([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	good := `{"keys":[{"id":"a","sha256":"` + hash + `","verbs":["read","list"],"prefixes":["x/"],"expires":"2027-01-01T00:00:00Z"}]}`
	r, err := auth.ParseKeyring([]byte(good))
	if err != nil || len(r.Keys()) != 1 || r.Keys()[0].Expires.Year() != 2027 {
		t.Errorf("%+v, %v", r.Keys(), err)
	}
	if text, err := json.Marshal(r); err != nil || string(text) != good {
		t.Errorf("written as %s, %v", text, err)
	}
	if text, err := json.Marshal(auth.Keyring{}); err != nil || string(text) != `{"keys":[]}` {
		t.Errorf("none are written as %s, %v", text, err)
	}
}

func TestTokensDiffer(t *testing.T) {
	t.Parallel()
	a, b := auth.NewToken(), auth.NewToken()
	if a == b || len(a) != len("cst_")+43 || !strings.HasPrefix(a, "cst_") {
		t.Errorf("%s, %s", a, b)
	}
}

// FuzzParseKeyring holds that what is read has only keys that could be used, and
// is read again as it is written.
func FuzzParseKeyring(f *testing.F) {
	hash := auth.Hash("a")
	for _, s := range []string{``, `null`, `{}`, `{"keys":[]}`, `{"keys":[{"id":"a","sha256":"` + hash + `","verbs":["read"],"prefixes":["x/"],"expires":"2027-01-01T00:00:00Z"}]}`,
		`{"keys":[{"id":"a","sha256":"","verbs":[],"prefixes":["\ud800"]}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := auth.ParseKeyring(text)
		if err != nil {
			if len(r.Keys()) != 0 {
				t.Fatalf("%v, with %+v", err, r.Keys())
			}
			return
		}
		for _, k := range r.Keys() {
			if err := k.Validate(); err != nil {
				t.Fatal(err)
			}
		}
		once, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		again, err := auth.ParseKeyring(once)
		if err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		if twice, err := json.Marshal(again); err != nil || !bytes.Equal(twice, once) {
			t.Fatalf("%s is read as %s, %v", once, twice, err)
		}
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	var all []auth.Key
	token := ""
	for i := range 100 {
		token = auth.NewToken()
		all = append(all, auth.Key{ID: strconv.Itoa(i), SHA256: auth.Hash(token), Verbs: auth.Verbs(), Prefixes: []string{""}})
	}
	r, err := auth.NewKeyring(all)
	if err != nil {
		b.Fatal(err)
	}
	a := auth.Authenticator{Keys: func() auth.Keyring { return r }}
	headers := []string{"Bearer " + token}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Authenticate(b.Context(), headers, now); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzBearer holds that whatever a header holds, what is taken from it is in it, is of one word, and is told apart
// from nothing.
func FuzzBearer(f *testing.F) {
	for _, s := range []string{"", "Bearer", "Bearer ", "bearer x", "Bearer a b", "Basic eA==", "Bearer \xff", "Bearer\tx", "Bearer " + auth.NewToken()} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		token, err := auth.Bearer(header)
		switch {
		case err != nil && token != "":
			t.Fatalf("%q: %q and %v", header, token, err)
		case errors.Is(err, auth.ErrMissing) != (header == ""):
			t.Fatalf("%q: %v", header, err)
		case err == nil && (token == "" || !strings.HasSuffix(header, " "+token) || strings.ContainsAny(token, " \t\r\n")):
			t.Fatalf("%q: token %q", header, token)
		}
	})
}
