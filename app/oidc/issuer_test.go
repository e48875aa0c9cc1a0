package oidc_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"cloudstorage/app/auth"
	"cloudstorage/app/e2e/issuertest"
	"cloudstorage/app/oidc"
)

const audience = "storage"

// ann's tokens live five minutes and let her read reports.
var ann = issuertest.Client{
	ID: "ann", Audience: []string{"other", audience}, Seconds: 300,
	Claims: map[string]any{"groups": []string{"staff", "readers"}},
}

func config(issuer string) oidc.Config {
	return oidc.Config{Issuer: issuer, Audience: audience, Rules: []oidc.Rule{
		{Claim: "groups", Value: "readers", Grant: auth.Grant{Verbs: []auth.Verb{auth.List, auth.Read}, Prefixes: []string{"reports/"}}},
		{Claim: "groups", Value: "admins", Grant: auth.Grant{Verbs: auth.Verbs(), Prefixes: []string{""}}},
	}}
}

func newIssuer(t *testing.T, cfg oidc.Config, log io.Writer) *oidc.Issuer {
	t.Helper()
	i, err := oidc.New(cfg, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func wantInvalid(t *testing.T, name string, i *oidc.Issuer, token string, now time.Time, reason string) {
	t.Helper()
	caller, err := i.Authenticate(t.Context(), token, now)
	var invalid *auth.InvalidError
	if !errors.As(err, &invalid) || !strings.Contains(invalid.Reason, reason) {
		t.Errorf("%s: %+v, %v, want refused with %q", name, caller, err, reason)
		return
	}
	if len(token) > 20 && strings.Contains(err.Error(), token[:20]) {
		t.Errorf("%s: the error quotes the token: %v", name, err)
	}
}

func wantKnown(t *testing.T, name string, i *oidc.Issuer, token string, now time.Time) auth.Caller {
	t.Helper()
	caller, err := i.Authenticate(t.Context(), token, now)
	if err != nil || caller.ID != "oidc:ann" {
		t.Errorf("%s: %+v, %v", name, caller, err)
	}
	return caller
}

func TestATokenIsItsSubjectAndAllowsWhatItsClaimsGrant(t *testing.T) {
	t.Parallel()
	real := issuertest.Start(t)
	i := newIssuer(t, config(real.URL), io.Discard)
	caller := wantKnown(t, "ann", i, real.Token(t, ann), time.Now())
	if caller.May(auth.Read, "reports/1") != nil || caller.May(auth.Read, "x") == nil || caller.May(auth.Write, "reports/1") == nil {
		t.Errorf("ann may do %+v", caller.Grants)
	}
	nobody := ann
	nobody.Claims = map[string]any{"groups": "staff"}
	caller = wantKnown(t, "in no group that counts", i, real.Token(t, nobody), time.Now())
	var forbidden *auth.ForbiddenError
	if err := caller.May(auth.List, "reports/"); !errors.As(err, &forbidden) {
		t.Errorf("a known caller without grants: %v", err)
	}
}

func TestTokensExpireAMinuteLateAndNotLater(t *testing.T) {
	t.Parallel()
	real := issuertest.Start(t)
	i := newIssuer(t, config(real.URL), io.Discard)
	now := time.Now()
	token := real.Token(t, ann) // within a second or, on a busy machine, some more
	wantKnown(t, "fresh", i, token, now)
	wantKnown(t, "within the skew", i, token, now.Add(5*time.Minute+50*time.Second))
	wantInvalid(t, "beyond the skew", i, token, now.Add(7*time.Minute), "the token expired at 20")
}

func TestTokensThatAreNotForUsAreRefused(t *testing.T) {
	t.Parallel()
	real, other := issuertest.Start(t), issuertest.Start(t)
	i := newIssuer(t, config(real.URL), io.Discard)
	good := real.Token(t, ann)
	wantKnown(t, "the one that all of these differ from", i, good, time.Now())
	later := time.Now().Add(time.Minute) // so that the keys may be asked for again

	elsewhere, subject, bound := ann, ann, ann
	elsewhere.Audience = []string{"another-api"}
	subject.ID = "anné\n"
	bound.Claims = map[string]any{"groups": "readers", "cnf": map[string]string{"jkt": "x"}}
	header, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	var claims map[string]any
	decodePart(t, payload, &claims)
	var head map[string]any
	decodePart(t, header, &head)
	claims["groups"] = []string{"admins"}

	publicKey := firstKey(t, real.URL)
	der, err := x509.MarshalPKIXPublicKey(publicKey.Key)
	if err != nil {
		t.Fatal(err)
	}
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	notFor := "the token is not for this API"
	for name, tt := range map[string]struct{ token, reason string }{
		"another audience":             {real.Token(t, elsewhere), notFor},
		"another issuer":               {other.Token(t, ann), notFor},
		"a subject that is no name":    {real.Token(t, subject), notFor},
		"bound to a key of the bearer": {real.Token(t, bound), "bound to a key"},
		"no token":                     {"", notFor},
		"not a JWT":                    {"a.b.c", notFor},
		"cut":                          {good[:len(good)-2], notFor},
		"no signature":                 {header + "." + payload + ".", notFor},
		"unsigned":                     {encodePart(t, map[string]any{"alg": "none"}) + "." + encodePart(t, claims) + ".", notFor},
		"other claims":                 {header + "." + encodePart(t, claims) + "." + signature, notFor},
		"another algorithm's name":     {encodePart(t, map[string]any{"alg": "PS256", "kid": head["kid"]}) + "." + payload + "." + signature, notFor},
		"HS256 with the public key":    {sign(t, jose.HS256, der, publicKey.KeyID, claims), notFor},
		"HS256 with its PEM":           {sign(t, jose.HS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), publicKey.KeyID, claims), notFor},
		"a stranger with the key's id": {sign(t, jose.ES256, own, publicKey.KeyID, claims), notFor},
		"a stranger who sends the key": {signEmbedded(t, own, claims), notFor},
	} {
		wantInvalid(t, name, i, tt.token, later, tt.reason)
	}
	wantKnown(t, "the good one, after all of these", i, good, later)
}

func TestKeysAreCachedAndRotate(t *testing.T) {
	t.Parallel()
	real := issuertest.Start(t)
	i := newIssuer(t, config(real.URL), io.Discard)
	now := time.Now()
	first := real.Token(t, ann)
	wantKnown(t, "the first key", i, first, now)

	real.Rotate(t, true)
	second := real.Token(t, ann)
	wantInvalid(t, "a key unknown, right after reading", i, second, now.Add(5*time.Second), "not for this API")
	wantKnown(t, "a key unknown, some seconds later", i, second, now.Add(15*time.Second))
	wantKnown(t, "the first key, still published", i, first, now.Add(15*time.Second))

	real.Rotate(t, false)
	third := real.Token(t, ann)
	wantKnown(t, "the third key", i, third, now.Add(30*time.Second))
	wantInvalid(t, "the first key, withdrawn", i, first, now.Add(30*time.Second), "not for this API")

	real.Stop()
	wantKnown(t, "a known key, without the issuer", i, third, now.Add(time.Minute))
	var unavailable *auth.UnavailableError
	if _, err := i.Authenticate(t.Context(), second, now.Add(time.Minute)); !errors.As(err, &unavailable) {
		t.Errorf("an unknown key, without the issuer: %v", err)
	}
	wantKnown(t, "a known key, after that failed", i, third, now.Add(time.Minute))
}

// front passes on to an issuer, unless it is told to answer itself.
type front struct {
	mu     sync.Mutex
	asked  int
	answer http.HandlerFunc
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked++
	answer := f.answer
	f.mu.Unlock()
	answer(w, r)
}

func (f *front) set(answer http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
}

func TestAnIssuerThatDoesNotMakeSenseIsUnavailableAndLoggedOnce(t *testing.T) {
	t.Parallel()
	real := issuertest.Start(t)
	token := real.Token(t, ann)
	f := &front{}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	say := func(format string, args ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/keys" {
				_, _ = io.WriteString(w, args[0])
				return
			}
			_, _ = io.WriteString(w, strings.ReplaceAll(format, "SELF", server.URL))
		}
	}
	self := `{"issuer":"SELF","jwks_uri":"SELF/keys"}`
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		says   string
	}{
		"500":                    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, "500"},
		"a redirect":             {http.RedirectHandler(real.URL, http.StatusFound).ServeHTTP, "302"},
		"not JSON":               {say("hello"), "invalid character"},
		"another issuer":         {say(`{"issuer":"https://other.example","jwks_uri":"SELF/keys"}`), "calls itself"},
		"keys without https":     {say(`{"issuer":"SELF","jwks_uri":"http://other.example/keys"}`), "not https"},
		"keys from a file":       {say(`{"issuer":"SELF","jwks_uri":"file:///etc/passwd"}`), "not https"},
		"no keys":                {say(self, `{"keys":[]}`), "no key that signs"},
		"only keys that encrypt": {say(self, `{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","use":"enc"}]}`), "no key that signs"},
		"a secret key":           {say(self, `{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`), "no key that signs"},
		"more than is read":      {say(strings.Repeat(" ", 2<<20)), "more than"},
	} {
		f.set(tt.answer)
		log := &bytes.Buffer{}
		i := newIssuer(t, config(server.URL), log)
		var unavailable *auth.UnavailableError
		for n := range 3 {
			_, err := i.Authenticate(t.Context(), token, time.Now().Add(time.Duration(n)*20*time.Second))
			if !errors.As(err, &unavailable) || !strings.Contains(err.Error(), tt.says) || strings.Contains(unavailable.Message(), tt.says) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if strings.Count(log.String(), "\n") != 1 {
			t.Errorf("%s: logged %s", name, log)
		}
	}
}

func TestTokensThatAnyoneCanMakeUpDoNotBotherTheIssuer(t *testing.T) {
	t.Parallel()
	f := &front{}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: own.Public(), Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	f.set(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/keys" {
			_, _ = w.Write(keys)
			return
		}
		_, _ = io.WriteString(w, `{"issuer":"`+server.URL+`","jwks_uri":"`+server.URL+`/keys"}`)
	})
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := newIssuer(t, config(server.URL), io.Discard)
	now := time.Now()
	claims := map[string]any{"iss": server.URL, "aud": audience, "sub": "ann", "exp": now.Add(time.Hour).Unix()}
	forged := sign(t, jose.ES256, stranger, "", claims)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { wantInvalid(t, "forged", i, forged, now, "not for this API") })
	}
	all.Wait()
	wantKnown(t, "ann", i, sign(t, jose.ES256, own, "", claims), now)
	if f.asked != 2 { // discovery and keys
		t.Errorf("asked %d times", f.asked)
	}
	notYet := map[string]any{"iss": server.URL, "aud": audience, "sub": "ann", "exp": now.Add(time.Hour).Unix(), "nbf": now.Add(10 * time.Minute).Unix()}
	wantInvalid(t, "not yet", i, sign(t, jose.ES256, own, "", notYet), now, "not for this API")
	delete(claims, "exp")
	wantInvalid(t, "for ever", i, sign(t, jose.ES256, own, "", claims), now, "expired")
}

func TestNobodyWaitsLongerThanTheyWantForAnIssuerThatHangs(t *testing.T) {
	t.Parallel()
	asked, hangs := make(chan struct{}, 9), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{}; <-hangs }))
	t.Cleanup(server.Close)
	i := newIssuer(t, config(server.URL), io.Discard)
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	token := sign(t, jose.ES256, own, "", map[string]any{"iss": server.URL})

	ctx, stop := context.WithCancel(t.Context())
	var running, waiting sync.WaitGroup
	running.Go(func() { i.Run(ctx) })
	<-asked
	stop()
	running.Wait() // a server that stops

	waiting.Go(func() { wantUnavailable(t.Context(), t, i, token) })
	<-asked
	gone, leave := context.WithCancel(t.Context())
	leave()
	wantUnavailable(gone, t, i, token) // while the other one waits
	close(hangs)
	waiting.Wait()
}

func wantUnavailable(ctx context.Context, t *testing.T, i *oidc.Issuer, token string) {
	t.Helper()
	var unavailable *auth.UnavailableError
	if caller, err := i.Authenticate(ctx, token, time.Now()); !errors.As(err, &unavailable) {
		t.Errorf("%+v, %v", caller, err)
	}
}

func firstKey(t *testing.T, issuer string) jose.JSONWebKey {
	t.Helper()
	r, err := http.Get(issuer + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(r.Body).Decode(&set); err != nil || len(set.Keys) == 0 {
		t.Fatalf("%+v, %v", set, err)
	}
	return set.Keys[0]
}

func sign(t *testing.T, algorithm jose.SignatureAlgorithm, key any, id string, claims map[string]any) string {
	t.Helper()
	return signed(t, jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: id}}, nil, claims)
}

// signEmbedded sends the key along, in the header.
func signEmbedded(t *testing.T, key *ecdsa.PrivateKey, claims map[string]any) string {
	t.Helper()
	return signed(t, jose.SigningKey{Algorithm: jose.ES256, Key: key}, &jose.SignerOptions{EmbedJWK: true}, claims)
}

func signed(t *testing.T, key jose.SigningKey, o *jose.SignerOptions, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(key, o)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func encodePart(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func decodePart(t *testing.T, part string, v any) {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
}
