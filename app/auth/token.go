package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// tokenPrefix tells people and secret scanners what they have found.
const tokenPrefix = "cst_"

// tokenBytes of randomness: as many as the hash has, so guessing one is as hard
// as guessing the other.
const tokenBytes = 32

// NewToken returns a new secret. It is shown once and kept nowhere; only its
// Hash is.
func NewToken() string {
	secret := make([]byte, tokenBytes)
	_, _ = rand.Read(secret) // never fails: crypto/rand ends the program first
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(secret)
}

// Hash returns the SHA-256 of a token, in hexadecimal. A token is random, so a
// slow hash would protect nothing and cost each request its time.
func Hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// hasTokenPrefix says whether s is meant to be a key.
func hasTokenPrefix(s string) bool { return strings.HasPrefix(s, tokenPrefix) }

// isToken says whether s has the shape of a token, so that what is none can be
// told from a token that is not known.
func isToken(s string) bool {
	text, found := strings.CutPrefix(s, tokenPrefix)
	if !found || len(text) != base64.RawURLEncoding.EncodedLen(tokenBytes) {
		return false
	}
	_, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil
}
