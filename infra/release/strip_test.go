package release

import "testing"

func TestCommentsGoAndDirectivesStay(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ source, want string }{
		"line, doc and trailing comments": {"// Package p is.\npackage p\n\n// F does.\nfunc F() { // here\n\tg() // there\n}\n", "package p\n\nfunc F() {\n\tg()\n}\n"},
		"build and embed directives":      {"//go:build linux\n\npackage p\n\nimport _ \"embed\"\n\n//go:embed x\nvar s string\n", "//go:build linux\n\npackage p\n\nimport _ \"embed\"\n\n//go:embed x\nvar s string\n"},
		"what looks like a comment":       {"package p\n\nconst u = \"http://x\" + `/* y */ // z`\n", "package p\n\nconst u = \"http://x\" + `/* y */ // z`\n"},
		"a comment in an expression":      {"package p\n\nvar x = 1 /* one */ + 2\n", "package p\n\nvar x = 1 + 2\n"},
		"a comment that ends a line":      {"package p\n\nfunc f() {\n\tg() /* a\n\tb */ \n\th()\n}\n", "package p\n\nfunc f() {\n\tg()\n\n\th()\n}\n"},
	} {
		got, err := stripComments("p.go", []byte(tc.source))
		if err != nil || string(got) != tc.want {
			t.Errorf("%s: %v, got %q, want %q", name, err, got, tc.want)
		}
	}
	if _, err := stripComments("p.go", []byte("package p\n/* never closed")); err == nil {
		t.Error("broken source was accepted")
	}
}
