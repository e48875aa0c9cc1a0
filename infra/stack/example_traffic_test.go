package stack_test

import (
	"net/netip"
	"testing"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/naming"
	"cloudstorage/infra/traffic"
)

// example:
// NewFrontDoor is the way in to machines on port 8080: HTTPS by a name of ours, for one office, behind a WAF.
func NewFrontDoor(scope constructs.Construct, project naming.Project, vpcID *string, public []*string) *traffic.Balancer {
	return traffic.New(scope, "front-door", traffic.Props{
		Project: project, VPCID: vpcID, SubnetIDs: public,
		Port: 8080, HealthPath: "/up", FleetCIDRs: []netip.Prefix{netip.MustParsePrefix("10.20.16.0/20")},
		Allow:  []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")},
		Domain: "files.example.org", HostedZone: "example.org",
		WAF: &traffic.WAF{RequestsPer5Minutes: 2000},
	})
}

// end of example

func TestTheTrafficPageShowsAFrontDoor(t *testing.T) {
	showsExample(t, "docs/constructs/traffic.md", "example_traffic_test.go")
	s := template.One(t, func(stack cdktf.TerraformStack) {
		door := NewFrontDoor(stack, project, vpcID, *jsii.Strings("subnet-a", "subnet-b"))
		cdktf.NewTerraformOutput(stack, jsii.String("url"), &cdktf.TerraformOutputConfig{Value: door.URL()})
	})
	s.Only("aws_lb_listener").Wants(map[string]string{"port": "443", "protocol": "HTTPS"})
	s.Only("aws_vpc_security_group_ingress_rule").Wants(map[string]string{"cidr_ipv4": "198.51.100.0/24", "from_port": "443"})
	s.Only("aws_vpc_security_group_egress_rule").Wants(map[string]string{"cidr_ipv4": "10.20.16.0/20", "from_port": "8080"})
	s.Only("aws_wafv2_web_acl").Wants(map[string]string{"rule.0.statement.rate_based_statement.limit": "2000"})
	if got := s.Output("url"); got != "https://files.example.org" {
		t.Errorf("the front door is at %v", got)
	}
}
