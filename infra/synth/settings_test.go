package synth_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cloudstorage/app/settings/apisettings"
	"cloudstorage/infra/config"
	"cloudstorage/infra/synth"
)

// tell returns what the server of a shipped environment is told, after a change of its text.
func tell(t *testing.T, name string, change ...string) []string {
	t.Helper()
	text, err := os.ReadFile("../environments/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	e, err := config.Parse(name, name+".yaml", []byte(strings.NewReplacer(change...).Replace(string(text))))
	if err != nil {
		t.Fatal(err)
	}
	return synth.Settings(e).Environ()
}

func TestEachServerIsToldWhatItUnderstands(t *testing.T) {
	t.Parallel()
	open := []string{
		"AWS_REGION=eu-west-1", "STORAGE_BUCKET=module02-0000000000", "STORAGE_MAX_URL_TTL=10m0s", "STORAGE_URL_TTL=10m0s",
		"STORAGE_ACCESS=open", "STORAGE_EXERCISE_ROUTES=all",
	}
	if diff := cmp.Diff(open, tell(t, "module02")); diff != "" {
		t.Error(diff)
	}
	keys := slices.Concat(open[:4], []string{"STORAGE_ACCESS=restricted", "STORAGE_EXERCISE_ROUTES=read", "STORAGE_STATE_BUCKET=module02-keys-1"})
	if diff := cmp.Diff(keys, tell(t, "module02", "  undo_days: 30", "  undo_days: 30\n  state_bucket: module02-keys-1", "  direct: true", "  access: restricted")); diff != "" {
		t.Error(diff)
	}
	whole := []string{
		"AWS_REGION=eu-west-1", "STORAGE_BUCKET=cloudstorage-0000000000", "STORAGE_MAX_URL_TTL=1h0m0s", "STORAGE_URL_TTL=10m0s",
		"STORAGE_ACCESS=restricted", "STORAGE_EXERCISE_ROUTES=read", "STORAGE_MAX_BODY=67108864", "STORAGE_MAX_CONCURRENCY=1024", "STORAGE_MAX_LINK_TTL=720h0m0s",
		"STORAGE_METRICS_ADDRESS=127.0.0.1:9090",
		`STORAGE_OIDC={"issuer":"https://id.example.org","audience":"storage","rules":[{"claim":"groups","value":"staff","verbs":["read"],"prefixes":[""]}]}`,
		"STORAGE_RATE_LIMIT=100", "STORAGE_STATE_BUCKET=cloudstorage-api-state-0000000000",
		"STORAGE_TRUSTED_PROXIES=10.20.0.0/24,10.20.1.0/24", "STORAGE_WEB_ORIGINS=https://files.example.org",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://10.20.16.9:4318",
	}
	got := tell(t, "production", "egress: endpoints\n  endpoints: [logs, ssm, ssmmessages]", "egress: nat", "  undo_days: 90", "  undo_days: 90\n  web_origins: [https://files.example.org]",
		"  keys: []\n", "  metrics_address: 127.0.0.1:9090\n  traces: http://10.20.16.9:4318\n  oidc: {issuer: https://id.example.org, audience: storage, rules: [{claim: groups, value: staff, verbs: [read], prefixes: ['']}]}\n")
	if diff := cmp.Diff(whole, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatAServerIsToldItReads(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"local", "production"} {
		told := map[string]string{}
		for _, line := range tell(t, name) {
			key, value, _ := strings.Cut(line, "=")
			told[key] = value
		}
		if _, err := apisettings.Load(func(key string) string { return told[key] }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
