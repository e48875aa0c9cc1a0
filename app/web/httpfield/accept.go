// Package httpfield reads those header fields of requests that net/http leaves
// as text: what a client accepts, its conditions, and the digest of what it
// sends. It does no I/O.
package httpfield

import (
	"iter"
	"strconv"
	"strings"
)

// Prefers says whether the fields Accept of a request name a media type, such
// as application/json, and want nothing more than it. A wildcard names nothing:
// most clients send one without a thought. What cannot be read is passed over.
// Source: https://www.rfc-editor.org/rfc/rfc9110#name-accept
func Prefers(accept []string, media string) bool {
	named, others := 0.0, 0.0
	for _, value := range accept {
		for element := range split(value, ',') {
			name, weight, ok := mediaRange(element)
			switch {
			case !ok:
			case strings.EqualFold(name, media):
				named = max(named, weight)
			default:
				others = max(others, weight)
			}
		}
	}
	return named > 0 && named >= others
}

// mediaRange reads an element of Accept: a media range and how much it is wanted.
func mediaRange(element string) (name string, weight float64, ok bool) {
	weight = 1
	first := true
	for part := range split(element, ';') {
		part = strings.Trim(part, " \t")
		if first {
			name, first = part, false
			continue
		}
		key, value, _ := strings.Cut(part, "=")
		if !strings.EqualFold(key, "q") {
			continue
		}
		if weight, ok = quality(value); !ok {
			return "", 0, false
		}
	}
	return name, weight, strings.Contains(name, "/")
}

// quality reads a weight: 0 to 1 with at most three digits behind the point.
func quality(s string) (float64, bool) {
	whole, behind, point := strings.Cut(s, ".")
	if whole != "0" && whole != "1" || len(behind) > 3 || point && !digits(behind) {
		return 0, false
	}
	q, err := strconv.ParseFloat(s, 64)
	return q, err == nil && q <= 1
}

func digits(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// split cuts s at each separator that is in no quoted string.
func split(s string, separator byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		start, quoted := 0, false
		for i := 0; i < len(s); i++ {
			switch {
			case s[i] == '"':
				quoted = !quoted
			case s[i] == '\\' && quoted:
				i++
			case s[i] == separator && !quoted:
				if !yield(s[start:i]) {
					return
				}
				start = i + 1
			}
		}
		yield(s[start:])
	}
}
