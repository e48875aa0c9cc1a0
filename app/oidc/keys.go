package oidc

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	library "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

const (
	// rereadEvery is how long a key that the issuer withdrew is trusted at most.
	rereadEvery = 5 * time.Minute
	// rereadPause is the least time between two readings that tokens of unknown
	// keys cause: anyone can make up such a token.
	rereadPause = 10 * time.Second
	// fetchTimeout bounds each of the two requests of a reading: somebody waits.
	fetchTimeout = 5 * time.Second
	// maxDocument bounds what the issuer may send, and maxKeys what a token is
	// tried with.
	maxDocument = 1 << 20
	maxKeys     = 100
)

// newClient follows no redirect, which could leave https, and keeps no
// connection: the next reading is minutes away.
func newClient() *http.Client {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, ForceAttemptHTTP2: true}
	return &http.Client{
		Transport:     transport,
		Timeout:       fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Run reads the issuer's keys now and every few minutes, until ctx is done.
func (i *Issuer) Run(ctx context.Context) {
	tick := time.NewTicker(rereadEvery)
	defer tick.Stop()
	for {
		_ = i.reread(ctx, ctx, time.Now(), func() bool { return true }) // it was logged
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// keySet verifies one token's signature.
type keySet struct {
	issuer      *Issuer
	now         time.Time
	unavailable error // why nobody can tell; the library drops an error's type
}

// VerifySignature tries the keys that are known, then those that the issuer has
// now: it may have begun to use a new one.
func (k *keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	known := k.issuer.keys.Load()
	if known != nil {
		if payload, err := known.VerifySignature(ctx, token); err == nil {
			return payload, nil
		}
	}
	// A caller that leaves must not cost the others their keys.
	err := k.issuer.reread(ctx, context.WithoutCancel(ctx), k.now, func() bool {
		// The last reading may have been by a clock that was ahead.
		return k.issuer.keys.Load() == known && k.now.Sub(k.issuer.last).Abs() >= rereadPause
	})
	if err != nil {
		k.unavailable = err
		return nil, err
	}
	if fresh := k.issuer.keys.Load(); fresh != known {
		return fresh.VerifySignature(ctx, token)
	}
	return nil, errors.New("no key of the issuer made this signature")
}

// reread waits until ctx for its turn, reads the keys within fetching if they
// still are due, and returns what came of the last reading. The keys before stay in force when it fails: an
// issuer's outage locks nobody out who could get in before. That it fails, and
// that it no longer does, is logged once.
func (i *Issuer) reread(ctx, fetching context.Context, now time.Time, due func() bool) error {
	select {
	case i.turn <- struct{}{}:
		defer func() { <-i.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if !due() {
		return i.err
	}
	start := time.Now()
	keys, err := i.fetch(fetching)
	switch {
	case fetching.Err() != nil: // the server stops
		return err
	case err != nil && i.err == nil:
		i.log.Error("the issuer's keys cannot be read: those before stay in force", "issuer", i.cfg.Issuer, "error", err.Error())
	case err == nil && i.err != nil:
		i.log.Info("the issuer's keys can be read again", "issuer", i.cfg.Issuer)
	}
	if err == nil {
		i.keys.Store(keys)
	}
	i.last, i.err = now.Add(time.Since(start)), err
	return err
}

// fetch finds the keys as OpenID Connect Discovery (section 4) says.
func (i *Issuer) fetch(ctx context.Context) (*library.StaticKeySet, error) {
	var discovered struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := i.get(ctx, strings.TrimSuffix(i.cfg.Issuer, "/")+"/.well-known/openid-configuration", &discovered); err != nil {
		return nil, err
	}
	switch {
	case discovered.Issuer != i.cfg.Issuer:
		return nil, fmt.Errorf("the issuer calls itself %q, not %q: write it as it does", discovered.Issuer, i.cfg.Issuer)
	case !trusted(withoutQuery(discovered.JWKSURI)) || strings.HasPrefix(i.cfg.Issuer, "https:") && !strings.HasPrefix(discovered.JWKSURI, "https:"):
		return nil, fmt.Errorf("the issuer's jwks_uri %q is not https", discovered.JWKSURI)
	}
	var published struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := i.get(ctx, discovered.JWKSURI, &published); err != nil {
		return nil, err
	}
	set := &library.StaticKeySet{}
	for _, raw := range published.Keys {
		if key := signingKey(raw); key != nil && len(set.PublicKeys) < maxKeys {
			set.PublicKeys = append(set.PublicKeys, key)
		}
	}
	if len(set.PublicKeys) == 0 {
		return nil, fmt.Errorf("%s has no key that signs", discovered.JWKSURI)
	}
	return set, nil
}

// signingKey returns a public key that may sign, or nil: a set may hold keys of
// kinds that we do not know (RFC 7517, section 5).
func signingKey(raw []byte) crypto.PublicKey {
	var key jose.JSONWebKey
	if err := json.Unmarshal(raw, &key); err != nil || key.Use != "" && key.Use != "sig" {
		return nil
	}
	switch key.Key.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
		return key.Key
	}
	return nil
}

func (i *Issuer) get(ctx context.Context, url string, v any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := i.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, answer.Status)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxDocument+1))
	if err != nil {
		return fmt.Errorf("GET %s: %w", url, err)
	}
	if len(body) > maxDocument {
		return fmt.Errorf("GET %s: more than %d bytes", url, maxDocument)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("GET %s: %w", url, err)
	}
	return nil
}

func withoutQuery(url string) string {
	path, _, _ := strings.Cut(url, "?")
	return path
}
