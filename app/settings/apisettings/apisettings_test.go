package apisettings_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"cloudstorage/app/auth"
	"cloudstorage/app/oidc"
	"cloudstorage/app/settings"
	"cloudstorage/app/settings/apisettings"
)

// environ reads NAME=value lines, as a process does.
func environ(lines ...string) func(string) string {
	values := map[string]string{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, "=")
		values[name] = value
	}
	return func(name string) string { return values[name] }
}

var required = []string{"STORAGE_BUCKET=module02-1", "AWS_REGION=eu-west-1", "STORAGE_ACCESS=restricted", "STORAGE_STATE_BUCKET=module02-state-1"}

func TestLoadFillsInTheDefaults(t *testing.T) {
	t.Parallel()
	for access, routes := range map[apisettings.Access]apisettings.Routes{
		apisettings.Open: apisettings.AllRoutes, apisettings.Restricted: apisettings.ReadRoutes,
	} {
		got, err := apisettings.Load(environ(append(required[:4:4], "STORAGE_ACCESS="+string(access))...))
		if err != nil {
			t.Fatal(err)
		}
		want := apisettings.Settings{
			Access: access, ExerciseRoutes: routes, StateBucket: "module02-state-1",
			MaxBody: 64 << 20, MaxLinkTTL: 720 * time.Hour, RateLimit: 100, MaxConcurrency: 1024,
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(want, "Settings")); diff != "" {
			t.Error(diff)
		}
	}
}

func TestLoadReadsBackWhatEnvironWrites(t *testing.T) {
	t.Parallel()
	want := apisettings.Settings{
		Settings: settings.Settings{Bucket: "b-1", Region: "eu-west-1", Address: ":5000", URLTTL: time.Minute, MaxURLTTL: time.Hour, DrainTimeout: time.Second},
		Access:   apisettings.Restricted, StateBucket: "b-2", ExerciseRoutes: apisettings.NoRoutes,
		OIDC: &oidc.Config{Issuer: "https://id.example.org/a", Audience: "storage", Rules: []oidc.Rule{{Claim: "groups", Value: "staff & <friends>",
			Grant: auth.Grant{Verbs: []auth.Verb{auth.Read}, Prefixes: []string{"a=b c/", "été/"}}}}},
		MaxBody: 1, MaxLinkTTL: time.Hour, WebOrigins: []string{"https://a.example.org", "http://127.0.0.1:8080"},
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16"), netip.MustParsePrefix("fd00::/8")},
		RateLimit:      -1, MaxConcurrency: 7, MetricsAddress: "127.0.0.1:9090", Traces: "http://127.0.0.1:4318",
	}
	got, err := apisettings.Load(environ(want.Environ()...))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Errorf("%q: %s", want.Environ(), diff)
	}
}

func TestLoadRefusesEachBadValueAndSaysTheWayOut(t *testing.T) {
	t.Parallel()
	for line, wayOut := range map[string]string{
		"STORAGE_ACCESS=":                      "restricted",
		"STORAGE_ACCESS=off":                   "open",
		"STORAGE_STATE_BUCKET=":                "API's own state",
		"STORAGE_STATE_BUCKET=module02-1":      "not the one with the files",
		"STORAGE_EXERCISE_ROUTES=some":         "read or none",
		"STORAGE_MAX_BODY=6GiB":                "from 1 to",
		"STORAGE_MAX_BODY=0":                   "from 1 to", // it would be rendered as none, which is the default
		"STORAGE_MAX_BODY=5368709121":          "to 5368709120",
		"STORAGE_MAX_LINK_TTL=1500ms":          "whole seconds",
		"STORAGE_RATE_LIMIT=-2":                "or -1 for any number",
		"STORAGE_RATE_LIMIT=0":                 "or -1 for any number",
		"STORAGE_MAX_CONCURRENCY=0":            "or -1 for any number",
		"STORAGE_MAX_CONCURRENCY=many":         "1024",
		"STORAGE_WEB_ORIGINS=https://a.b/":     "such as https://",
		"STORAGE_WEB_ORIGINS=*":                "such as https://",
		"STORAGE_TRUSTED_PROXIES=10.0.0.1":     "10.0.0.0/16",
		"STORAGE_METRICS_ADDRESS=localhost:1":  "IP address",
		"STORAGE_OIDC={}":                      "audience",
		"STORAGE_OIDC={\"isuer\":\"x\"}":       "isuer",
		"OTEL_EXPORTER_OTLP_ENDPOINT=1.2.3.4:": "http://",
		"STORAGE_URL_TTL=0s":                   "from 1s",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			_, err := apisettings.Load(environ(append(required[:4:4], line)...))
			if err == nil {
				t.Fatal("accepted")
			}
			if name, _, _ := strings.Cut(line, "="); !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), wayOut) {
				t.Errorf("%q does not name %s and %q", err, name, wayOut)
			}
		})
	}
}
