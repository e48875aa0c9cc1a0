package v1

import _ "embed"

// PagePath is where people read about the API.
const PagePath = "/docs"

//go:embed openapi.json
var document []byte

// Document returns the API as OpenAPI 3.1, in JSON. A test writes it from the
// operations and the types of their bodies, and fails where it is not of today.
func Document() []byte { return document }
