package objecttest

import (
	"strings"
	"unicode"
	"unicode/utf16"
)

// Unit is a UTF-16 code unit: what the names of Windows, Java and JavaScript are
// made of. What it is as a name is the standards' to say, not ours.
type Unit uint16

// Units are all of them.
func Units() []Unit {
	all := make([]Unit, 1<<16)
	for i := range all {
		all[i] = Unit(i)
	}
	return all
}

// Surrogate says whether the unit is half of a character.
// Source: https://www.unicode.org/versions/Unicode16.0.0/core-spec/chapter-3/ (D71 to D75)
func (u Unit) Surrogate() bool { return utf16.IsSurrogate(rune(u)) }

// Storable says whether names may have the unit: UTF-8 has no form of a
// surrogate (D92 in the chapter above), and a control (general category Cc) is
// refused. Unassigned, private and noncharacters are names as any other: what a
// name is must not depend on a version of Unicode.
func (u Unit) Storable() bool { return !u.Surrogate() && !unicode.Is(unicode.Cc, rune(u)) }

// Name says whether the unit by itself is a name: a dot is a segment that
// clients take out of a URL before they send it.
// Source: https://www.rfc-editor.org/rfc/rfc3986#section-5.2.4
func (u Unit) Name() bool { return u.Storable() && u != '.' }

// Bytes writes the unit as UTF-8 writes a character; of a surrogate, that is not
// UTF-8 (but CESU-8).
func (u Unit) Bytes() string {
	switch {
	case u < 0x80:
		return string([]byte{byte(u)})
	case u < 0x800:
		return string([]byte{0xc0 | byte(u>>6), 0x80 | byte(u)&0x3f})
	}
	return string([]byte{0xe0 | byte(u>>12), 0x80 | byte(u>>6)&0x3f, 0x80 | byte(u)&0x3f})
}

// NamesOf returns names that have all of units between them, as many to a name
// as a key and the segments of a file system hold.
func NamesOf(units []Unit) []string {
	const perSegment, perName = 80, 4 * 80 // of up to 3 bytes, in 255 and 1,024
	var names []string
	var name strings.Builder
	for i, u := range units {
		if i > 0 && i%perName == 0 {
			names = append(names, name.String())
			name.Reset()
		} else if i > 0 && i%perSegment == 0 {
			name.WriteByte('/')
		}
		name.WriteString(u.Bytes())
	}
	return append(names, name.String())
}
