package disposition_test

import (
	"mime"
	"strings"
	"testing"
	"unicode/utf8"

	"cloudstorage/app/object"
	"cloudstorage/app/web/disposition"
)

func TestAFileIsSavedUnderTheLastSegmentOfItsName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 200)
	for k, want := range map[object.Key]string{
		"report.pdf":             `attachment; filename="report.pdf"`,
		"a/b/report 1.pdf":       `attachment; filename="report 1.pdf"`,
		"folder/":                `attachment; filename="folder"`,
		"/":                      `attachment; filename="download"`,
		"näme with + and %.txt":  `attachment; filename="n_me with + and _.txt"; filename*=UTF-8''n%C3%A4me%20with%20+%20and%20%25.txt`,
		`"quoted"\;x=1.txt`:      `attachment; filename="_quoted__;x=1.txt"; filename*=UTF-8''%22quoted%22%5C%3Bx%3D1.txt`,
		"it's (1)*.txt":          `attachment; filename="it's (1)*.txt"`,
		"%41.txt":                `attachment; filename="_41.txt"; filename*=UTF-8''%2541.txt`,
		"日本語.txt":                `attachment; filename="___.txt"; filename*=UTF-8''%E6%97%A5%E6%9C%AC%E8%AA%9E.txt`,
		"\u202egpj.exe":          `attachment; filename="_gpj.exe"`,
		object.Key(long + ".md"): `attachment; filename="` + strings.Repeat("_", 126) + `.md"; filename*=UTF-8''` + strings.Repeat("%C3%A4", 126) + ".md",
	} {
		if got := disposition.Of(k, "text/html", true); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", k, got, want)
		}
	}
}

func TestOnlyWhatRunsNoScriptIsShownAndOnlyOnRequest(t *testing.T) {
	t.Parallel()
	for contentType, want := range map[string]bool{
		"image/png": true, "IMAGE/JPEG": true, "text/plain; charset=utf-8": true, "video/mp4": true, "audio/mpeg": true,
		"image/svg+xml": false, "text/html": false, "application/xhtml+xml": false, "text/xml": false, "application/xml": false,
		"application/pdf": false, "text/javascript": false, "text/css": false, "application/json": false, "application/octet-stream": false,
		"multipart/x-mixed-replace": false, "message/rfc822": false, "": false, "text": false, "*/*": false,
		"image/png, text/html": false, "image/png text/html": false, "image/png;": true, "image/png;a": false, "text/html;image/png": false,
	} {
		if got := disposition.MayShow(contentType); got != want {
			t.Errorf("%q may be shown: %t, want %t", contentType, got, want)
		}
		if got := strings.HasPrefix(disposition.Of("a", contentType, true), "inline;"); got != want {
			t.Errorf("%q is shown on request: %t, want %t", contentType, got, want)
		}
		if got := disposition.Of("a", contentType, false); !strings.HasPrefix(got, "attachment;") {
			t.Errorf("%q without a request: %s", contentType, got)
		}
	}
}

func FuzzDisposition(f *testing.F) {
	for _, seed := range []string{"a/b.txt", "näme + %.txt", `"\`, "\u202e", strings.Repeat("é/", 300) + "x", strings.Repeat("日", 300) + ".tar.gz", "//"} {
		f.Add(seed, "image/png")
	}
	f.Fuzz(func(t *testing.T, name, contentType string) {
		k, err := object.ParseKey(name)
		if err != nil {
			return
		}
		field := disposition.Of(k, contentType, true)
		kind, params, err := mime.ParseMediaType(field)
		if err != nil {
			t.Fatalf("%q: %s: %v", name, field, err)
		}
		if kind == "inline" != disposition.MayShow(contentType) {
			t.Errorf("%q of %q: %s", name, contentType, field)
		}
		got := params["filename"]
		if got == "" || len(got) > 255 || strings.Contains(got, "/") || !utf8.ValidString(got) {
			t.Errorf("%q is saved as %q", name, got)
		}
		for _, c := range []byte(field) {
			if c < ' ' || c > '~' {
				t.Fatalf("%q: %q is no header field", name, field)
			}
		}
		// A short name without marks is its last segment, to the byte.
		if segments := strings.Split(strings.TrimRight(name, "/"), "/"); len(got) < 200 && !strings.ContainsAny(name, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069") {
			if last := segments[len(segments)-1]; last != "" && got != last {
				t.Errorf("%q is saved as %q", name, got)
			}
		}
	})
}
