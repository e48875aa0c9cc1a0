package httpfield

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Outcome is what becomes of a request that has conditions.
type Outcome int

// The outcomes.
const (
	Proceed     Outcome = iota
	NotModified         // 304: the client has it already
	Failed              // 412: it is not as the client says
)

// Check evaluates a reading request's conditions on what has that ETag and was
// modified then, in the order that RFC 9110 gives them. The error can be shown
// to anyone.
// Source: https://www.rfc-editor.org/rfc/rfc9110#name-precedence-of-preconditions
func Check(h http.Header, etag string, modified time.Time) (Outcome, error) {
	match, err := parseTags(h, "If-Match")
	if err != nil {
		return Proceed, err
	}
	noneMatch, err := parseTags(h, "If-None-Match")
	if err != nil {
		return Proceed, err
	}
	modified = modified.Truncate(time.Second) // which is all that a date tells
	if match != nil {
		if !match.strong(etag) {
			return Failed, nil
		}
	} else if since, ok := date(h, "If-Unmodified-Since"); ok && modified.After(since) {
		return Failed, nil
	}
	if noneMatch != nil {
		if noneMatch.weak(etag) {
			return NotModified, nil
		}
	} else if since, ok := date(h, "If-Modified-Since"); ok && !modified.After(since) {
		return NotModified, nil
	}
	return Proceed, nil
}

// InRange says whether a Range of the request counts: If-Range is not there, or
// is the ETag of what is read. A date is too coarse to join two halves by, so it
// counts as another one and the answer is the whole.
// Source: https://www.rfc-editor.org/rfc/rfc9110#name-if-range
func InRange(h http.Header, etag string) bool {
	values := h.Values("If-Range")
	return len(values) == 0 || len(values) == 1 && isStrong(etag) && strings.Trim(values[0], " \t") == etag
}

// WriteCondition returns those conditions of a writing request that a store
// checks in the same step as it writes: that there is nothing, or exactly what
// has an ETag ("" is no such condition). Every other one is an error, which can
// be shown to anyone: a condition that nobody checks is worse than none.
func WriteCondition(h http.Header) (isNew bool, match string, err error) {
	if err := Unconditional(h, "If-Unmodified-Since"); err != nil {
		return false, "", err
	}
	noneMatch, err := parseTags(h, "If-None-Match")
	if err != nil {
		return false, "", err
	}
	if noneMatch != nil && !noneMatch.any {
		return false, "", errors.New("If-None-Match takes only * here: the storage cannot check another one as it writes")
	}
	tags, err := parseTags(h, "If-Match")
	switch {
	case err != nil:
		return false, "", err
	case tags == nil:
		return noneMatch != nil, "", nil
	case noneMatch != nil:
		return false, "", errors.New("If-Match and If-None-Match contradict each other: send one of them")
	case len(tags.list) != 1 || !isStrong(tags.list[0]):
		return false, "", errors.New("If-Match takes exactly one strong ETag here: the storage cannot check another one as it writes")
	}
	return false, tags.list[0], nil
}

// Unconditional is an error that can be shown to anyone where the request has
// one of the fields.
func Unconditional(h http.Header, names ...string) error {
	for _, name := range names {
		if len(h.Values(name)) > 0 {
			return fmt.Errorf("the storage cannot check %s in the same step: send the request without it", name)
		}
	}
	return nil
}

// tags are the ETags that a condition names.
type tags struct {
	any  bool // *: whatever there is
	list []string
}

// strong says whether one of the tags stands for the very bytes that etag does.
func (t tags) strong(etag string) bool {
	if t.any {
		return true
	}
	for _, tag := range t.list {
		if isStrong(etag) && tag == etag {
			return true
		}
	}
	return false
}

// weak says whether one of the tags stands for what etag does.
func (t tags) weak(etag string) bool {
	for _, tag := range t.list {
		if strings.TrimPrefix(tag, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return t.any
}

func isStrong(etag string) bool { return !strings.HasPrefix(etag, "W/") }

// parseTags reads a field that holds * or a list of ETags; nil is a field that
// is not there.
func parseTags(h http.Header, name string) (*tags, error) {
	values := h.Values(name)
	if len(values) == 0 {
		return nil, nil
	}
	rest := strings.Trim(strings.Join(values, ","), " \t")
	if rest == "*" {
		return &tags{any: true}, nil
	}
	t := &tags{}
	for {
		rest = strings.TrimLeft(rest, " \t,") // a list may have empty elements
		if rest == "" {
			break
		}
		tag, after, ok := cutTag(rest)
		if after = strings.TrimLeft(after, " \t"); !ok || after != "" && after[0] != ',' {
			return nil, fmt.Errorf("%s cannot be read: write * or ETags as they were answered, with their quotes", name)
		}
		t.list = append(t.list, tag)
		rest = after
	}
	if len(t.list) == 0 {
		return nil, fmt.Errorf("%s is empty: write * or ETags as they were answered, with their quotes", name)
	}
	return t, nil
}

// cutTag reads the ETag that s begins with.
// Source: https://www.rfc-editor.org/rfc/rfc9110#name-etag
func cutTag(s string) (tag, rest string, ok bool) {
	start := len(s) - len(strings.TrimPrefix(s, "W/"))
	if start == len(s) || s[start] != '"' {
		return "", "", false
	}
	for i := start + 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return s[:i+1], s[i+1:], true
		case s[i] <= ' ' || s[i] == 0x7f:
			return "", "", false
		}
	}
	return "", "", false
}

// date reads a field that holds a date. One that cannot be read is as if it were
// not there, as RFC 9110 wants it.
func date(h http.Header, name string) (time.Time, bool) {
	values := h.Values(name)
	if len(values) != 1 {
		return time.Time{}, false
	}
	t, err := http.ParseTime(values[0])
	return t, err == nil
}
