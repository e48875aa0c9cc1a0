package httpfield_test

import (
	"testing"

	"cloudstorage/app/web/httpfield"
)

func TestOnlyWhoNamesTheTypeAndWantsNothingMoreGetsIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		accept []string
		want   bool
	}{
		{nil, false},
		{[]string{""}, false},
		{[]string{"*/*"}, false},
		{[]string{"application/*"}, false},
		{[]string{"application/json"}, true},
		{[]string{"Application/JSON"}, true},
		{[]string{"application/json;charset=utf-8"}, true},
		{[]string{"application/json, text/plain, */*"}, true},
		{[]string{"text/html", "application/json"}, true},
		{[]string{"application/json;q=0"}, false},
		{[]string{"application/json; Q=0.000"}, false},
		{[]string{"application/json;q=0.001"}, true},
		{[]string{"application/json;q=0.5, */*"}, false},
		{[]string{"application/json;q=0.5, */*;q=0.5"}, true},
		{[]string{"application/json;q=0.5, */*;q=0.4"}, true},
		{[]string{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, false},
		{[]string{"application/jsonp"}, false},
		{[]string{`text/plain;a="application/json,application/json", */*;q=0.1`}, false},
		{[]string{`text/plain;a="\",application/json`}, false},
		// What cannot be read is passed over.
		{[]string{"application/json;q=2"}, false},
		{[]string{"application/json;q=0.5555"}, false},
		{[]string{"application/json;q=1."}, true},
		{[]string{"application/json;q=1.001"}, false},
		{[]string{"application/json, text/plain;q=high"}, true},
		{[]string{",, application/json ,"}, true},
	} {
		if got := httpfield.Prefers(tt.accept, "application/json"); got != tt.want {
			t.Errorf("%q: %t, want %t", tt.accept, got, tt.want)
		}
	}
}

func FuzzAccept(f *testing.F) {
	for _, seed := range []string{"", "*/*", "application/json;q=0.5, */*", `text/plain;a="\",b";q=1`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		if httpfield.Prefers([]string{accept}, "application/json") && !httpfield.Prefers([]string{accept, "application/json"}, "application/json") {
			t.Errorf("%q: naming the type once more turns it down", accept)
		}
		if httpfield.Prefers([]string{accept}, "not/named-by-any-seed") && len(accept) < len("not/named-by-any-seed") {
			t.Errorf("%q names a longer type", accept)
		}
	})
}
