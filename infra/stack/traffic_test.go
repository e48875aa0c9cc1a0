package stack_test

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/jsii-runtime-go"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/app/settings"
	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/naming"
	"cloudstorage/infra/stack"
	"cloudstorage/infra/traffic"
)

const certificateARN = "arn:aws:acm:eu-west-1:123456789012:certificate/0c9b1d2e-3f4a-5b6c-7d8e-9f0a1b2c3d4e"

// balancer makes a load balancer alone, from plain ids.
func balancer(t testing.TB, change func(*traffic.Props)) (template.Template, *traffic.Balancer) {
	t.Helper()
	var made *traffic.Balancer
	s := template.One(t, func(stack cdktf.TerraformStack) {
		p := balancerProps()
		change(&p)
		made = traffic.New(stack, "traffic", p)
		for name, value := range map[string]*string{
			"dns": made.DNSName(), "url": made.URL(), "alb": made.ARNSuffix(), "targets": made.TargetGroupARNSuffix(),
		} {
			if value != nil {
				cdktf.NewTerraformOutput(stack, jsii.String(name), &cdktf.TerraformOutputConfig{Value: value})
			}
		}
	})
	return s, made
}

func balancerProps() traffic.Props {
	return traffic.Props{
		Project: project, VPCID: vpcID, SubnetIDs: *jsii.Strings("subnet-a", "subnet-b"),
		FleetCIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.1.0/24"), netip.MustParsePrefix("10.0.2.0/24")},
		Port:       8080, HealthPath: "/up", Allow: world,
	}
}

func TestABalancerStandsAlone(t *testing.T) {
	s, made := balancer(t, func(*traffic.Props) {})
	alb, group := s.Only("aws_lb"), s.Only("aws_lb_target_group")
	alb.Wants(map[string]string{
		"name": "demo-alb", "subnets": "[subnet-a subnet-b]", "drop_invalid_header_fields": "true", "desync_mitigation_mode": "defensive",
		"access_logs": "<nil>", "enable_deletion_protection": "<nil>",
	})
	group.Wants(map[string]string{"name": "demo-http-8080", "vpc_id": "vpc-1", "health_check.path": "/up"})
	s.Only("aws_lb_listener").Wants(map[string]string{
		"port": "8080", "protocol": "HTTP", "certificate_arn": "<nil>", "ssl_policy": "<nil>",
		"routing_http_response_x_content_type_options_header_value":    "nosniff",
		"routing_http_response_server_enabled":                         "false",
		"routing_http_response_strict_transport_security_header_value": "<nil>", // plain HTTP must not promise HTTPS
		"default_action.target_group_arn":                              group.Ref("arn"),
	})
	for name, want := range map[string]string{
		"dns": alb.Ref("dns_name"), "url": "http://" + alb.Ref("dns_name") + ":8080", "alb": alb.Ref("arn_suffix"), "targets": group.Ref("arn_suffix"),
	} {
		if got := s.Output(name); got != want {
			t.Errorf("%s is %v, want %s", name, got, want)
		}
	}
	if made.TargetGroupARN() == nil || made.SecurityGroupID() == nil || made.Listening() == nil {
		t.Error("the fleet cannot join")
	}
	for _, kind := range []string{"aws_acm_certificate", "aws_route53_record", "aws_wafv2_web_acl"} {
		if found := s.Resources(kind); len(found) != 0 {
			t.Errorf("nobody asked for %v", found)
		}
	}
}

func TestABalancerTakesNamedBlocksAndReachesTheFleetOnly(t *testing.T) {
	for port, change := range map[string]func(*traffic.Props){
		"8080": func(*traffic.Props) {},
		"443":  func(p *traffic.Props) { p.CertificateARN = certificateARN },
	} {
		s, _ := balancer(t, change)
		in, out := s.Resources("aws_vpc_security_group_ingress_rule"), s.Resources("aws_vpc_security_group_egress_rule")
		if len(in) != 2 || len(out) != 2 {
			t.Fatalf("%d rules in for two blocks, %d out for two subnets", len(in), len(out))
		}
		in[0].Wants(map[string]string{"cidr_ipv4": "0.0.0.0/0", "cidr_ipv6": "<nil>", "from_port": port, "to_port": port})
		in[1].Wants(map[string]string{"cidr_ipv4": "<nil>", "cidr_ipv6": "::/0", "from_port": port, "to_port": port})
		out[0].Wants(map[string]string{"cidr_ipv4": "10.0.1.0/24", "from_port": "8080", "to_port": "8080"})
		out[1].Wants(map[string]string{"cidr_ipv4": "10.0.2.0/24", "from_port": "8080", "to_port": "8080"})
	}
}

func TestAGivenCertificateMakesHTTPS(t *testing.T) {
	s, _ := balancer(t, func(p *traffic.Props) { p.CertificateARN = certificateARN })
	s.Only("aws_lb_listener").Wants(map[string]string{
		"port": "443", "protocol": "HTTPS", "certificate_arn": certificateARN, "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
		"routing_http_response_strict_transport_security_header_value": "max-age=31536000",
		"routing_http_response_x_content_type_options_header_value":    "nosniff",
	})
	s.Only("aws_lb_target_group").Wants(map[string]string{"port": "8080", "protocol": "HTTP"})
	if url := s.Output("url"); url != nil {
		t.Errorf("the API answers at %v, which the certificate may not be for", url)
	}
	if len(s.Resources("aws_route53_record")) != 0 {
		t.Error("a name that nobody gave")
	}
}

func TestADomainGetsItsCertificateAndLeadsToTheBalancer(t *testing.T) {
	s, _ := balancer(t, func(p *traffic.Props) { p.Domain, p.HostedZone = "files.example.org", "example.org" })
	certificate, alb, zone := s.Only("aws_acm_certificate"), s.Only("aws_lb"), s.Data("aws_route53_zone")[0]
	certificate.Wants(map[string]string{
		"domain_name": "files.example.org", "validation_method": "DNS", "lifecycle.create_before_destroy": "true", "tags.Name": "demo-certificate",
	})
	zone.Wants(map[string]string{"name": "example.org", "private_zone": "false"})
	records := s.Resources("aws_route53_record")
	if len(records) != 2 {
		t.Fatalf("%d records, want the name's and the proof's", len(records))
	}
	records[0].Wants(map[string]string{
		"name": "files.example.org", "type": "A", "zone_id": zone.Ref("zone_id"),
		"alias.name": alb.Ref("dns_name"), "alias.zone_id": alb.Ref("zone_id"), "allow_overwrite": "<nil>",
	})
	proof := "${tolist(" + certificate.Address + ".domain_validation_options).0."
	records[1].Wants(map[string]string{
		"name": proof + "resource_record_name}", "type": proof + "resource_record_type}", "records": "[" + proof + "resource_record_value}]",
		"zone_id": zone.Ref("zone_id"), "allow_overwrite": "<nil>",
	})
	validation := s.Only("aws_acm_certificate_validation")
	validation.Wants(map[string]string{"certificate_arn": certificate.Ref("arn"), "validation_record_fqdns": "[" + records[1].Ref("fqdn") + "]"})
	// The listener waits for the validation, not only for the certificate.
	s.Only("aws_lb_listener").Wants(map[string]string{"port": "443", "certificate_arn": validation.Ref("certificate_arn")})
	if url := s.Output("url"); url != "https://files.example.org" {
		t.Errorf("the API answers at %v", url)
	}
}

func TestAWAFBlocksByRateAndKnownBadInputsAndCountsTheRest(t *testing.T) {
	s, _ := balancer(t, func(p *traffic.Props) { p.WAF = &traffic.WAF{RequestsPer5Minutes: 500} })
	acl := s.Only("aws_wafv2_web_acl")
	acl.Wants(map[string]string{
		"scope": "REGIONAL", "name": "demo-waf", "default_action.allow": "map[]", "default_action.block": "<nil>",
		"rule.0.name": "rate", "rule.0.priority": "0", "rule.0.action.block.custom_response.response_code": "429",
		"rule.0.statement.rate_based_statement.limit": "500", "rule.0.statement.rate_based_statement.aggregate_key_type": "IP",
		"rule.0.statement.rate_based_statement.evaluation_window_sec": "300",
		"rule.1.statement.managed_rule_group_statement.name":          "AWSManagedRulesKnownBadInputsRuleSet",
		"rule.1.override_action.none":                                 "map[]", "rule.1.override_action.count": "<nil>",
		"rule.2.statement.managed_rule_group_statement.name": "AWSManagedRulesCommonRuleSet",
		"rule.2.override_action.count":                       "map[]", "rule.2.override_action.none": "<nil>",
		"visibility_config.cloudwatch_metrics_enabled": "true",
		"rule.1.visibility_config.metric_name":         "demo-waf-known-bad-inputs",
	})
	// A sample would show the key of whoever sent the request.
	for _, at := range []string{"", "rule.0.", "rule.1.", "rule.2."} {
		acl.Wants(map[string]string{at + "visibility_config.sampled_requests_enabled": "false"})
	}
	s.Only("aws_wafv2_web_acl_association").Wants(map[string]string{"resource_arn": s.Only("aws_lb").Ref("arn"), "web_acl_arn": acl.Ref("arn")})
}

func TestABalancerLogsAndIsProtectedWhereAsked(t *testing.T) {
	s, _ := balancer(t, func(p *traffic.Props) { p.LogsBucket, p.DeletionProtection = "demo-logs-1", true })
	s.Only("aws_lb").Wants(map[string]string{
		"access_logs.bucket": "demo-logs-1", "access_logs.prefix": "alb", "access_logs.enabled": "true", "enable_deletion_protection": "true",
	})
}

// The balancer drains longer than the server, and the server keeps quiet connections longer than the balancer;
// otherwise requests are lost while a machine leaves, or whenever the balancer reuses a connection. A destroy waits for
// the drain, so it is no longer than it must be.
func TestTheBalancerAndTheServerAgreeOnTime(t *testing.T) {
	for name, s := range shipped(t, stack.Target{}) {
		for _, group := range s.Resources("aws_lb_target_group") {
			if drain := seconds(t, group.Get("deregistration_delay")); drain <= settings.DefaultDrainTimeout || drain > settings.DefaultDrainTimeout+5*time.Second {
				t.Errorf("%s: the balancer waits %s for a machine that takes %s", name, drain, settings.DefaultDrainTimeout)
			}
		}
		for _, alb := range s.Resources("aws_lb") {
			if idle := seconds(t, alb.Get("idle_timeout")); idle >= settings.IdleTimeout {
				t.Errorf("%s: the balancer keeps connections for %s, the server for %s", name, idle, settings.IdleTimeout)
			}
		}
	}
}

func seconds(t *testing.T, value any) time.Duration {
	t.Helper()
	n, err := strconv.Atoi(fmt.Sprint(value))
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(n) * time.Second
}

func TestATargetGroupsNameFitsTheLongestProjectAndPort(t *testing.T) {
	longest := strings.Repeat("a", 20)
	s, _ := balancer(t, func(p *traffic.Props) { p.Project, p.Port = naming.MustProject(longest), 65535 })
	for _, kind := range []string{"aws_lb", "aws_lb_target_group"} {
		if name := fmt.Sprint(s.Only(kind).Get("name")); len(name) > 32 {
			t.Errorf("%s: %s has %d characters, AWS takes 32", kind, name, len(name))
		}
	}
}

func TestABalancerRefusesWhatAWSWouldRefuseLate(t *testing.T) {
	if err := balancerProps().Validate(); err != nil {
		t.Fatal(err)
	}
	domain := func(domain, zone string) func(*traffic.Props) {
		return func(p *traffic.Props) { p.Domain, p.HostedZone = domain, zone }
	}
	for name, tc := range map[string]struct {
		change func(*traffic.Props)
		want   string // "" is fine
	}{
		"one subnet":               {func(p *traffic.Props) { p.SubnetIDs = p.SubnetIDs[:1] }, "two zones"},
		"nobody allowed":           {func(p *traffic.Props) { p.Allow = nil }, "nobody could connect"},
		"no network":               {func(p *traffic.Props) { p.VPCID = nil }, "VPCID"},
		"no fleet":                 {func(p *traffic.Props) { p.FleetCIDRs = nil }, "could reach nobody"},
		"port of nothing":          {func(p *traffic.Props) { p.Port = 0 }, "outside 1 to 65535"},
		"relative health path":     {func(p *traffic.Props) { p.HealthPath = "up" }, "does not start with /"},
		"certificate of IAM":       {func(p *traffic.Props) { p.CertificateARN = "arn:aws:iam::123456789012:server-certificate/x" }, "not the ARN of a certificate in ACM"},
		"certificate":              {func(p *traffic.Props) { p.CertificateARN = certificateARN }, ""},
		"certificate of the stack": {func(p *traffic.Props) { p.CertificateARN = "${TfToken[TOKEN.1]}" }, ""},
		"certificate and domain":   {func(p *traffic.Props) { p.CertificateARN = certificateARN; domain("a.b.org", "b.org")(p) }, "give one"},
		"domain":                   {domain("a.b.org", "b.org"), ""},
		"domain that is its zone":  {domain("b.org", "b.org"), ""},
		"domain without a zone":    {domain("a.b.org", ""), "give both"},
		"zone without a domain":    {domain("", "b.org"), "give both"},
		"domain of another zone":   {domain("a.b.org", "c.org"), "outside HostedZone"},
		"zone that only ends so":   {domain("a.bb.org", "b.org"), "outside HostedZone"},
		"domain in upper case":     {domain("A.b.org", "b.org"), "not a host name"},
		"URL for a domain":         {domain("https://a.b.org", "b.org"), "not a host name"},
		"domain of 65 characters":  {domain(strings.Repeat("a", 59)+".b.org", "b.org"), "ACM takes 64"},
		"wildcard":                 {domain("*.b.org", "b.org"), "not a host name"},
		"WAF that blocks all":      {func(p *traffic.Props) { p.WAF = &traffic.WAF{} }, "AWS takes 10 to 2000000000"},
		"WAF":                      {func(p *traffic.Props) { p.WAF = &traffic.WAF{RequestsPer5Minutes: 10} }, ""},
	} {
		p := balancerProps()
		tc.change(&p)
		switch err := p.Validate(); {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}

func TestProductionIsReachedByHTTPSOnly(t *testing.T) {
	s := shipped(t, stack.Target{})["production-api"]
	s.Only("aws_lb_listener").Wants(map[string]string{"port": "443", "protocol": "HTTPS"})
	firewall := groupOf(s, "cloudstorage-alb-sg")
	for _, rule := range s.Resources("aws_vpc_security_group_ingress_rule") {
		if rule.Get("security_group_id") == firewall.Ref("id") && fmt.Sprint(rule.Get("from_port")) != "443" {
			t.Errorf("port %v is open", rule.Get("from_port"))
		}
	}
	s.Only("aws_lb").Wants(map[string]string{"enable_deletion_protection": "true", "access_logs.bucket": "cloudstorage-logs-0000000000"})
	if got := s.Output("api_url"); got != "https://files.example.com" {
		t.Errorf("api_url is %v", got)
	}
}

func TestACertificateOfUnknownNameHasNoURL(t *testing.T) {
	s := changed(t, "production", strings.NewReplacer(
		"  domain: files.example.com\n  hosted_zone: example.com\n", "  certificate_arn: "+certificateARN+"\n"))["production-api"]
	if got := s.Output("api_url"); got != nil {
		t.Errorf("api_url is %v", got)
	}
	if got := s.Output("load_balancer_dns_name"); got != s.Only("aws_lb").Ref("dns_name") {
		t.Errorf("load_balancer_dns_name is %v", got)
	}
}
