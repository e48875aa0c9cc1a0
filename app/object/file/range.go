package file

import (
	"math"
	"strconv"
	"strings"
)

// Range is one range of bytes, as a client asks for it.
type Range struct {
	First int64 // the first byte; -1 stands for the last Last bytes
	Last  int64 // the last byte, with it; -1 is the end, whatever it is
}

// ParseRange reads the field Range of a request. ok says that it asks for one
// range of bytes: anything else (another unit, several ranges, nonsense) may be
// answered with the whole, as if the field were not there.
// Source: https://www.rfc-editor.org/rfc/rfc9110#section-14
func ParseRange(field string) (r Range, ok bool) {
	unit, set, found := strings.Cut(field, "=")
	if !found || !strings.EqualFold(unit, "bytes") {
		return Range{}, false
	}
	// A list may have empty elements, and space around each.
	spec := strings.Trim(set, " \t,")
	first, last, found := strings.Cut(spec, "-")
	if !found {
		return Range{}, false
	}
	r = Range{First: -1, Last: -1}
	if first != "" {
		if r.First, ok = position(first); !ok {
			return Range{}, false
		}
	}
	if last != "" {
		if r.Last, ok = position(last); !ok {
			return Range{}, false
		}
	}
	if first == "" && last == "" || first != "" && last != "" && r.First > r.Last {
		return Range{}, false
	}
	return r, true
}

// position reads digits and nothing else. A number that is too large is as good
// as the largest: it lies behind every end.
func position(s string) (int64, bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		n = math.MaxInt64
	}
	return n, true
}

// In returns the part of size bytes that r asks for. ok is false where there is
// none: the answer is 416.
func (r Range) In(size int64) (first, length int64, ok bool) {
	if r.First < 0 {
		length = min(r.Last, size)
		return size - length, length, length > 0
	}
	if r.First >= size {
		return 0, 0, false
	}
	last := size - 1
	if r.Last >= 0 {
		last = min(last, r.Last)
	}
	return r.First, last - r.First + 1, true
}

// String is the field that asks for r.
func (r Range) String() string {
	s := "bytes="
	if r.First >= 0 {
		s += strconv.FormatInt(r.First, 10)
	}
	s += "-"
	if r.Last >= 0 {
		s += strconv.FormatInt(r.Last, 10)
	}
	return s
}
