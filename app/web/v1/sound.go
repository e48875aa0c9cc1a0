package v1

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// sound says why JSON cannot be taken at its word: encoding/json puts U+FFFD in
// place of what is no character, and a name with it is that of another file.
func sound(text []byte) error {
	if !utf8.Valid(text) {
		return errors.New("it is not UTF-8")
	}
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		first := escaped(text[i:])
		i++ // over what the backslash escapes
		if !utf16.IsSurrogate(first) {
			continue
		}
		i += len(`uXXXX`) - 1
		if utf16.DecodeRune(first, escaped(text[i+1:])) == utf8.RuneError {
			return fmt.Errorf("it has half of a surrogate pair, \\u%04x, at byte %d", first, i-len(`\uXXXX`)+1)
		}
		i += len(`\uXXXX`)
	}
	return nil
}

// escaped returns the UTF-16 code unit whose escape text begins with, 0 where it
// does not.
func escaped(text []byte) rune {
	if len(text) < len(`\uXXXX`) || text[0] != '\\' || text[1] != 'u' {
		return 0
	}
	unit, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(unit)
}
