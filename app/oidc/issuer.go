// Package oidc tells who the bearer of an OpenID Connect issuer's token is, and
// what the token allows. It asks the issuer for its public keys and nothing
// else, so an issuer that is away stops nobody whose token it has signed.
package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	library "github.com/coreos/go-oidc/v3/oidc"

	"cloudstorage/app/auth"
)

// skew is how far the issuer's clock may be behind ours when a token expires.
// A token that is not good yet (nbf) is taken 4 minutes before: the library's 5
// less this.
const skew = time.Minute

// maxSubject is the longest that OpenID Connect Core (section 2) allows.
const maxSubject = 255

// algorithms are those with a public key: a signature that a public key could
// make (HS256) or that is none at all is refused whatever the issuer announces.
var algorithms = []string{
	library.RS256, library.RS384, library.RS512, library.PS256, library.PS384, library.PS512,
	library.ES256, library.ES384, library.ES512, library.EdDSA,
}

// Issuer knows an issuer's tokens. It is safe for concurrent use.
type Issuer struct {
	cfg    Config
	log    *slog.Logger
	client *http.Client

	keys atomic.Pointer[library.StaticKeySet] // nil until they could be read
	turn chan struct{}                        // held by who reads them, with:
	last time.Time                            // when they were asked for
	err  error                                // what came of it
}

// New returns the issuer without asking it anything, so that a server can start
// while the issuer is away.
func New(cfg Config, log *slog.Logger) (*Issuer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("OpenID Connect: %w", err)
	}
	return &Issuer{cfg: cfg, log: log, client: newClient(), turn: make(chan struct{}, 1)}, nil
}

// Authenticate returns the bearer of a token. The error is an *auth.InvalidError,
// or an *auth.UnavailableError where the keys that could tell are not to be had.
func (i *Issuer) Authenticate(ctx context.Context, token string, now time.Time) (auth.Caller, error) {
	keys := &keySet{issuer: i, now: now}
	verifier := library.NewVerifier(i.cfg.Issuer, keys, &library.Config{
		ClientID:             i.cfg.Audience,
		SupportedSigningAlgs: algorithms,
		Now:                  func() time.Time { return now.Add(-skew) },
	})
	verified, err := verifier.Verify(ctx, token)
	var expired *library.TokenExpiredError
	switch {
	case keys.unavailable != nil:
		return auth.Caller{}, &auth.UnavailableError{Err: keys.unavailable}
	case errors.As(err, &expired):
		return auth.Caller{}, &auth.InvalidError{Reason: "the token expired at " + expired.Expiry.UTC().Format(time.RFC3339)}
	case err != nil:
		return auth.Caller{}, i.refused(err)
	}
	var claims map[string]json.RawMessage
	if err := verified.Claims(&claims); err != nil {
		return auth.Caller{}, i.refused(err)
	}
	if !validSubject(verified.Subject) {
		return auth.Caller{}, i.refused(errors.New("sub is not 1 to 255 printable characters of ASCII"))
	}
	if _, bound := claims["cnf"]; bound {
		// RFC 9449 and RFC 8705: whoever stole it could use it, which is what
		// its owner wanted to prevent.
		return auth.Caller{}, &auth.InvalidError{Reason: "the token is bound to a key of its bearer, which this API does not check: ask for a plain one"}
	}
	return auth.Caller{ID: "oidc:" + verified.Subject, Grants: i.cfg.grants(claims)}, nil
}

// refused tells what is accepted, and the log what was not.
func (i *Issuer) refused(err error) error {
	return &auth.InvalidError{
		Reason: fmt.Sprintf("the token is not for this API: it takes those that %s signed for the audience %s", i.cfg.Issuer, i.cfg.Audience),
		Err:    err,
	}
}

// validSubject says whether sub can be logged and shown as it is.
func validSubject(sub string) bool {
	for _, c := range []byte(sub) {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return sub != "" && len(sub) <= maxSubject
}
