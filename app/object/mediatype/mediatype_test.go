package mediatype_test

import (
	"testing"

	"cloudstorage/app/object"
	"cloudstorage/app/object/mediatype"
)

func TestAnEndingSuggestsAType(t *testing.T) {
	t.Parallel()
	for k, want := range map[object.Key]string{
		"report.pdf":       "application/pdf",
		"a.b/c/REPORT.PDF": "application/pdf",
		"page.html":        "text/html",
		"data.tar.gz":      "application/gzip",
		"notes.txt":        "text/plain",
		"no-ending":        "",
		"folder.pdf/":      "",
		"folder.pdf/file":  "",
		".txt":             "",
		"a/.txt":           "",
		"ends.":            "",
		"a.unheard-of":     "",
		"a.PDF\u017f":      "",
	} {
		if got := mediatype.Of(k); got != want {
			t.Errorf("%s: %q, want %q", k, got, want)
		}
		if want == "" {
			want = mediatype.Unknown
		}
		if got := mediatype.OrUnknown(k); got != want {
			t.Errorf("%s or unknown: %q, want %q", k, got, want)
		}
	}
}
