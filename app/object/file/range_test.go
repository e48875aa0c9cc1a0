package file_test

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"cloudstorage/app/object/file"
)

func TestParseRangeReadsOneRangeOfBytes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		field string
		want  file.Range
		size  int64 // of the object
		first int64 // what is sent; -1 is 416
		count int64
	}{
		{"bytes=0-0", file.Range{First: 0, Last: 0}, 10, 0, 1},
		{"bytes=0-", file.Range{First: 0, Last: -1}, 10, 0, 10},
		{"bytes=2-5", file.Range{First: 2, Last: 5}, 10, 2, 4},
		{"bytes=9-", file.Range{First: 9, Last: -1}, 10, 9, 1},
		{"bytes=10-", file.Range{First: 10, Last: -1}, 10, -1, 0},
		{"bytes=5-100", file.Range{First: 5, Last: 100}, 10, 5, 5},
		{"bytes=-3", file.Range{First: -1, Last: 3}, 10, 7, 3},
		{"bytes=-10", file.Range{First: -1, Last: 10}, 10, 0, 10},
		{"bytes=-11", file.Range{First: -1, Last: 11}, 10, 0, 10},
		{"bytes=-0", file.Range{First: -1, Last: 0}, 10, -1, 0},
		{"bytes=0-", file.Range{First: 0, Last: -1}, 0, -1, 0},
		{"bytes=-1", file.Range{First: -1, Last: 1}, 0, -1, 0},
		{"BYTES=1-2", file.Range{First: 1, Last: 2}, 10, 1, 2},
		{"bytes= 1-2", file.Range{First: 1, Last: 2}, 10, 1, 2},
		{"bytes=,\t1-2 ,", file.Range{First: 1, Last: 2}, 10, 1, 2},
		{"bytes=007-008", file.Range{First: 7, Last: 8}, 10, 7, 2},
		{"bytes=0-99999999999999999999", file.Range{First: 0, Last: math.MaxInt64}, 10, 0, 10},
		{"bytes=99999999999999999999-", file.Range{First: math.MaxInt64, Last: -1}, 10, -1, 0},
		{"bytes=-99999999999999999999", file.Range{First: -1, Last: math.MaxInt64}, 10, 0, 10},
	}
	for _, tt := range tests {
		r, ok := file.ParseRange(tt.field)
		if !ok || r != tt.want {
			t.Errorf("ParseRange(%q) = %+v, %v; want %+v", tt.field, r, ok, tt.want)
		}
		first, count, ok := r.In(tt.size)
		if ok != (tt.first >= 0) || ok && (first != tt.first || count != tt.count) {
			t.Errorf("%q of %d bytes: %d from %d, %v; want %d from %d", tt.field, tt.size, count, first, ok, tt.count, tt.first)
		}
		if again, ok := file.ParseRange(r.String()); !ok || again != r {
			t.Errorf("%q became %q, which is read as %+v", tt.field, r, again)
		}
	}
}

func TestParseRangeLeavesEverythingElseAlone(t *testing.T) {
	t.Parallel()
	for _, field := range []string{
		"", "bytes", "bytes=", "bytes=-", "bytes=,", "bytes=--1", "bytes=1", "bytes=2-1", "bytes=a-b", "bytes=1-b", "bytes=+1-2", "bytes=1 - 2",
		"bytes=0-1,3-4", "bytes=0-1, -1", "bytes =0-1", " bytes=0-1", "lines=0-1", "bytes:0-1", "bytes=0x1-2", "bytes=1-2-3", "bytes=１-2",
	} {
		if r, ok := file.ParseRange(field); ok {
			t.Errorf("ParseRange(%q) = %+v, want to leave it", field, r)
		}
	}
}

// FuzzParseRange checks the grammar against a regular expression, and that what
// is sent lies inside.
func FuzzParseRange(f *testing.F) {
	for _, s := range []string{"bytes=0-1", "bytes=-5", "bytes=7-", "bytes=5-2", "bytes= ,1-1,", "x=1-2", "bytes=99999999999999999999-", "bytes=1-2,3-4", ""} {
		f.Add(s, int64(10))
	}
	grammar := regexp.MustCompile(`^(?i:bytes)=[ \t,]*([0-9]*)-([0-9]*)[ \t,]*$`)
	f.Fuzz(func(t *testing.T, field string, size int64) {
		r, ok := file.ParseRange(field)
		m := grammar.FindStringSubmatch(field)
		good := len(m) == 3 && m[1]+m[2] != ""
		if good && m[1] != "" && m[2] != "" { // compared as numbers of any length
			a, b := strings.TrimLeft(m[1], "0"), strings.TrimLeft(m[2], "0")
			width := max(len(a), len(b))
			good = fmt.Sprintf("%0*s", width, a) <= fmt.Sprintf("%0*s", width, b) || r.First == math.MaxInt64
		}
		if ok != good {
			t.Fatalf("ParseRange(%q): %v, want %v", field, ok, good)
		}
		if !ok || size < 0 {
			return
		}
		first, length, ok := r.In(size)
		if ok && (first < 0 || length < 1 || first+length > size) || !ok && length > 0 {
			t.Errorf("%q of %d bytes: %d from %d, %v", field, size, length, first, ok)
		}
	})
}
