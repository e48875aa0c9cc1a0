package object

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxKeyBytes is S3's own limit for a key, in bytes of UTF-8.
const MaxKeyBytes = 1024

// Key is a validated object key: the name of a file in the bucket, as its user
// means it (decoded). Slashes are part of it; a store never cleans or merges
// them.
type Key string

// ParseKey checks s and returns it as a Key, unchanged. A key has 1 to
// MaxKeyBytes bytes of valid UTF-8, no control character and no "." or ".."
// segment. The error has CodeInvalid, and its message can be shown to the user.
func ParseKey(s string) (Key, error) {
	switch {
	case s == "":
		return "", invalidKey("the file name is empty: put it after the route, as in /download/report.pdf")
	case len(s) > MaxKeyBytes:
		return "", invalidKey(fmt.Sprintf("the file name has %d bytes: use at most %d", len(s), MaxKeyBytes))
	case !utf8.ValidString(s):
		return "", invalidKey("the file name is not valid UTF-8: percent-encode its UTF-8 bytes")
	}
	for i, r := range s {
		if isControl(r) {
			return "", invalidKey(fmt.Sprintf("the file name has the control character U+%04X at byte %d: remove it", r, i))
		}
	}
	// Clients resolve such segments before they send a URL, so the URL would
	// name another object than the one that was signed.
	for segment := range strings.SplitSeq(s, "/") {
		if segment == "." || segment == ".." {
			return "", invalidKey(fmt.Sprintf("the file name has the path segment %q: write the name without it", segment))
		}
	}
	return Key(s), nil
}

// isControl says whether r is in C0, DEL or C1.
func isControl(r rune) bool {
	return r < 0x20 || r >= 0x7f && r < 0xa0
}

func invalidKey(message string) error {
	return &Error{Code: CodeInvalid, Op: "parse key", Message: message}
}
