package objecttest

import (
	"net/http"
	"testing"

	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/object/history"
	"cloudstorage/app/object/upload"
)

// Everything is a store that can do all, which keeps versions.
type Everything interface {
	object.Store
	file.Store
	history.Store
	upload.Store
}

// RunEverything runs Run, and the suite of what the stores beside object.Store
// must do.
func RunEverything(t *testing.T, newStore func(testing.TB) Everything, do *http.Client) {
	Run(t, func(t testing.TB) object.Store { return newStore(t) }, do)
	tests := []struct {
		name string
		run  func(*testing.T, Everything, *http.Client)
	}{
		{"a delimiter rolls keys up", delimiter},

		{"what is put is described and read, under every name", putGet},
		{"what is not there is not found", notThere},
		{"a range is read", ranges},
		{"conditions on reading are kept", readConditions},
		{"conditions on writing are kept", writeConditions},
		{"content with another digest is refused", digests},
		{"content that ends early is refused", cutOff},
		{"a size that no store takes is refused", sizes},
		{"a signed URL answers with the name and type that it was signed for", signedAnswer},
		{"a signed HEAD describes and does not read", signedHead},
		{"a signed upload must be sent as it was signed", signedUpload},

		{"every write and deletion is a version", versions},
		{"versions are of exactly one key, page by page", versionPages},
		{"an old version is read, described and signed for", oldVersion},
		{"a deletion and an overwrite are undone", restore},
		{"a copy has the content and type of its source, under every name", copies},
		{"conditions on copying are kept", copyConditions},
		{"many are deleted at once, one by one accounted for", deleteMany},

		{"an upload in parts becomes one object", parts},
		{"a part replaces the one before", partAgain},
		{"an upload with digests wants each part's", partDigests},
		{"an upload that cannot be completed says why", incomplete},
		{"conditions on completing are kept", completeConditions},
		{"an aborted upload is gone, and may be aborted again", aborted},
		{"a form takes what it was signed for and nothing else", forms},
		{"a form that no store takes is refused", badForms},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(t, newStore(t), do)
		})
	}
}

func wantCode(t *testing.T, what string, err error, want object.Code) {
	t.Helper()
	if got := object.CodeOf(err); got != want {
		t.Errorf("%s: %v (%q), want %q", what, err, got, want)
	}
}
