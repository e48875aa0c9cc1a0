package v1

import (
	goflag "flag"
	"os"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
)

var update = goflag.Bool("update", false, "write openapi.json anew")

func TestTheOpenAPIDocumentIsThatOfTheOperations(t *testing.T) {
	t.Parallel()
	got, err := writeDocument()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("openapi.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(Document()), string(got)); diff != "" {
		t.Errorf("run `go test ./app/web/v1 -run OpenAPI -update` if this is meant:\n%s", diff)
	}
}

func TestTheOpenAPIDocumentIsValid(t *testing.T) {
	t.Parallel()
	document, err := openapi3.NewLoader().LoadFromData(Document())
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(t.Context(), openapi3.EnableExamplesValidation()); err != nil {
		t.Error(err)
	}
}
