package config

import (
	"slices"
	"testing"
)

func TestPrivateSubnetsObeyTheRulesOfSubnets(t *testing.T) {
	t.Parallel()
	const a, b = "{zone: eu-west-1a, cidr: 10.20.16.0/20}", "{zone: eu-west-1b, cidr: 10.20.32.0/20}"
	mistakes(t, private, cases{
		"outside the VPC":          {change{b, "{zone: eu-west-1b, cidr: 10.21.32.0/20}"}, []string{"network.private_subnets[1].cidr: 10.21.32.0/20 is outside the VPC's 10.20.0.0/16"}},
		"overlapping each other":   {change{b, "{zone: eu-west-1b, cidr: 10.20.24.0/21}"}, []string{"network.private_subnets[1].cidr: 10.20.24.0/21 overlaps 10.20.16.0/20 of network.private_subnets[0]"}},
		"overlapping a public one": {change{b, "{zone: eu-west-1b, cidr: 10.20.1.128/25}"}, []string{"network.private_subnets[1].cidr: 10.20.1.128/25 overlaps 10.20.1.0/24 of network.subnets[1]"}},
		"host bits":                {change{b, "{zone: eu-west-1b, cidr: 10.20.33.0/20}"}, []string{"network.private_subnets[1].cidr: 10.20.33.0/20 has host bits set: write 10.20.32.0/20"}},
		"no block":                 {change{b, "{zone: eu-west-1b}"}, []string{"network.private_subnets[1].cidr: missing"}},
		"a zone of another region": {change{b, "{zone: us-east-1b, cidr: 10.20.32.0/20}"}, []string{
			`network.private_subnets[1].zone: "us-east-1b" is not a zone of eu-west-1`, `network.private_subnets[1].zone: "us-east-1b" has no public subnet`,
		}},
		"two in a zone": {change{b, "{zone: eu-west-1a, cidr: 10.20.32.0/20}"}, []string{
			"network.private_subnets: 1 zone", `network.private_subnets[1].zone: "eu-west-1a" is network.private_subnets[0]'s already`,
		}},
		"one zone":                     {change{"    - " + b + "\n", ""}, []string{"network.private_subnets: 1 zone: a fleet that outlives a zone needs two or more"}},
		"a zone without a public one":  {change{b, "{zone: eu-west-1c, cidr: 10.20.32.0/20}"}, []string{`network.private_subnets[1].zone: "eu-west-1c" has no public subnet`}},
		"none listed":                  {change{":\n    - " + a + "\n    - " + b + "\n  egress: endpoints\n  endpoints: [logs, ssm, ssmmessages]", ": []"}, []string{"network.private_subnets: none listed"}},
		"an unknown egress":            {change{"egress: endpoints", "egress: carrier-pigeon"}, []string{`network.egress: "carrier-pigeon" is none of internet, endpoints, none, nat`}},
		"internet for private ones":    {change{"egress: endpoints\n  endpoints: [logs, ssm, ssmmessages]", "egress: internet"}, []string{`network.egress: "internet" needs public addresses, which machines in private_subnets have not: write endpoints, none or nat`}},
		"endpoints beside a NAT":       {change{"egress: endpoints", "egress: nat"}, []string{"network.endpoints: egress is nat, which has none"}},
		"endpoints that are none":      {slices.Concat(noObserve, noShell, change{"[logs, ssm, ssmmessages]", "[]"}), []string{"network.endpoints: none listed: list services, or set egress to none"}},
		"an endpoint twice":            {change{"[logs, ssm,", "[logs, ssm, logs,"}, []string{`network.endpoints[2]: "logs" is listed twice`}},
		"an endpoint for S3":           {change{"[logs, ssm,", "[logs, s3, ssm,"}, []string{`network.endpoints[1]: "s3" has its own way already`}},
		"an endpoint's whole name":     {change{"[logs, ssm,", "[logs, com.amazonaws.eu-west-1.kms, ssm,"}, []string{`network.endpoints[1]: "com.amazonaws.eu-west-1.kms" is the whole name: write kms`}},
		"an endpoint of nobody":        {change{"[logs, ssm,", "[logs, cloudwatch, ssm,"}, []string{`network.endpoints[1]: "cloudwatch" is none of autoscaling, ec2,`}},
		"an unknown egress in public":  {slices.Concat(isPublic, change{"  flow_logs: true", "  egress: pigeon\n  flow_logs: true"}), []string{`network.egress: "pigeon" is none of`}},
		"endpoints for public subnets": {change{"  private_subnets:\n    - " + a + "\n    - " + b + "\n", ""}, []string{`network.egress: "endpoints" is for machines in private subnets`}},
	})
}

func TestWhatWouldHaveNoRouteIsRefused(t *testing.T) {
	t.Parallel()
	none := change{"egress: endpoints\n  endpoints: [logs, ssm, ssmmessages]\n", "egress: none\n"}
	mistakes(t, private, cases{
		"source with endpoints":     {fromSource, []string{"release.delivery: source fetches modules from the module proxy, to which egress endpoints has no route: set it to binary, or network.egress to nat"}},
		"source with nothing":       {slices.Concat(none, noShell, noObserve, fromSource), []string{"release.delivery: source fetches modules from the module proxy, to which egress none has no route"}},
		"a shell with nothing":      {slices.Concat(none, noObserve), []string{"compute.session_manager: machines have no route to ssm and ssmmessages: set network.egress to endpoints or nat, or remove it"}},
		"a shell without an end":    {change{"ssm, ssmmessages]", "ssm]"}, []string{"compute.session_manager: machines have no route to ssmmessages: list ssm and ssmmessages in network.endpoints, or remove it"}},
		"logs with nothing":         {slices.Concat(none, noShell), []string{"observe: machines have no route to logs, where their logs go: set network.egress to endpoints or nat, or remove it"}},
		"logs without an end":       {change{"[logs, ssm", "[ssm"}, []string{"observe: machines have no route to logs, where their logs go: list logs in network.endpoints, or remove it"}},
		"ssh to private machines":   {change{"api:\n", "ssh:\n  key: a.pem\n  allow: [198.51.100.7/32]\napi:\n"}, []string{"ssh: nobody reaches port 22 of machines without a public address: remove it, and set compute.session_manager for a shell"}},
		"calls to private machines": {slices.Concat(plainHTTP, change{"api:\n", "api:\n  direct: true\n"}), []string{"api.direct: nobody reaches machines without a public address directly"}},
	})
}
