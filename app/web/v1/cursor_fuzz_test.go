package v1

import (
	"net/url"
	"slices"
	"testing"
	"unicode/utf8"

	"cloudstorage/app/seal"
	"cloudstorage/app/web/problem"
)

// cursorOf is a request with a cursor.
func cursorOf(s *seal.Sealer, token string) *call {
	return &call{api: &API{Sealer: s}, op: operation{id: "listFiles"}, query: query{texts: map[string]string{"cursor": token}}}
}

// FuzzCursor checks that a cursor leads on in its own listing, to where the store
// said, and nowhere else, and that no other text is one, sealed or not.
func FuzzCursor(f *testing.F) {
	s, err := seal.New(make([]byte, seal.KeyBytes))
	if err != nil {
		f.Fatal(err)
	}
	issue := func(t *testing.T, next string, listing ...string) string {
		token, err := cursorOf(s, "").cursor(next, listing...)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	refused := func(t *testing.T, token string, listing ...string) {
		next, err := cursorOf(s, token).resume(listing...)
		if d, _ := problem.Of(err); next != "" || d.Type != problem.InvalidRequest.Type() {
			t.Errorf("%q of %q leads to %q, %v", token, listing, next, err)
		}
	}
	f.Add("1/abc==", "", "")
	f.Add("", "a/", "/")
	f.Add("x", "é\ufffd", "\x00")
	f.Add(`{"l":["listFiles","",""],"n":"x"}`, `"`, `\`)
	f.Add(s.Seal(cursorPurpose, []byte(`{"l":["listFiles","",""],"n":"x"}`)), "", "")
	f.Add(s.Seal("link", []byte(`{"l":["listFiles","",""],"n":"x"}`)), "", "")
	f.Fuzz(func(t *testing.T, text, prefix, delimiter string) {
		if !utf8.ValidString(text) || !utf8.ValidString(prefix) || !utf8.ValidString(delimiter) {
			return // which neither the store nor a query says
		}
		token := issue(t, text, prefix, delimiter)
		if (token == "") != (text == "") || url.QueryEscape(token) != token {
			t.Errorf("the cursor to %q is %q", text, token)
		}
		if next, err := cursorOf(s, token).resume(prefix, delimiter); err != nil || next != text {
			t.Errorf("%q of %q, %q leads to %q, %v", text, prefix, delimiter, next, err)
		}
		if text == "" {
			return
		}
		refused(t, token, prefix+"x", delimiter)
		refused(t, token, prefix, delimiter+"x")
		refused(t, token, prefix)
		if prefix != delimiter {
			refused(t, token, delimiter, prefix)
		}
		for i := range token {
			if i%7 == len(text)%7 {
				refused(t, token[:i]+token[i+1:], prefix, delimiter)
			}
		}
		// What is no cursor, and what was sealed for something else.
		if next, err := cursorOf(s, text).resume(prefix, delimiter); err == nil && issue(t, next, prefix, delimiter) != text {
			t.Errorf("%q leads to %q", text, next)
		}
		sealed := s.Seal(cursorPurpose, []byte(text))
		if next, err := cursorOf(s, sealed).resume(prefix, delimiter); err == nil && !slices.Contains([]string{"", sealed}, issue(t, next, prefix, delimiter)) {
			t.Errorf("%q, sealed, leads to %q", text, next)
		}
		refused(t, s.Seal("another", []byte(text)), prefix, delimiter)
	})
}
