package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// client may get tokens that say what it was registered with.
type client struct {
	ID       string         `json:"id"`
	Secret   string         `json:"secret"`
	Audience []string       `json:"audience"`
	Seconds  int            `json:"seconds"` // how long its tokens live
	Claims   map[string]any `json:"claims"`
}

// signingKey is a key pair; its public half is published.
type signingKey struct {
	id        string
	algorithm jose.SignatureAlgorithm
	private   any
	public    any
}

// storage keeps clients and keys in memory. What the client credentials grant
// does not need is left to the embedded interface, which is nil: calling it
// fails the request.
type storage struct {
	op.Storage

	mu      sync.Mutex
	clients map[string]client
	keys    []signingKey // the last one signs
}

func (s *storage) add(c client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[c.ID] = c
}

// rotate alternates between RSA and ECDSA, so that a test sees both.
func (s *storage) rotate(old string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := signingKey{id: rand.Text()}
	if n := len(s.keys); n == 0 || s.keys[n-1].algorithm != jose.RS256 {
		private, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return err
		}
		k.algorithm, k.private, k.public = jose.RS256, private, private.Public()
	} else {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return err
		}
		k.algorithm, k.private, k.public = jose.ES256, private, private.Public()
	}
	switch old {
	case "keep":
		s.keys = append(s.keys, k)
	case "drop":
		s.keys = []signingKey{k}
	default:
		return fmt.Errorf("rotate is %q: say keep or drop", old)
	}
	return nil
}

func (s *storage) client(id string) (client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.clients[id]
	if !ok {
		return client{}, fmt.Errorf("there is no client %q", id)
	}
	return c, nil
}

// The rest is what the provider calls.

func (s *storage) Health(context.Context) error { return nil }

func (s *storage) ClientCredentials(_ context.Context, id, secret string) (op.Client, error) {
	c, err := s.client(id)
	if err == nil && subtle.ConstantTimeCompare([]byte(c.Secret), []byte(secret)) != 1 {
		err = fmt.Errorf("the secret of client %q is another", id)
	}
	if err != nil {
		return nil, err
	}
	return registered{id: id}, nil
}

func (s *storage) ClientCredentialsTokenRequest(_ context.Context, id string, scopes []string) (op.TokenRequest, error) {
	c, err := s.client(id)
	return request{c, scopes}, err
}

func (s *storage) CreateAccessToken(_ context.Context, r op.TokenRequest) (string, time.Time, error) {
	c, err := s.client(r.GetSubject())
	return rand.Text(), time.Now().Add(time.Duration(c.Seconds) * time.Second), err
}

func (s *storage) GetPrivateClaimsFromScopes(_ context.Context, _, id string, _ []string) (map[string]any, error) {
	c, err := s.client(id)
	return c.Claims, err
}

func (s *storage) SigningKey(context.Context) (op.SigningKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return private{s.keys[len(s.keys)-1]}, nil
}

func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256, jose.ES256}, nil
}

func (s *storage) KeySet(context.Context) ([]op.Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []op.Key
	for _, k := range slices.Backward(s.keys) {
		keys = append(keys, public{k})
	}
	return keys, nil
}

type private struct{ signingKey }

func (k private) ID() string                                  { return k.id }
func (k private) SignatureAlgorithm() jose.SignatureAlgorithm { return k.algorithm }
func (k private) Key() any                                    { return k.private }

type public struct{ signingKey }

func (k public) ID() string                         { return k.id }
func (k public) Algorithm() jose.SignatureAlgorithm { return k.algorithm }
func (k public) Use() string                        { return "sig" }
func (k public) Key() any                           { return k.public }

// request is what a token is made for.
type request struct {
	client client
	scopes []string
}

func (r request) GetSubject() string    { return r.client.ID }
func (r request) GetAudience() []string { return r.client.Audience }
func (r request) GetScopes() []string   { return r.scopes }

// registered is a client as the provider sees it.
type registered struct {
	op.Client
	id string
}

func (c registered) GetID() string { return c.id }
func (c registered) GrantTypes() []oidc.GrantType {
	return []oidc.GrantType{oidc.GrantTypeClientCredentials}
}
func (c registered) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }
func (c registered) ClockSkew() time.Duration            { return 0 }
func (c registered) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}
