package oidc_test

import (
	"io"
	"log/slog"
	"strings"
	"testing"

	"cloudstorage/app/auth"
	"cloudstorage/app/oidc"
)

func TestAConfigThatWouldNotHoldIsRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*oidc.Config)
		want   string // "" is good
	}{
		"as it is":              {func(*oidc.Config) {}, ""},
		"a path":                {func(c *oidc.Config) { c.Issuer = "https://example.org/realms/a/" }, ""},
		"this machine":          {func(c *oidc.Config) { c.Issuer = "http://[::1]:1" }, ""},
		"no issuer":             {func(c *oidc.Config) { c.Issuer = "" }, `issuer ""`},
		"http":                  {func(c *oidc.Config) { c.Issuer = "http://example.org" }, "https://"},
		"a name for here":       {func(c *oidc.Config) { c.Issuer = "http://localhost" }, "127.0.0.1"},
		"no scheme":             {func(c *oidc.Config) { c.Issuer = "example.org" }, "https://"},
		"a query":               {func(c *oidc.Config) { c.Issuer = "https://example.org?a" }, "https://"},
		"a user":                {func(c *oidc.Config) { c.Issuer = "https://u:p@example.org" }, "https://"},
		"no audience":           {func(c *oidc.Config) { c.Audience = "" }, "audience is empty"},
		"no rules":              {func(c *oidc.Config) { c.Rules = nil }, "rules is empty"},
		"no claim":              {func(c *oidc.Config) { c.Rules[0].Claim = "" }, "rule 0: claim is empty"},
		"no value":              {func(c *oidc.Config) { c.Rules[0].Value = "" }, `value of claim "groups"`},
		"two scopes":            {func(c *oidc.Config) { c.Rules[0].Claim, c.Rules[0].Value = "scope", "a b" }, "a rule for each"},
		"no verbs":              {func(c *oidc.Config) { c.Rules[0].Verbs = nil }, "verbs is empty"},
		"a verb that is none":   {func(c *oidc.Config) { c.Rules[1].Verbs = []auth.Verb{"own"} }, `rule 1: verb "own"`},
		"no prefixes":           {func(c *oidc.Config) { c.Rules[0].Prefixes = nil }, "prefixes is empty"},
		"everything, all named": {func(c *oidc.Config) { *c = oidc.Config{} }, "rules is empty"},
	} {
		cfg := config("https://example.org")
		tt.change(&cfg)
		_, err := oidc.New(cfg, slog.New(slog.NewTextHandler(io.Discard, nil)))
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}
