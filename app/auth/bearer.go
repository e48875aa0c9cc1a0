package auth

import "strings"

// maxHeader bounds what is looked at: an OIDC token with many claims has some
// kilobytes.
const maxHeader = 8 << 10

// Bearer returns the token in an Authorization header (RFC 6750, section 2.1).
// The error is ErrMissing for an empty header and *InvalidError for any other
// scheme or form.
func Bearer(header string) (string, error) {
	if header == "" {
		return "", ErrMissing
	}
	if len(header) > maxHeader {
		return "", &InvalidError{Reason: "the Authorization header is too long"}
	}
	scheme, token, found := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", &InvalidError{Reason: "the Authorization header is not of the form 'Bearer <key>'"}
	}
	token = strings.TrimLeft(token, " ")
	if !found || token == "" || strings.ContainsFunc(token, func(r rune) bool { return !tokenRune(r) }) {
		return "", &InvalidError{Reason: "what follows 'Bearer' is not a token"}
	}
	return token, nil
}

// tokenRune is b64token's alphabet.
func tokenRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~+/=", r)
}
