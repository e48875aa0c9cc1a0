package main

import "testing"

func TestWhatATerminalWouldObeyOrHideIsEscaped(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"report.pdf":           "report.pdf",
		"ünïcödé 日本語 🎈\u00a0é": "ünïcödé 日本語 🎈\u00a0é",
		"a\x1b[2J":             `a\x1b[2J`,
		"a\r\nb\t\x7f":         `a\x0d\x0ab\x09\x7f`,
		"a\u009bb":             `a\u009bb`,      // CSI of 8-bit terminals
		"exe\u202efdp.":        `exe\u202efdp.`, // right to left
		"\u2066a\u2069\u200e":  `\u2066a\u2069\u200e`,
		"a\u200bb\ufeff":       `a\u200bb\ufeff`, // no width
		"a\u2028b":             `a\u2028b`,
		"\U000e0041":           `\U000e0041`, // tag characters
		"\xff\xc3(":            `\xff\xc3(`,
		"\ufffd":               "\ufffd",
	} {
		if got := printable(s); got != want {
			t.Errorf("printable(%q) = %q, want %q", s, got, want)
		}
	}
}
