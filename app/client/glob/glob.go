// Package glob matches names in a bucket against patterns, so that commands that
// take many files need not list each.
package glob

import (
	"fmt"
	"regexp"
	"strings"
)

// special are the bytes that mean something in a pattern.
const special = `*?[\`

// Pattern matches names:
//
//   - any characters but /
//     **     any characters
//     ?      any one character but /
//     [a-c]  one of these characters, [^a-c] one that is none of them; never /
//     \*     the character behind the backslash
//
// It matches a whole name, with its folders.
type Pattern struct {
	prefix string
	flat   bool
	match  *regexp.Regexp
}

// IsPattern says whether s has any of *, ? and [ that no backslash escapes. What
// is no pattern names one thing: Unescape says which.
func IsPattern(s string) bool {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '*', '?', '[':
			return true
		}
	}
	return false
}

// Unescape returns what s names where it is no pattern: without the backslashes
// in front of special characters.
func Unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte(special, s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// Parse reads a pattern.
func Parse(s string) (Pattern, error) {
	var re strings.Builder
	re.WriteString(`(?s)\A`)
	var prefix strings.Builder
	literal := true // so far
	wild := len(s)  // where it ceases to be
	for i := 0; i < len(s); i++ {
		if strings.IndexByte(`*?[`, s[i]) >= 0 && literal {
			literal, wild = false, i
		}
		switch s[i] {
		case '*':
			if strings.HasPrefix(s[i:], "**") {
				re.WriteString(`.*`)
				i++
				continue
			}
			re.WriteString(`[^/]*`)
		case '?':
			re.WriteString(`[^/]`)
		case '[':
			class, length, err := class(s[i:])
			if err != nil {
				return Pattern{}, fmt.Errorf("the pattern %q: %w", s, err)
			}
			re.WriteString(class)
			i += length - 1
		default:
			if s[i] == '\\' && i+1 < len(s) && strings.IndexByte(special, s[i+1]) >= 0 {
				i++
			}
			// Byte by byte: the bytes of a character of several follow each
			// other in both, and none of them is special.
			end := i + 1
			for end < len(s) && s[end] >= 0x80 {
				end++
			}
			re.WriteString(regexp.QuoteMeta(s[i:end]))
			if literal {
				prefix.WriteString(s[i:end])
			}
			i = end - 1
		}
	}
	re.WriteString(`\z`)
	match, err := regexp.Compile(re.String())
	if err != nil {
		return Pattern{}, fmt.Errorf("the pattern %q cannot be used: it is not valid UTF-8, or a class in it runs backwards", s)
	}
	rest := s[wild:]
	return Pattern{prefix.String(), !strings.Contains(rest, "/") && !strings.Contains(rest, "**"), match}, nil
}

// class translates the class that s begins with, and returns its length.
func class(s string) (string, int, error) {
	inner := s[1:]
	var re strings.Builder
	negated := strings.HasPrefix(inner, "^")
	if negated {
		inner = inner[1:]
		re.WriteString(`[^/`)
	} else {
		re.WriteString(`[`)
	}
	for i := 0; i < len(inner); i++ {
		switch c := inner[i]; {
		case c == ']' && i > 0:
			re.WriteByte(']')
			return re.String(), len(s) - len(inner) + i + 1, nil
		case c == '/':
			return "", 0, fmt.Errorf("a class [ ] never matches /")
		case c == '\\' && i+1 < len(inner):
			i++
			re.WriteByte('\\')
			re.WriteByte(inner[i])
		case strings.IndexByte(`\[]^&~`, c) >= 0:
			re.WriteByte('\\')
			re.WriteByte(c)
		default:
			re.WriteByte(c)
		}
	}
	return "", 0, fmt.Errorf("the class that begins with [ has no ]")
}

// Prefix is what all names that match begin with.
func (p Pattern) Prefix() string { return p.prefix }

// Flat says that all names that match have as many slashes as Prefix has: there
// is no need to list what is deeper.
func (p Pattern) Flat() bool { return p.flat }

// Match says whether the whole name matches.
func (p Pattern) Match(name string) bool { return p.match.MatchString(name) }
