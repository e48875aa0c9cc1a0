package auth_test

import (
	"context"
	"errors"
	"regexp"
	"testing"
	"time"

	"cloudstorage/app/auth"
)

// fakeIssuer knows one token, and keeps what it was asked.
type fakeIssuer struct {
	token string
	asked []string
}

func (f *fakeIssuer) Authenticate(_ context.Context, token string, _ time.Time) (auth.Caller, error) {
	f.asked = append(f.asked, token)
	if token != f.token {
		return auth.Caller{}, &auth.InvalidError{Reason: "not the issuer's"}
	}
	return auth.Caller{ID: "oidc:ann"}, nil
}

func TestWhatLooksLikeAKeyIsAKeyAndTheRestIsTheIssuers(t *testing.T) {
	t.Parallel()
	token := auth.NewToken()
	both := keys(token, nil)
	issuer := &fakeIssuer{token: "a.b.c"}
	both.Issuer = issuer
	for _, tt := range []struct {
		name string
		a    auth.Authenticator
		sent string
		want string // the caller; "" is nobody
	}{
		{"a key", both, token, "ci"},
		{"a token", both, "a.b.c", "oidc:ann"},
		{"another token", both, "a.b.d", ""},
		{"another key", both, auth.NewToken(), ""},
		{"a key that was cut", both, token[:20], ""},
		{"a token, where only keys are known", keys(token, nil), "a.b.c", ""},
		{"a key, where only an issuer is known", auth.Authenticator{Issuer: issuer}, token, ""},
		{"a token, where only an issuer is known", auth.Authenticator{Issuer: issuer}, "a.b.c", "oidc:ann"},
		{"a key, where nobody is known", auth.Authenticator{}, token, ""},
		{"a key, where nobody is asked", auth.Authenticator{Off: true}, token, "anyone"},
	} {
		caller, err := tt.a.Authenticate(t.Context(), []string{"Bearer " + tt.sent}, now)
		var invalid *auth.InvalidError
		if caller.ID != tt.want || (tt.want == "") != errors.As(err, &invalid) {
			t.Errorf("%s: %q, %v", tt.name, caller.ID, err)
		}
	}
	if caller, err := (auth.Authenticator{Off: true}).Authenticate(t.Context(), nil, now); caller.ID != "anyone" || err != nil {
		t.Errorf("nobody is asked, nothing is sent: %+v, %v", caller, err)
	}
	for _, asked := range issuer.asked {
		if len(asked) != len("a.b.c") {
			t.Errorf("the issuer was asked about %q", asked)
		}
	}
}

func TestAChallengeSaysWhatRFC6750Says(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"":                       errors.New("anything else"),
		`Bearer realm="storage"`: auth.ErrMissing,
		`Bearer realm="storage", error="invalid_token", error_description="it 'is' over''"`: &auth.InvalidError{Reason: "it \"is\" over\r\n"},
		`Bearer realm="storage", error="insufficient_scope", scope="read"`:                  &auth.ForbiddenError{Caller: "ci", Verb: auth.Read, Name: "a\"b"},
	} {
		got := auth.Challenge(err)
		if got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
		if !regexp.MustCompile(`^[\x20-\x7e]*$`).MatchString(got) {
			t.Errorf("%v: %q is no header", err, got)
		}
	}
	if got := auth.Challenge(&auth.UnavailableError{Err: errors.New("no answer")}); got != "" {
		t.Errorf("unavailable: %s", got)
	}
}
