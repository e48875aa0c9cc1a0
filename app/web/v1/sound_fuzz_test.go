package v1

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// FuzzSound checks that no U+FFFD is read that was not written.
func FuzzSound(f *testing.F) {
	for _, text := range []string{`a`, `\ud83c\udf88`, `\ud83c`, `\\\ud83c\\udf88`, `\u`, `\ud83c\u`, `\`, "\xff", `\ufffd\\ufffd`, "\ufffd"} {
		f.Add([]byte(text))
	}
	escapes := regexp.MustCompile(`\\(?:u[0-9a-fA-F]{4}|.)`)
	f.Fuzz(func(t *testing.T, text []byte) {
		text = append(append([]byte{'"'}, text...), '"')
		err := sound(text)
		var read string
		if json.Unmarshal(text, &read) != nil {
			return
		}
		written := strings.Count(string(text), "\ufffd")
		for _, e := range escapes.FindAllString(string(text), -1) {
			if strings.EqualFold(e, `\ufffd`) {
				written++
			}
		}
		if got := strings.Count(read, "\ufffd"); (got == written) != (err == nil) {
			t.Errorf("%s is read as %q: %v", text, read, err)
		}
	})
}
