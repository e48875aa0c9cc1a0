package object_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"cloudstorage/app/object"
	"cloudstorage/app/object/objecttest"
)

func TestParseKeyKeepsGoodNamesAsTheyAre(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"a", "report.pdf", "a/b/c", "a//b", "/a", "a/", "/", ".hidden", "..a", "a..", "...", "a/.../b",
		"with space", " ", "a+b", "100%", "%2e%2e", "a&b=c?d#e", `"it's"`, `back\slash`, "<b>", "ünïcödé", "日本語/ファイル", "🎈",
		strings.Repeat("a", object.MaxKeyBytes), strings.Repeat("é", object.MaxKeyBytes/2),
	} {
		k, err := object.ParseKey(s)
		if err != nil || string(k) != s {
			t.Errorf("ParseKey(%q) = %q, %v; want it unchanged", s, k, err)
		}
	}
}

func TestParseKeyRefusesBadNamesAndSaysWhy(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, key, reason string }{
		{"empty", "", "empty"},
		{"one byte too long", strings.Repeat("a", object.MaxKeyBytes+1), "1025 bytes"},
		{"too long in bytes, not in runes", strings.Repeat("é", object.MaxKeyBytes/2+1), "1026 bytes"},
		{"invalid UTF-8", "a\xff", "UTF-8"},
		{"surrogate half", "\xed\xa0\x80", "UTF-8"},
		{"NUL", "a\x00b", "U+0000"},
		{"line break", "a\r\nb", "U+000D"},
		{"escape", "\x1b[2J", "U+001B"},
		{"DEL", "a\x7f", "U+007F"},
		{"C1", "a\u0085b", "U+0085"},
		{"dot", ".", `"."`},
		{"dot dot", "..", `".."`},
		{"dot dot first", "../a", `".."`},
		{"dot dot inside", "a/../b", `".."`},
		{"dot last", "a/.", `"."`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k, err := object.ParseKey(tt.key)
			if k != "" || object.CodeOf(err) != object.CodeInvalid {
				t.Fatalf("ParseKey(%q) = %q, %v; want an invalid error", tt.key, k, err)
			}
			if !strings.Contains(err.Error(), tt.reason) {
				t.Errorf("error %q does not name %q", err, tt.reason)
			}
		})
	}
}

func TestEveryUTF16CodeUnitIsANameOrRefusedAsTheStandardsSay(t *testing.T) {
	t.Parallel()
	for _, u := range objecttest.Units() {
		for name, want := range map[string]bool{u.Bytes(): u.Name(), "a" + u.Bytes() + "b": u.Storable()} {
			k, err := object.ParseKey(name)
			if (err == nil) != want || want && string(k) != name {
				t.Errorf("ParseKey(%q) = %q, %v; want it taken: %t", name, k, err, want)
			}
		}
	}
}

// FuzzParseKey checks the rules against a second statement of them.
func FuzzParseKey(f *testing.F) {
	for _, s := range []string{"a", "a/b", "", "..", "a/./b", "\x00", "é", "\xff", "\u0085", strings.Repeat("x", 1025)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k, err := object.ParseKey(s)
		padded := "/" + s + "/"
		good := len(s) >= 1 && len(s) <= 1024 && utf8.ValidString(s) &&
			!strings.ContainsFunc(s, unicode.IsControl) &&
			!strings.Contains(padded, "/./") && !strings.Contains(padded, "/../")
		if good != (err == nil) {
			t.Fatalf("ParseKey(%q): %v, want good = %v", s, err, good)
		}
		if err == nil && string(k) != s {
			t.Fatalf("ParseKey(%q) changed it to %q", s, k)
		}
		if err != nil && (object.CodeOf(err) != object.CodeInvalid || !utf8.ValidString(err.Error())) {
			t.Fatalf("ParseKey(%q): error %q", s, err)
		}
	})
}
