package auth

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"
)

// Key is a token's entry: everything about it but the token.
type Key struct {
	ID       string    `json:"id"`               // 1 to 64 letters, digits, -, _ and .
	SHA256   string    `json:"sha256"`           // of the token, in hexadecimal
	Verbs    []Verb    `json:"verbs"`            // one or more
	Prefixes []string  `json:"prefixes"`         // one or more; "" is everywhere
	Expires  time.Time `json:"expires,omitzero"` // zero: never
}

// Keyring is all keys that are known.
type Keyring struct {
	Keys []Key `json:"keys"`
}

var idPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// ParseKeyring reads a keyring's JSON. Unknown fields, and keys that could never
// be used as they are meant, are errors, all of them at once: whoever mistypes
// "expires" must not get a key that lives for ever.
func ParseKeyring(text []byte) (Keyring, error) {
	var r Keyring
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		return Keyring{}, fmt.Errorf("read keys: %w", err)
	}
	if decoder.More() {
		return Keyring{}, errors.New("read keys: more than one JSON document")
	}
	if err := r.Validate(); err != nil {
		return Keyring{}, err
	}
	return r, nil
}

// Validate reports every key that could not be used as it is meant. A keyring
// without keys is good: all of them were revoked.
func (r Keyring) Validate() error {
	var errs []error
	seen := map[string]bool{}
	for i, k := range r.Keys {
		if err := k.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("key %d: %w", i, err))
		}
		if seen[k.ID] {
			errs = append(errs, fmt.Errorf("key %d: id %q is another key's: give each its own", i, k.ID))
		}
		seen[k.ID] = true
	}
	return errors.Join(errs...)
}

// Validate reports what is wrong with the key.
func (k Key) Validate() error {
	var errs []error
	if !idPattern.MatchString(k.ID) {
		errs = append(errs, fmt.Errorf("id %q is not 1 to 64 letters, digits, '-', '_' and '.'", k.ID))
	}
	if sum, err := hex.DecodeString(k.SHA256); err != nil || len(sum) != tokenBytes {
		// Not quoted: who mistakes it for the token's place must not find it in a log.
		errs = append(errs, fmt.Errorf("sha256 has %d characters and is not 64 hexadecimal digits: give the token's hash, never the token", len(k.SHA256)))
	}
	errs = append(errs, Grant{k.Verbs, k.Prefixes}.Validate())
	return errors.Join(errs...)
}

// Authenticate returns the caller whose key the token is, or an *InvalidError.
// Each key is compared, in constant time, whether or not an earlier one matched.
func (r Keyring) Authenticate(token string, now time.Time) (Caller, error) {
	if !isToken(token) {
		return Caller{}, &InvalidError{Reason: "the key does not have the form of one: it was cut or changed"}
	}
	hash := sha256.Sum256([]byte(token))
	var found *Key
	for i := range r.Keys {
		var known [sha256.Size]byte
		n, err := hex.Decode(known[:], []byte(r.Keys[i].SHA256))
		if subtle.ConstantTimeCompare(hash[:], known[:]) == 1 && err == nil && n == len(known) {
			found = &r.Keys[i]
		}
	}
	switch {
	case found == nil:
		return Caller{}, &InvalidError{Reason: "the key is not known, or was revoked"}
	case !found.Expires.IsZero() && !now.Before(found.Expires):
		return Caller{}, &InvalidError{Reason: "the key expired at " + found.Expires.UTC().Format(time.RFC3339)}
	}
	return Caller{ID: found.ID, Grants: []Grant{{found.Verbs, found.Prefixes}}}, nil
}
