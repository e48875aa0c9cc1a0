package httpfield_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/web/httpfield"
)

// fields makes a header of "Name: value".
func fields(all ...string) http.Header {
	h := http.Header{}
	for _, f := range all {
		name, value, _ := strings.Cut(f, ": ")
		h.Add(name, value)
	}
	return h
}

const (
	etag   = `"abc-2"`
	before = "Sun, 01 Mar 2026 11:59:59 GMT"
	when   = "Sun, 01 Mar 2026 12:00:00 GMT"
	after  = "Sun, 01 Mar 2026 12:00:01 GMT"
)

var modified = time.Date(2026, 3, 1, 12, 0, 0, 999, time.UTC)

func TestConditionsAreEvaluatedInTheOrderOfRFC9110(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		fields []string
		want   httpfield.Outcome
	}{
		{nil, httpfield.Proceed},
		{[]string{`If-Match: "abc-2"`}, httpfield.Proceed},
		{[]string{`If-Match: "a,b" , "abc-2"`}, httpfield.Proceed},
		{[]string{`If-Match: "a"`, `If-Match: "abc-2"`}, httpfield.Proceed},
		{[]string{`If-Match: *`}, httpfield.Proceed},
		{[]string{`If-Match: "abc"`}, httpfield.Failed},
		{[]string{`If-Match: W/"abc-2"`}, httpfield.Failed},
		{[]string{`If-None-Match: "abc-2"`}, httpfield.NotModified},
		{[]string{`If-None-Match: ,, "x", W/"abc-2",`}, httpfield.NotModified},
		{[]string{`If-None-Match: *`}, httpfield.NotModified},
		{[]string{`If-None-Match: "x"`}, httpfield.Proceed},
		{[]string{`If-Match: "x"`, `If-None-Match: "abc-2"`}, httpfield.Failed},
		{[]string{`If-Match: "abc-2"`, `If-None-Match: "abc-2"`}, httpfield.NotModified},

		{[]string{"If-Modified-Since: " + before}, httpfield.Proceed},
		{[]string{"If-Modified-Since: " + when}, httpfield.NotModified},
		{[]string{"If-Modified-Since: " + after}, httpfield.NotModified},
		{[]string{"If-Unmodified-Since: " + before}, httpfield.Failed},
		{[]string{"If-Unmodified-Since: " + when}, httpfield.Proceed},
		{[]string{"If-Unmodified-Since: " + after}, httpfield.Proceed},
		{[]string{"If-Unmodified-Since: " + after, "If-Modified-Since: " + after}, httpfield.NotModified},
		// An ETag tells more than a date, which then does not count.
		{[]string{`If-None-Match: "x"`, "If-Modified-Since: " + after}, httpfield.Proceed},
		{[]string{`If-Match: "abc-2"`, "If-Unmodified-Since: " + before}, httpfield.Proceed},
		{[]string{"If-Modified-Since: yesterday"}, httpfield.Proceed},
		{[]string{"If-Unmodified-Since: 2026-03-01"}, httpfield.Proceed},
	} {
		got, err := httpfield.Check(fields(tt.fields...), etag, modified)
		if err != nil || got != tt.want {
			t.Errorf("%q: %d, %v; want %d", tt.fields, got, err, tt.want)
		}
	}
	if got, err := httpfield.Check(fields(`If-Match: W/"a"`), `W/"a"`, modified); err != nil || got != httpfield.Failed {
		t.Errorf("a weak ETag is taken for the very bytes: %d, %v", got, err)
	}
}

func TestAConditionThatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"", " ", ",", "abc", `"abc`, `abc"`, `"a" "b"`, `*, "a"`, `"a", *`, `w/"a"`, `W/a`, `W/`, "\"a b\"", "\"a\x7f\""} {
		for _, name := range []string{"If-Match", "If-None-Match"} {
			h := http.Header{name: {value}}
			if _, err := httpfield.Check(h, etag, modified); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %q is read: %v", name, value, err)
			}
			if _, _, err := httpfield.WriteCondition(h); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %q is read of a write: %v", name, value, err)
			}
		}
	}
}

func TestARangeCountsOnlyForTheVeryBytes(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{`"abc-2"`: true, ` "abc-2"`: true, `"x"`: false, `W/"abc-2"`: false, `"abc-2", "x"`: false, when: false, "": false} {
		if got := httpfield.InRange(http.Header{"If-Range": {value}}, etag); got != want {
			t.Errorf("If-Range: %q: %t, want %t", value, got, want)
		}
	}
	if !httpfield.InRange(nil, etag) {
		t.Error("without If-Range, a range does not count")
	}
	if httpfield.InRange(fields(`If-Range: W/"a"`), `W/"a"`) {
		t.Error("a weak ETag is taken for the very bytes")
	}
}

func TestAWriteTakesWhatTheStoreChecksAndRefusesTheRest(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		fields []string
		isNew  bool
		match  string
		fault  string
	}{
		{fields: nil},
		{fields: []string{"If-None-Match: *"}, isNew: true},
		{fields: []string{`If-Match: "a"`}, match: `"a"`},
		{fields: []string{`If-None-Match: "a"`}, fault: "only *"},
		{fields: []string{"If-Match: *"}, fault: "one strong ETag"},
		{fields: []string{`If-Match: "a", "b"`}, fault: "one strong ETag"},
		{fields: []string{`If-Match: W/"a"`}, fault: "one strong ETag"},
		{fields: []string{`If-Match: "a"`, "If-None-Match: *"}, fault: "contradict"},
		{fields: []string{"If-Unmodified-Since: " + when}, fault: "cannot check If-Unmodified-Since"},
		{fields: []string{"If-Modified-Since: " + when}}, // RFC 9110: for GET and HEAD only
	} {
		isNew, match, err := httpfield.WriteCondition(fields(tt.fields...))
		switch {
		case tt.fault == "" && (err != nil || isNew != tt.isNew || match != tt.match):
			t.Errorf("%q: %t, %q, %v", tt.fields, isNew, match, err)
		case tt.fault != "" && (err == nil || !strings.Contains(err.Error(), tt.fault)):
			t.Errorf("%q: %v, want %q", tt.fields, err, tt.fault)
		}
	}
}

func FuzzConditions(f *testing.F) {
	for _, seed := range []string{"", "*", `"a"`, `W/"a", "b"`, `,"a",,`, `"a"W/"b"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		match, noneMatch := http.Header{"If-Match": {value}}, http.Header{"If-None-Match": {value}}
		strong, err := httpfield.Check(match, etag, modified)
		weak, otherErr := httpfield.Check(noneMatch, etag, modified)
		if (err == nil) != (otherErr == nil) {
			t.Fatalf("%q: %v and %v", value, err, otherErr)
		}
		if err != nil {
			return
		}
		// What matches strongly matches weakly.
		if strong == httpfield.Proceed && weak != httpfield.NotModified {
			t.Errorf("%q: %d and %d", value, strong, weak)
		}
		if _, one, err := httpfield.WriteCondition(match); err == nil && !strings.Contains(value, one) {
			t.Errorf("%q has no %q", value, one)
		}
	})
}
