package v1_test

import (
	"fmt"
	"net/http"
	"testing"

	"cloudstorage/app/web/problem"
)

// What no character stands for would be read as U+FFFD: a file of another name.
func TestANameInJSONIsTakenAtItsWordOrRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	form := func(name string) response {
		return s.do(http.MethodPost, "/v1/forms", `{"max_size":1,"key":"`+name+`"}`)
	}
	for unit := 0xd800; unit <= 0xdfff; unit++ {
		form(fmt.Sprintf(`\u%04x`, unit)).wantProblem(t, problem.InvalidRequest, fmt.Sprintf(`\u%04x, at byte 21`, unit))
	}
	for _, name := range []string{`\ud83d\ud83d`, `\ud83dA`, `\ud83d\n`, `\ud83d\u0041`, `\ud83c\udf88\udf88`, `a\\\udf88`} {
		form(name).wantProblem(t, problem.InvalidRequest, "surrogate")
	}
	for _, name := range []string{"\xff", "a\xed\xa0\x80", "\xc3"} {
		form(name).wantProblem(t, problem.InvalidRequest, "UTF-8")
	}
	for name, want := range map[string]string{
		`\ud83c\udf88`: "🎈", `\uD83C\uDF88!`: "🎈!", "🎈": "🎈", `\ufffd`: "\ufffd", "\ufffd": "\ufffd", `\\ud83c`: `\ud83c`, `\\\ud83c\udf88`: `\🎈`, `\u0041\/`: "A/", "é": "é", "e\u0301": "e\u0301",
	} {
		var f formAnswer
		form(name).want(t, http.StatusOK, &f)
		if got := f.Fields["key"]; got != want {
			t.Errorf("%s is read as %q, want %q", name, got, want)
		}
	}
}
