package auth

import (
	"context"
	"time"
)

// Issuer tells who the bearer of a token is that an issuer made. Its errors are
// *InvalidError and *UnavailableError.
type Issuer interface {
	Authenticate(ctx context.Context, token string, now time.Time) (Caller, error)
}

// Authenticator tells who sends a request. The zero value knows nobody.
type Authenticator struct {
	// Off lets anyone in, whatever they send: only where the environment says so.
	Off bool
	// Keys returns the keys that are known now; nil where there are none.
	Keys func() Keyring
	// Issuer knows the tokens that are not keys; nil where there is none.
	Issuer Issuer
}

// Authenticate returns the caller that the Authorization headers of a request
// name. What has a key's prefix is a key and nothing else, so no key is ever
// handed to the issuer's code.
func (a Authenticator) Authenticate(ctx context.Context, headers []string, now time.Time) (Caller, error) {
	if a.Off {
		return Anyone(), nil
	}
	header := ""
	switch len(headers) {
	case 0:
	case 1:
		header = headers[0]
	default: // which of them did the proxy in front believe?
		return Caller{}, &InvalidError{Reason: "there is more than one Authorization header"}
	}
	token, err := Bearer(header)
	switch {
	case err != nil:
		return Caller{}, err
	case a.Keys != nil && (hasTokenPrefix(token) || a.Issuer == nil):
		return a.Keys().Authenticate(token, now)
	case a.Issuer != nil && !hasTokenPrefix(token):
		return a.Issuer.Authenticate(ctx, token, now)
	}
	return Caller{}, &InvalidError{Reason: "tokens of this kind are not accepted here"}
}
