package auth

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// Keyring is all keys that are known. The zero value has none. Its JSON is
// {"keys":[…]}.
type Keyring struct {
	keys    []Key
	sums    [][sha256.Size]byte // of the keys' tokens, so that a request decodes none
	callers []Caller            // who the keys are
}

// keyringFile is a keyring as it is written.
type keyringFile struct {
	Keys []Key `json:"keys"`
}

var idPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// ParseKeyring reads a keyring's JSON. Unknown fields, and keys that could never
// be used as they are meant, are errors: whoever mistypes "expires" must not get
// a key that lives for ever.
func ParseKeyring(text []byte) (Keyring, error) {
	var f keyringFile
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil {
		return Keyring{}, fmt.Errorf("read keys: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Keyring{}, errors.New("read keys: more than one JSON document")
	}
	if f.Keys == nil {
		return Keyring{}, errors.New(`read keys: "keys" is missing: give an empty list for none`)
	}
	return NewKeyring(f.Keys)
}

// NewKeyring returns the keys as a keyring, or all that is wrong with them. No
// keys are good: all of them were revoked.
func NewKeyring(keys []Key) (Keyring, error) {
	r := Keyring{keys: keys}
	var errs []error
	ids, sums := map[string]bool{}, map[[sha256.Size]byte]bool{}
	for i, k := range keys {
		if err := k.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("key %d: %w", i, err))
		}
		if ids[k.ID] {
			errs = append(errs, fmt.Errorf("key %d: id %q is another key's: give each its own", i, k.ID))
		}
		var sum [sha256.Size]byte
		decoded, err := hex.DecodeString(k.SHA256)
		copy(sum[:], decoded)
		if err == nil && sums[sum] {
			errs = append(errs, fmt.Errorf("key %d: id %q has another key's sha256: a token is one key's", i, k.ID))
		}
		ids[k.ID], sums[sum] = true, true
		r.sums = append(r.sums, sum)
		r.callers = append(r.callers, Caller{ID: k.ID, Grants: []Grant{{k.Verbs, k.Prefixes}}})
	}
	if err := errors.Join(errs...); err != nil {
		return Keyring{}, err
	}
	return r, nil
}

// Keys returns the keys. The caller must not change them.
func (r Keyring) Keys() []Key { return r.keys }

// MarshalJSON writes what ParseKeyring reads.
func (r Keyring) MarshalJSON() ([]byte, error) {
	return json.Marshal(keyringFile{append([]Key{}, r.keys...)})
}

// Validate reports what is wrong with the key.
func (k Key) Validate() error {
	var errs []error
	if !idPattern.MatchString(k.ID) {
		errs = append(errs, fmt.Errorf("id %q is not 1 to 64 letters, digits, '-', '_' and '.'", k.ID))
	}
	if k.ID == anyone.ID { // whose links it could revoke, and whose rate it would share
		errs = append(errs, fmt.Errorf("id %q is what everybody is called where access is open: give the key another", k.ID))
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
	found := -1
	for i := range r.sums {
		if subtle.ConstantTimeCompare(hash[:], r.sums[i][:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return Caller{}, &InvalidError{Reason: "the key is not known, or was revoked"}
	}
	if end := r.keys[found].Expires; !end.IsZero() && !now.Before(end) {
		return Caller{}, &InvalidError{Reason: "the key expired at " + end.UTC().Format(time.RFC3339)}
	}
	return r.callers[found], nil
}
