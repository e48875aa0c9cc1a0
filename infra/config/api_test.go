package config

import (
	"slices"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/settings/apisettings"
)

func TestTheBucketsLimitIsNotBelowTheAPIs(t *testing.T) {
	t.Parallel()
	mistakes(t, private, cases{
		"URLs dead when signed": {change{"max_url_ttl: 1h", "max_url_ttl: 5m"}, []string{"api.max_url_ttl: 5m0s is below url_ttl, 10m0s: the bucket would refuse the API's own URLs"}},
		"an age of 8 days":      {change{"max_url_ttl: 1h", "max_url_ttl: 192h"}, []string{"api.max_url_ttl: 192h0m0s is not whole seconds from 1s to 168h"}},
		"half a second":         {change{"max_url_ttl: 1h", "max_url_ttl: 1h0m0.5s"}, []string{"api.max_url_ttl: 1h0m0.5s is not whole seconds"}},
	})
}

func TestWhoMayCallIsSaidAndHowFarItGoes(t *testing.T) {
	t.Parallel()
	with := func(base change, c ...string) change { return slices.Concat(base, c) }
	long := strings.Repeat("a", 1025)
	mistakes(t, private, cases{
		"nothing":                 {with(noKeys, "  access: restricted\n", ""), []string{"api.access: missing: say who may call: restricted"}},
		"off":                     {with(noKeys, "access: restricted", "access: off"), []string{`api.access: "off" is none of open, restricted`}},
		"keys that nobody asks":   {change{"access: restricted", "access: open"}, []string{"api.keys: access is open, to whoever connects"}},
		"tokens that nobody asks": {slices.Concat(isPublic, noKeys, issuer, change{"  access: restricted\n", "  access: open\n"}), []string{"api.oidc: access is open"}},
		"some routes":             {change{"exercise_routes: none", "exercise_routes: some"}, []string{`api.exercise_routes: "some" is none of all, read, none`}},
		"no body":                 {change{"max_body: 1048576", "max_body: 0"}, []string{"api.max_body: 0 is not from 1 to 5368709120 bytes"}},
		"over 5 GiB":              {change{"max_body: 1048576", "max_body: 5368709121"}, []string{"api.max_body: 5368709121 is not from 1 to 5368709120 bytes"}},
		"a link of half a second": {change{"max_link_ttl: 24h", "max_link_ttl: 24h0m0.5s"}, []string{"api.max_link_ttl: 24h0m0.5s is not whole seconds from 1s to 8784h"}},
		"a link for ever":         {change{"max_link_ttl: 24h", "max_link_ttl: 8785h"}, []string{"api.max_link_ttl: 8785h0m0s is not whole seconds"}},
		"no requests":             {change{"rate_limit: 50", "rate_limit: 0"}, []string{"api.rate_limit: 0 is not from 1 to 1000000 requests a second: give one, or -1"}},
		"too many requests":       {change{"rate_limit: 50", "rate_limit: 1000001"}, []string{"api.rate_limit: 1000001 is not from 1"}},
		"nothing at once":         {change{"max_concurrency: 200", "max_concurrency: 0"}, []string{"api.max_concurrency: 0 is not from 1 to 1000000 requests at once: give one, or -1"}},
		"metrics at a name":       {change{"127.0.0.1:9090", "localhost:9090"}, []string{`api.metrics_address: "localhost:9090" is not an IP address and a port`}},
		"traces to no URL":        {change{"http://10.20.16.9:4318", "10.20.16.9:4318"}, []string{`api.traces: "10.20.16.9:4318" is not http:// or https://`}},
		"traces with a backslash": {change{"http://10.20.16.9:4318", `http://10.20.16.9:4318/a\b`}, []string{"api.traces: "}},

		"a key without a name": {change{"id: backup", `id: ""`}, []string{`api.keys[0]: id "" is not 1 to 64 letters`}},
		"a key in its hash's place": {change{"0f5f7bba5c1a1b1b3b3a35d0e8b4a7a3ad7f7c1c3c1c3b5c3b5c3b5c3b5c3b5c", "cst_secret"}, []string{
			"api.keys[0]: sha256 has 10 characters and is not 64 hexadecimal digits: give the token's hash, never the token"}},
		"an unknown verb":         {change{"verbs: [write]", "verbs: [append]"}, []string{`api.keys[1]: verb "append" is none of`}},
		"a key to nothing":        {change{"      verbs: [list, read]\n      prefixes: [\"\"]\n", ""}, []string{"api.keys[0]: verbs is empty", "api.keys[0]: prefixes is empty"}},
		"a prefix of nothing":     {change{"builds/", long}, []string{"api.keys[1]: prefix "}},
		"two keys of one name":    {change{"id: ci", "id: backup"}, []string{`api.keys[1]: id "backup" is another key's`}},
		"two names of one key":    {change{strings.Repeat("1", 64), "0f5f7bba5c1a1b1b3b3a35d0e8b4a7a3ad7f7c1c3c1c3b5c3b5c3b5c3b5c3b5c"}, []string{`api.keys[1]: id "ci" has another key's sha256`}},
		"an end of no calendar":   {change{"2030-01-31T00:00:00Z", "2030-02-31T00:00:00Z"}, []string{"api.keys[0].expires: 2030-02-31T00:00:00Z is not a time such as 2027-01-31T00:00:00Z"}},
		"an end without a zone":   {change{"2030-01-31T00:00:00Z", "2030-01-31"}, []string{"api.keys[0].expires: 2030-01-31 is not a time"}},
		"a mistyped end":          {change{"expires:", "expire:"}, []string{"api.keys[0].expire: unknown key"}},
		"more keys than are read": {change{"prefixes: [builds/]", "prefixes: [" + strings.Repeat(long[:1024]+", ", 1024) + "x]"}, []string{"api.keys: 2 keys are 10"}},
	})
}

func TestAnIssuerIsOneThatMachinesReachAndUnderstand(t *testing.T) {
	t.Parallel()
	with := func(c ...string) change { return slices.Concat(withNAT, issuer, c) }
	const route = "api.oidc: machines have no route to https://id.example.org/realms/a, whose keys they need: egress is "
	mistakes(t, private, cases{
		"endpoints":            {issuer, []string{route + "endpoints; set network.egress to nat, or remove private_subnets and egress"}},
		"no way out":           {slices.Concat(noObserve, noShell, issuer, change{"egress: endpoints\n  endpoints: [logs, ssm, ssmmessages]\n", "egress: none\n"}), []string{route + "none"}},
		"plain HTTP":           {with("https://id", "http://id"), []string{`api.oidc: issuer "http://id.example.org/realms/a": give the URL`}},
		"for anybody":          {with("    audience: storage\n", ""), []string{"api.oidc: audience is empty"}},
		"nothing that allows":  {with("    rules:\n      - {claim: groups, value: staff & friends, verbs: [list, read], prefixes: [\"\"]}\n", ""), []string{"api.oidc: rules is empty"}},
		"a rule for anybody":   {with("value: staff & friends", `value: ""`), []string{`api.oidc.rules[0]: value of claim "groups" is empty`}},
		"a rule to nothing":    {with("value: staff & friends, verbs: [list, read]", "value: x, verbs: []"), []string{"api.oidc.rules[0]: verbs is empty"}},
		"two in one":           {with("claim: groups", "claim: scope"), []string{`api.oidc.rules[0]: value "staff & friends" of claim "scope" has a blank`}},
		"a backslash":          {with("staff & friends", `'DOMAIN\staff'`), []string{`api.oidc.rules[0].value: "DOMAIN\\staff" holds a backslash, a quote, a line break`}},
		"a line break":         {with("staff & friends", `"a\nSTORAGE_ACCESS=open"`), []string{`api.oidc.rules[0].value: "a\nSTORAGE_ACCESS=open" holds a backslash, a quote, a line break`}},
		"a quote in a prefix":  {with(`verbs: [list, read], prefixes: [""]}`, `verbs: [list, read], prefixes: ['a"b']}`), []string{`api.oidc.rules[0].prefixes[0]: "a\"b" holds`}},
		"a mark nobody sees":   {with("audience: storage", `audience: "a\u2028b"`), []string{"api.oidc.audience: "}},
		"a claim with a break": {with("claim: groups", `claim: "a\tb"`), []string{"api.oidc.rules[0].claim: "}},
	})
}

func TestTheWholeServersSettingsHaveDefaults(t *testing.T) {
	t.Parallel()
	for access, routes := range map[string]apisettings.Routes{"open": apisettings.AllRoutes, "restricted": apisettings.ReadRoutes} {
		e, err := Parse("m", "m.yaml", []byte(slices.Concat(noKeys, change{
			"access: restricted", "access: " + access, "  exercise_routes: none\n  max_body: 1048576\n  max_link_ttl: 24h\n  rate_limit: 50\n  max_concurrency: 200\n  metrics_address: 127.0.0.1:9090\n  traces: http://10.20.16.9:4318\n", "",
		}).apply(t, private)))
		if err != nil {
			t.Fatal(err)
		}
		if a := e.API; a.ExerciseRoutes != routes || a.MaxBody != 64<<20 || a.MaxLinkTTL != 720*time.Hour || a.RateLimit != 100 || a.MaxConcurrency != 1024 {
			t.Errorf("%s: %+v", access, a)
		}
	}
}

func TestAnEnvironmentIsPublicWhereNeitherAddressNorAccessBoundsIt(t *testing.T) {
	t.Parallel()
	open := slices.Concat(noKeys, change{"access: restricted", "access: open"})
	for name, tc := range map[string]struct {
		change change
		want   bool
	}{
		"open to all":            {slices.Concat(open, change{"198.51.100.0/24", "0.0.0.0/0"}), true},
		"open to some":           {open, false},
		"all, who need keys":     {change{"198.51.100.0/24", "0.0.0.0/0"}, false},
		"built from source, all": {slices.Concat(withNAT, fromSource, change{"198.51.100.0/24", "::/0"}), true},
	} {
		e, err := Parse("m", "m.yaml", []byte(tc.change.apply(t, private)))
		if err != nil {
			t.Fatal(err)
		}
		if e.Public() != tc.want {
			t.Errorf("%s: public %t", name, e.Public())
		}
	}
}
