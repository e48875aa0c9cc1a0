package glob_test

import (
	"path"
	"strings"
	"testing"

	"cloudstorage/app/client/glob"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ pattern, matches, not string }{
		{"*.jpg", "a.jpg|.jpg|ü.jpg", "a.jpeg|x/a.jpg|a.jpg.txt|aXjpg"},
		{"photos/*", "photos/a|photos/", "photos/a/b|photos|xphotos/a"},
		{"photos/**", "photos/a|photos/a/b/c|photos/", "photos|photo/a"},
		{"**/a.txt", "x/a.txt|x/y/a.txt", "a.txt"},
		{"**.jpg", "a.jpg|x/y/a.jpg|a\nb.jpg", "a.jpgx"},
		{"?", "a|ü|🎈", "|ab|/"},
		{"[ab]", "a|b", "c|ab|[|"},
		{"[^ab]", "c|ü", "a|b|/|"},
		{"[a-c]x", "ax|bx|cx", "dx|-x"},
		{"[]x]", "]|x", "a"},
		{`[\]]`, "]", `\`},
		{`a\*b*`, "a*b|a*bc", "axb"},
		{`a\b?`, `a\bc`, "abc"}, // only in front of what is special
		{"a+(b)$*", "a+(b)$|a+(b)$c", "aab"},
		{"ü*", "ü|üa", "u"},
	} {
		p, err := glob.Parse(tt.pattern)
		if err != nil {
			t.Errorf("%q: %v", tt.pattern, err)
			continue
		}
		for name := range strings.SplitSeq(tt.matches, "|") {
			if !p.Match(name) {
				t.Errorf("%q does not match %q", tt.pattern, name)
			}
		}
		for name := range strings.SplitSeq(tt.not, "|") {
			if p.Match(name) {
				t.Errorf("%q matches %q", tt.pattern, name)
			}
		}
	}
}

func TestWhatHasToBeListed(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]struct {
		prefix string
		flat   bool
	}{
		"*":              {"", true},
		"photos/*.jpg":   {"photos/", true},
		"photos/20*/a":   {"photos/20", false},
		"photos/**":      {"photos/", false},
		`a\*ü/[x]`:       {"a*ü/", true},
		"no/pattern":     {"no/pattern", true},
		"photos/2026-?b": {"photos/2026-", true},
	} {
		p, err := glob.Parse(pattern)
		if err != nil || p.Prefix() != want.prefix || p.Flat() != want.flat {
			t.Errorf("%q: prefix %q, flat %v, %v; want %+v", pattern, p.Prefix(), p.Flat(), err, want)
		}
	}
}

func TestWhatIsNoPatternNamesOneThing(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{"a": "a", `a\*b`: "a*b", `\[x]`: "[x]", `back\slash`: `back\slash`, `two\\`: `two\`, `end\`: `end\`} {
		if glob.IsPattern(s) || glob.Unescape(s) != want {
			t.Errorf("%q: pattern %v, names %q; want %q", s, glob.IsPattern(s), glob.Unescape(s), want)
		}
	}
	for _, s := range []string{"*", "a?", "[x]", `\\*`} {
		if !glob.IsPattern(s) {
			t.Errorf("%q is no pattern", s)
		}
	}
}

func TestWhatCannotBeAPatternIsRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"[", "a[b", "[^", "[]", "[a/b]", "[z-a]", "*\xff", `[\`} {
		if p, err := glob.Parse(s); err == nil {
			t.Errorf("%q is read as %+v", s, p)
		}
	}
}

// * and ? mean what they mean to the standard library. Its classes and its
// backslashes differ: they match a slash, and escape anything.
func FuzzPatternsAreThoseOfTheStandardLibrary(f *testing.F) {
	f.Add("a*b?[c-d]", "axbyc")
	f.Add(`\[*`, "[x")
	f.Add("[^a]", "b")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		p, err := glob.Parse(pattern)
		if err != nil || strings.Contains(pattern, "**") || strings.Contains(pattern, `\`) || strings.Contains(pattern, "[") {
			return
		}
		if !strings.HasPrefix(name, p.Prefix()) && p.Match(name) {
			t.Errorf("%q matches %q, which has not its prefix %q", pattern, name, p.Prefix())
		}
		if want, err := path.Match(pattern, name); err == nil && want != p.Match(name) {
			t.Errorf("%q matches %q: %v, want %v", pattern, name, p.Match(name), want)
		}
	})
}
