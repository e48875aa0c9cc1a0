package object_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"cloudstorage/app/object"
)

func TestCodeOf(t *testing.T) {
	t.Parallel()
	denied := &object.Error{Code: object.CodeDenied, Op: "s3:ListBucket", Message: "no"}
	tests := []struct {
		name string
		err  error
		want object.Code
	}{
		{"nil", nil, ""},
		{"an Error", denied, object.CodeDenied},
		{"a wrapped Error", fmt.Errorf("list: %w", denied), object.CodeDenied},
		{"any other error", io.EOF, object.CodeInternal},
	}
	for _, tt := range tests {
		if got := object.CodeOf(tt.err); got != tt.want {
			t.Errorf("%s: CodeOf = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestErrorNamesEveryPartAndUnwraps(t *testing.T) {
	t.Parallel()
	err := &object.Error{Code: object.CodeUnavailable, Op: "s3:DeleteObject", Key: "a/b", Message: "no answer", Err: io.ErrUnexpectedEOF}
	if got, want := err.Error(), "s3:DeleteObject a/b: no answer: unexpected EOF"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("the cause is not in the chain")
	}
}
