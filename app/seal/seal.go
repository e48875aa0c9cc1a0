// Package seal makes tokens that carry a few bytes out to a caller and back and
// cannot be made or changed by anybody else: cursors of listings, share links.
// It does no I/O.
package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// KeyBytes is the size of the key that seals.
const KeyBytes = 32

// sumBytes of the authentication code travel: half of it, the least that RFC
// 2104 (section 5) advises, since a token is part of a URL.
const sumBytes = sha256.Size / 2

// Purpose tells kinds of tokens apart, so that none can be used as another.
type Purpose string

// ErrBroken says that a token was not sealed by this key for this purpose.
var ErrBroken = errors.New("the token was cut or changed, or is not of this server")

// encoding needs no escaping in a path or a query, and accepts one spelling of
// a token only.
var encoding = base64.RawURLEncoding.Strict()

// Sealer seals and opens. It is safe for concurrent use.
type Sealer struct{ key [KeyBytes]byte }

// New returns a sealer with the key that every instance shares.
func New(key []byte) (*Sealer, error) {
	if len(key) != KeyBytes {
		return nil, fmt.Errorf("a sealing key has %d bytes, not %d", KeyBytes, len(key))
	}
	return &Sealer{[KeyBytes]byte(key)}, nil
}

// Seal returns a token that holds payload, readable but not changeable.
func (s *Sealer) Seal(p Purpose, payload []byte) string {
	return encoding.EncodeToString(append(s.sum(p, payload), payload...))
}

// Open returns the payload of a token that Seal made, or ErrBroken.
func (s *Sealer) Open(p Purpose, token string) ([]byte, error) {
	text, err := encoding.DecodeString(token)
	if err != nil || len(text) < sumBytes || strings.ContainsAny(token, "\r\n") { // which base64 skips
		return nil, ErrBroken
	}
	sum, payload := text[:sumBytes], text[sumBytes:]
	if !hmac.Equal(sum, s.sum(p, payload)) {
		return nil, ErrBroken
	}
	return payload, nil
}

// sum authenticates the purpose, its end and the payload.
func (s *Sealer) sum(p Purpose, payload []byte) []byte {
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write([]byte(p))
	mac.Write([]byte{0})
	mac.Write(payload)
	return mac.Sum(nil)[:sumBytes]
}
