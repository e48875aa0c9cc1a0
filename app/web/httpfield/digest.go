package httpfield

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
)

// The faults of a Content-Digest.
var (
	errDigest = errors.New("Content-Digest cannot be read: write 'Content-Digest: sha-256=:<base64>:', with 44 characters between the colons")
	errNoSHA  = errors.New("Content-Digest has no sha-256, which is what the storage checks: send that one, alone or beside the others")
)

// ContentDigest returns the SHA-256 in the fields Content-Digest of a request,
// nil where there are none. Digests of other algorithms may stand beside it and
// are not checked; alone they are an error, since who sends one counts on it.
// Source: https://www.rfc-editor.org/rfc/rfc9530#name-the-content-digest-field
func ContentDigest(fields []string) (*[sha256.Size]byte, error) {
	if len(fields) == 0 {
		return nil, nil
	}
	var found *[sha256.Size]byte
	for element := range strings.SplitSeq(strings.Join(fields, ","), ",") {
		algorithm, value, ok := strings.Cut(strings.Trim(element, " \t"), "=")
		if !ok || !isKey(algorithm) || len(value) < 2 || value[0] != ':' || value[len(value)-1] != ':' {
			return nil, errDigest
		}
		raw, err := base64.StdEncoding.DecodeString(value[1 : len(value)-1])
		if err != nil || strings.ContainsAny(value, "\r\n") { // which the decoder passes over
			return nil, errDigest
		}
		if algorithm != "sha-256" {
			continue
		}
		if len(raw) != sha256.Size {
			return nil, errDigest
		}
		// Of two, the last counts: https://www.rfc-editor.org/rfc/rfc9651#name-parsing-a-dictionary
		found = (*[sha256.Size]byte)(raw)
	}
	if found == nil {
		return nil, errNoSHA
	}
	return found, nil
}

// isKey says whether s can be a key of a structured field's dictionary.
func isKey(s string) bool {
	for i, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c == '*':
		case i > 0 && (c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return s != ""
}
