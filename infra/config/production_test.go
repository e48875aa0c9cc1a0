package config

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// private is an environment with every section that the exercise does not have; cases change one thing each.
const private = `project_name: files
region: eu-west-1
account_id: "210987654321"
backend:
  bucket: files-state-42
storage:
  bucket: files-42
  releases_bucket: files-releases-42
  state_bucket: files-api-state-42
  undo_days: 90
  expire_days: 7
  encryption: kms
  web_origins: ["https://files.example.org", "https://example.org:8443", "http://localhost:3000"]
  logs_bucket: files-logs-42
  logs_days: 30
network:
  cidr: 10.20.0.0/16
  subnets:
    - {zone: eu-west-1a, cidr: 10.20.0.0/24}
    - {zone: eu-west-1b, cidr: 10.20.1.0/24}
  private_subnets:
    - {zone: eu-west-1a, cidr: 10.20.16.0/20}
    - {zone: eu-west-1b, cidr: 10.20.32.0/20}
  egress: endpoints
  endpoints: [logs, ssm, ssmmessages]
  flow_logs: true
traffic:
  domain: files.example.org
  hosted_zone: example.org
  access_logs: true
  deletion_protection: true
  waf:
    requests_per_5_minutes: 2000
compute:
  kind: fleet
  instance_type: t4g.small
  architecture: arm64
  min: 2
  max: 6
  initial: 3
  scaling:
    requests_per_target: 30000
    cpu_percent: 60
  image: ami-0123456789abcdef0
  detailed_monitoring: true
  session_manager: true
  permissions_boundary: arn:aws:iam::210987654321:policy/team/boundary
api:
  allow: [198.51.100.0/24]
  url_ttl: 10m
  max_url_ttl: 1h
  access: restricted
  keys:
    - id: backup
      sha256: 0f5f7bba5c1a1b1b3b3a35d0e8b4a7a3ad7f7c1c3c1c3b5c3b5c3b5c3b5c3b5c
      verbs: [list, read]
      prefixes: [""]
      expires: 2030-01-31T00:00:00Z
    - {id: ci, sha256: "1111111111111111111111111111111111111111111111111111111111111111", verbs: [write], prefixes: [builds/]}
  exercise_routes: none
  max_body: 1048576
  max_link_ttl: 24h
  rate_limit: 50
  max_concurrency: 200
  metrics_address: 127.0.0.1:9090
  traces: http://10.20.16.9:4318
release:
  delivery: binary
observe:
  email: ops@example.org
  logs_days: 30
  error_percent: 5
  p95: 1s
`

// change is what a case does to an environment's text: each old text becomes the new one behind it.
type change []string

func (c change) apply(t *testing.T, text string) string {
	t.Helper()
	for pair := range slices.Chunk(c, 2) {
		if strings.Count(text, pair[0]) != 1 {
			t.Fatalf("%q is not there exactly once", pair[0])
		}
		text = strings.Replace(text, pair[0], pair[1], 1)
	}
	return text
}

// mistakes holds that each change of text is answered by exactly the mistakes that it makes.
func mistakes(t *testing.T, text string, cases map[string]struct {
	change change
	want   []string
}) {
	t.Helper()
	line := regexp.MustCompile(`^m\.yaml:[1-9][0-9]*: `)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			if _, err := Parse("m", "m.yaml", []byte(tc.change.apply(t, text))); err != nil {
				got = strings.Split(err.Error(), "\n")
			}
			if len(got) != len(tc.want) {
				t.Fatalf("%d mistakes, want %d:\n%s", len(got), len(tc.want), strings.Join(got, "\n"))
			}
			for i, want := range tc.want {
				if !line.MatchString(got[i]) || !strings.HasPrefix(line.ReplaceAllString(got[i], ""), want) {
					t.Errorf("got  %s\nwant %s", got[i], want)
				}
			}
		})
	}
}

type cases = map[string]struct {
	change change
	want   []string
}

// Changes that others need.
var (
	noObserve = change{"observe:\n  email: ops@example.org\n  logs_days: 30\n  error_percent: 5\n  p95: 1s\n", ""}
	noShell   = change{"  session_manager: true\n", ""}
	noLogs    = change{"  flow_logs: true\n", "", "  access_logs: true\n", "", "  logs_bucket: files-logs-42\n  logs_days: 30\n", ""}
	plainHTTP = change{"  domain: files.example.org\n  hosted_zone: example.org\n", ""}
	isPublic  = change{"  private_subnets:\n    - {zone: eu-west-1a, cidr: 10.20.16.0/20}\n    - {zone: eu-west-1b, cidr: 10.20.32.0/20}\n  egress: endpoints\n  endpoints: [logs, ssm, ssmmessages]\n", ""}
	withNAT   = change{"egress: endpoints\n  endpoints: [logs, ssm, ssmmessages]\n", "egress: nat\n"}
	noKeys    = change{keys, ""}
	issuer    = change{"  access: restricted\n", "  access: restricted\n  oidc:\n    issuer: https://id.example.org/realms/a\n    audience: storage\n" +
		"    rules:\n      - {claim: groups, value: staff & friends, verbs: [list, read], prefixes: [\"\"]}\n"}
	fromSource = slices.Concat(noKeys, change{
		"delivery: binary", "delivery: source", "  releases_bucket: files-releases-42\n  state_bucket: files-api-state-42\n", "",
		"  access: restricted\n", "", "  exercise_routes: none\n  max_body: 1048576\n  max_link_ttl: 24h\n  rate_limit: 50\n  max_concurrency: 200\n  metrics_address: 127.0.0.1:9090\n  traces: http://10.20.16.9:4318\n", "",
	})
	sleeping = slices.Concat(noObserve, change{
		"  max: 6\n  initial: 3\n  scaling:\n    requests_per_target: 30000\n    cpu_percent: 60\n",
		"  max: 2\n  sleep:\n    from: 0 20 * * MON-FRI\n    until: 30 7 * * 1-5\n    time_zone: Europe/Paris\n",
	})
)

const keys = `  keys:
    - id: backup
      sha256: 0f5f7bba5c1a1b1b3b3a35d0e8b4a7a3ad7f7c1c3c1c3b5c3b5c3b5c3b5c3b5c
      verbs: [list, read]
      prefixes: [""]
      expires: 2030-01-31T00:00:00Z
    - {id: ci, sha256: "1111111111111111111111111111111111111111111111111111111111111111", verbs: [write], prefixes: [builds/]}
`

const certificate = "arn:aws:acm:eu-west-1:210987654321:certificate/01234567-89ab-cdef-0123-456789abcdef"

func TestWhatProductionCanSayIsAccepted(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]change{
		"all of it":                     nil,
		"egress none":                   slices.Concat(noObserve, noShell, change{"egress: endpoints\n  endpoints: [logs, ssm, ssmmessages]\n", "egress: none\n"}),
		"egress nat, built from source": slices.Concat(withNAT, fromSource),
		"a certificate":                 slices.Concat(plainHTTP, change{"traffic:\n", "traffic:\n  certificate_arn: " + certificate + "\n"}),
		"HTTP":                          plainHTTP,
		"no logs":                       noLogs,
		"open to whoever connects":      slices.Concat(noKeys, change{"access: restricted", "access: open"}),
		"no keys, which nobody has":     noKeys,
		"an issuer, through NAT":        slices.Concat(withNAT, issuer),
		"an issuer, from public ones":   slices.Concat(isPublic, issuer),
		"any rate":                      {"rate_limit: 50", "rate_limit: -1"},
		"5 GiB at once":                 {"max_body: 1048576", "max_body: 5368709120"},
		"links for a leap year":         {"max_link_ttl: 24h", "max_link_ttl: 8784h"},
		"public subnets":                isPublic,
		"the zone's own name":           {"domain: files.example.org", "domain: example.org"},
		"a policy of AWS":               {"arn:aws:iam::210987654321:policy/team/boundary", "arn:aws:iam::aws:policy/PowerUserAccess"},
		"sleep":                         sleeping,
		"sleep in UTC":                  slices.Concat(sleeping, change{"    time_zone: Europe/Paris\n", ""}),
		"expiry never":                  {"expire_days: 7", "expire_days: 0"},
		"a maximum age of 7 days":       {"max_url_ttl: 1h", "max_url_ttl: 168h"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := Parse("m", "m.yaml", []byte(tc.apply(t, private))); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestASectionWithoutValuesGetsItsDefaults(t *testing.T) {
	t.Parallel()
	text := slices.Concat(sleeping, change{
		"  encryption: kms\n", "", "  logs_days: 30\nnetwork:", "network:", "  egress: endpoints\n  endpoints: [logs, ssm, ssmmessages]\n", "",
		"  waf:\n    requests_per_5_minutes: 2000\n", "  waf: {}\n", "    time_zone: Europe/Paris\n", "", "  max_url_ttl: 1h\n", "",
	}).apply(t, private)
	e, err := Parse("m", "m.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if e.Storage.Encryption != EncryptionS3 || e.Storage.LogsDays != 90 || e.Traffic.WAF.RequestsPer5Minutes != 2000 ||
		e.Network.Egress != EgressEndpoints || !slices.Equal(e.Network.Endpoints, DefaultEndpoints) ||
		e.Compute.Initial != 2 || e.Compute.Sleep.TimeZone != "Etc/UTC" || e.API.MaxURLTTL != 10*time.Minute {
		t.Errorf("%+v %+v %+v %+v %+v", e.Storage, e.Network, e.Traffic.WAF, e.Compute, e.API)
	}
	e, err = Parse("m", "m.yaml", []byte(change{"  logs_days: 30\n  error_percent: 5\n  p95: 1s\n", ""}.apply(t, private)))
	if err != nil {
		t.Fatal(err)
	}
	if o := e.Observe; o.LogsDays != 30 || o.ErrorPercent != 5 || o.P95 != time.Second {
		t.Errorf("%+v", o)
	}
}
