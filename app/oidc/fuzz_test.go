package oidc

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	library "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"cloudstorage/app/auth"
)

// FuzzAuthenticate holds that a token is ann's, whose key alone signs, or is
// refused.
func FuzzAuthenticate(f *testing.F) {
	// The fuzzer's processes must agree on the key and the time.
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{1}, 32))
	if err != nil {
		f.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		f.Fatal(err)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	i, err := New(Config{
		Issuer: "https://issuer.example", Audience: "storage",
		Rules: []Rule{{"groups", "x", auth.Grant{Verbs: auth.Verbs(), Prefixes: []string{""}}}},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		f.Fatal(err)
	}
	// Read just now, so that no token makes it ask the issuer.
	i.keys.Store(&library.StaticKeySet{PublicKeys: []crypto.PublicKey{key.Public()}})
	i.last = now
	for _, change := range []map[string]any{
		{}, {"aud": "other"}, {"aud": []any{"storage", 1}}, {"iss": ""}, {"exp": "soon"}, {"exp": 1e300}, {"nbf": -1}, {"cnf": nil}, {"groups": map[string]any{}},
		{"_claim_names": map[string]any{"groups": "a"}, "_claim_sources": map[string]any{"a": map[string]any{"endpoint": "http://127.0.0.1:1"}}},
	} {
		claims := map[string]any{"iss": "https://issuer.example", "aud": "storage", "sub": "ann", "exp": now.Add(time.Hour).Unix(), "groups": "x"}
		for name, v := range change {
			claims[name] = v
		}
		text, err := json.Marshal(claims)
		if err != nil {
			f.Fatal(err)
		}
		signed, err := signer.Sign(text)
		if err != nil {
			f.Fatal(err)
		}
		token, err := signed.CompactSerialize()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(token)
		f.Add(signed.FullSerialize())
		header, rest, _ := strings.Cut(token, ".")
		f.Add("e30." + rest)
		f.Add(header + ".e30.")
	}
	f.Fuzz(func(t *testing.T, token string) {
		caller, err := i.Authenticate(t.Context(), token, now)
		var invalid *auth.InvalidError
		if err == nil && caller.ID != "oidc:ann" || err != nil && (!errors.As(err, &invalid) || caller.ID != "" || caller.Grants != nil) {
			t.Fatalf("%q: %+v, %v", token, caller, err)
		}
	})
}
