package config

import (
	"strings"
	"testing"
	"time"
)

// valid is an environment with everything in it; cases change one thing each.
const valid = `project_name: module02
region: eu-west-1
account_id: "123456789012"
backend:
  bucket: module02-state-42
storage:
  bucket: module02-42
  undo_days: 30
network:
  cidr: 10.0.0.0/16
  subnets:
    - {zone: eu-west-1a, cidr: 10.0.1.0/24}
    - {zone: eu-west-1b, cidr: 10.0.2.0/24}
compute:
  kind: fleet
  instance_type: t3.micro
  min: 2
  max: 2
ssh:
  key: module02.pem
  allow: [0.0.0.0/0]
api:
  allow: [0.0.0.0/0]
release:
  delivery: source
`

func TestAValidEnvironmentIsReadWithItsDefaults(t *testing.T) {
	t.Parallel()
	e, err := Parse("module02", "module02.yaml", []byte(valid))
	if err != nil {
		t.Fatal(err)
	}
	if e.Compute.Architecture != X8664 || e.API.URLTTL != 10*time.Minute || e.Backend.Region != "eu-west-1" {
		t.Errorf("defaults: %+v %+v %+v", e.Compute, e.API, e.Backend)
	}
	if e.Project().Name("vpc") != "module02-vpc" || !e.Public() || len(e.Placeholders()) != 0 {
		t.Errorf("project %v, public %v, placeholders %v", e.Project(), e.Public(), e.Placeholders())
	}
	if got := e.Network.Subnets[1]; got.Zone != "eu-west-1b" || got.CIDR.String() != "10.0.2.0/24" {
		t.Errorf("second subnet: %+v", got)
	}
}

func TestEveryMistakeNamesFileLineValueAndWayOut(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, old, replacement, want string }{
		{"unknown key", "region: eu-west-1\n", "region: eu-west-1\ncolour: red\n", `m.yaml:3: colour: unknown key: known here are account_id`},
		{"misspelt key", "instance_type:", "instance-type:", `m.yaml:16: compute.instance-type: unknown key: did you mean "instance_type"?`},
		{"repeated key", "  min: 2\n", "  min: 2\n  min: 3\n", `m.yaml:18`},
		{"wrong type", "min: 2", "min: two", `m.yaml:17: compute.min: two is not a whole number: write a whole number`},
		{"number for text", "key: module02.pem", "key: 12", `m.yaml:20: ssh.key: 12 is not text: put it in quotes`},
		{"text for a flag", "release:", "  direct: perhaps\nrelease:", `m.yaml:24: api.direct: perhaps is neither true nor false`},
		{"empty value", "delivery: source", "delivery:", `m.yaml:25: release.delivery: no value: give it one or remove the key`},
		{"scalar for a list", "subnets:\n    - {zone: eu-west-1a, cidr: 10.0.1.0/24}\n    - {zone: eu-west-1b, cidr: 10.0.2.0/24}", "subnets: none", `network.subnets: none is not a list`},
		{"not YAML", "compute:", "compute: [", `not YAML`},
		{"bad project", "project_name: module02", "project_name: Module_02", `m.yaml:1: project_name: "Module_02" is not a project name`},
		{"bad region", "region: eu-west-1\n", "region: ireland\n", `m.yaml:2: region: "ireland" is not an AWS region`},
		{"bad account", `"123456789012"`, `"1234"`, `m.yaml:3: account_id: "1234" is not an AWS account`},
		{"backend without bucket", "  bucket: module02-state-42\n", "  region: eu-west-1\n", `m.yaml:4: backend.bucket: missing`},
		{"bucket of another project", "  bucket: module02-42\n", "  bucket: other-42\n", `m.yaml:7: storage.bucket: "other-42" does not start with "module02-"`},
		{"bucket without digits", "  bucket: module02-42\n", "  bucket: module02-data\n", `m.yaml:7: storage.bucket: "module02-data" is not a bucket name`},
		{"releases bucket missing", "delivery: source", "delivery: binary", `storage.releases_bucket: missing`},
		{"releases bucket unused", "  undo_days: 30", "  releases_bucket: module02-r-1", `m.yaml:8: storage.releases_bucket: "module02-r-1" would stay empty`},
		{"state bucket unused", "  undo_days: 30", "  state_bucket: module02-s-1", `m.yaml:8: storage.state_bucket: "module02-s-1" would stay empty`},
		{"keys without their bucket", "release:", "  access: restricted\nrelease:", `m.yaml:6: storage.state_bucket: missing: the API keeps its own state there`},
		{"keys of an open server", "release:", "  keys: []\nrelease:", `m.yaml:24: api.keys: access is open`},
		{"an issuer without its bearer", "release:", "  oidc: {issuer: x, audience: y, rules: []}\nrelease:", `m.yaml:24: api.oidc: the server that is built from source has keys`},
		{"limits without their bearer", "release:", "  max_body: 1\nrelease:", `m.yaml:24: api.max_body: the server that is built from source`},
		{"negative undo", "undo_days: 30", "undo_days: -1", `m.yaml:8: storage.undo_days: -1 is below 0`},
		{"subnet outside", "cidr: 10.0.2.0/24", "cidr: 10.1.2.0/24", `m.yaml:13: network.subnets[1].cidr: 10.1.2.0/24 is outside the VPC's 10.0.0.0/16`},
		{"subnets overlap", "cidr: 10.0.2.0/24", "cidr: 10.0.1.128/25", `m.yaml:13: network.subnets[1].cidr: 10.0.1.128/25 overlaps 10.0.1.0/24 of network.subnets[0]`},
		{"host bits", "cidr: 10.0.2.0/24", "cidr: 10.0.2.1/24", `m.yaml:13: network.subnets[1].cidr: 10.0.2.1/24 has host bits set: write 10.0.2.0/24`},
		{"not a block", "cidr: 10.0.2.0/24", "cidr: 10.0.2.0", `m.yaml:13: network.subnets[1].cidr: 10.0.2.0 is not an address block`},
		{"IPv6 VPC", "cidr: 10.0.0.0/16", "cidr: fd00::/16", `m.yaml:10: network.cidr: fd00::/16 is not an IPv4 block of /16 to /28`},
		{"two subnets in one zone", "zone: eu-west-1b", "zone: eu-west-1a", `m.yaml:13: network.subnets[1].zone: "eu-west-1a" is network.subnets[0]'s already`},
		{"one zone", "    - {zone: eu-west-1b, cidr: 10.0.2.0/24}\n", "", `m.yaml:11: network.subnets: 1 zone: a load balancer needs`},
		{"zone of another region", "zone: eu-west-1b", "zone: us-east-1b", `m.yaml:13: network.subnets[1].zone: "us-east-1b" is not a zone of eu-west-1`},
		{"fleet without network", "network:\n  cidr: 10.0.0.0/16\n  subnets:\n    - {zone: eu-west-1a, cidr: 10.0.1.0/24}\n    - {zone: eu-west-1b, cidr: 10.0.2.0/24}\n", "", `network: missing: a fleet needs its own VPC`},
		{"min above max", "min: 2", "min: 3", `m.yaml:17: compute.min: 3 is above max, 2`},
		{"min of zero", "min: 2", "min: 0", `m.yaml:17: compute.min: 0 is below 1`},
		{"unknown kind", "kind: fleet", "kind: lambda", `m.yaml:15: compute.kind: "lambda" is none of fleet, instance`},
		{"ARM type on x86_64", "t3.micro", "t4g.micro", `m.yaml:16: compute.instance_type: "t4g.micro" is arm64 and architecture is x86_64`},
		{"not a type", "t3.micro", "small", `m.yaml:16: compute.instance_type: "small" is not an instance type`},
		{"key elsewhere", "key: module02.pem", "key: /keys/module02.pem", `m.yaml:20: ssh.key: "/keys/module02.pem" is not the name of a .pem file`},
		{"ssh for nobody", "  key: module02.pem\n  allow: [0.0.0.0/0]", "  key: module02.pem\n  allow: []", `m.yaml:21: ssh.allow: nobody could connect`},
		{"ttl of 8 days", "release:", "  url_ttl: 192h\nrelease:", `m.yaml:24: api.url_ttl: 192h0m0s is not whole seconds from 1s to 168h`},
		{"shell in goproxy", "delivery: source", "delivery: source\n  goproxy: $(id)", `m.yaml:26: release.goproxy: "$(id)" is not a GOPROXY list`},
		{"block listed twice", "api:\n  allow: [0.0.0.0/0]", "api:\n  allow: [10.0.0.0/8, 10.0.0.0/8]", `m.yaml:23: api.allow: 10.0.0.0/8 is listed twice`},
		{"alias", "region: eu-west-1\n", "region: &r eu-west-1\n", `m.yaml:2: region: anchors, aliases and tags are not read here`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			source := strings.Replace(valid, tc.old, tc.replacement, 1)
			if source == valid {
				t.Fatalf("%q is not in the valid environment", tc.old)
			}
			_, err := Parse("m", "m.yaml", []byte(source))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
}

func TestAllMistakesComeAtOnceInTheOrderOfTheirLines(t *testing.T) {
	t.Parallel()
	source := strings.NewReplacer("ireland", "", "eu-west-1\n", "ireland\n", "min: 2", "min: 9", "delivery: source", "delivery: pigeon").Replace(valid)
	_, err := Parse("m", "m.yaml", []byte(source))
	lines := strings.Split(err.Error(), "\n")
	for i, want := range []string{"m.yaml:2: region", "m.yaml:12: network.subnets[0].zone", "m.yaml:13: network.subnets[1].zone", "m.yaml:17: compute.min", "m.yaml:25: release.delivery"} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Fatalf("line %d does not start with %q in:\n%v", i, want, err)
		}
	}
}

func TestWhatIsNotYAMLIsTheOnlyMistake(t *testing.T) {
	t.Parallel()
	_, err := Parse("m", "m.yaml", []byte(valid+"\tx: 1\n"))
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "not YAML") {
		t.Errorf("got %v", err)
	}
}

func TestAnInstanceTakesNoFleetSettings(t *testing.T) {
	t.Parallel()
	_, err := Parse("m", "m.yaml", []byte(strings.Replace(valid, "kind: fleet", "kind: instance", 1)))
	for _, want := range []string{"min and max belong to a fleet", "an instance runs in the default VPC"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestArchitectureFollowsFromTheInstanceType(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"t3.micro": X8664, "t4g.micro": ARM64, "c7gn.large": ARM64, "a1.medium": ARM64, "g4dn.xlarge": X8664,
		"g5g.xlarge": ARM64, "m7i-flex.large": X8664, "im4gn.large": ARM64, "u-6tb1.metal": "",
	} {
		parts := instanceTypePattern.FindStringSubmatch(name)
		got := ""
		if parts != nil {
			got = architectureOf(parts[1], parts[2], parts[3])
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
