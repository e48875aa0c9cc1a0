package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// sentence puts s on one line.
func sentence(s string) string { return printable(strings.Join(strings.Fields(s), " ")) }

// printable escapes what a terminal would obey, and what would show a name as
// another one: control characters, those that turn the direction of the text,
// those that show nothing, and what is no character at all.
func printable(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r == utf8.RuneError || !unicode.IsGraphic(r) }) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1, n == 1 && !unicode.IsGraphic(r):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsGraphic(r):
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += n
	}
	return b.String()
}
