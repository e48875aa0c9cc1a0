package stack_test

import (
	"net/netip"
	"testing"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/naming"
	"cloudstorage/infra/network"
)

// example:
// NewQuietNetwork is a network whose machines read reports from one bucket and write logs, and reach nothing else.
func NewQuietNetwork(scope constructs.Construct, id string, project naming.Project) *network.Network {
	return network.New(scope, id, network.Props{
		Project: project, Region: "eu-central-1", CIDR: netip.MustParsePrefix("10.8.0.0/16"),
		Subnets: []network.Subnet{
			{Zone: "eu-central-1a", CIDR: netip.MustParsePrefix("10.8.0.0/24")},
			{Zone: "eu-central-1b", CIDR: netip.MustParsePrefix("10.8.1.0/24")},
		},
		PrivateSubnets: []network.Subnet{
			{Zone: "eu-central-1a", CIDR: netip.MustParsePrefix("10.8.16.0/20")},
			{Zone: "eu-central-1b", CIDR: netip.MustParsePrefix("10.8.32.0/20")},
		},
		Egress:    network.Endpoints,
		Endpoints: []string{"logs"},
		Buckets:   []network.Bucket{{Name: "reports-1", ObjectActions: []string{"s3:GetObject"}}},
	})
}

// end of example

func TestTheNetworksPageShowsWhatIsTested(t *testing.T) {
	showsExample(t, "docs/constructs/network.md", "example_network_test.go")
	s := template.One(t, func(stack cdktf.TerraformStack) {
		net := NewQuietNetwork(stack, "network", naming.MustProject("demo"))
		if !net.Restricted() || net.EndpointsSecurityGroupID() == nil || net.S3PrefixListID() == nil || len(net.MachineSubnetIDs()) != 2 {
			t.Error("the machines' firewall is not told how narrow it can be")
		}
	})
	endpoints := s.Resources("aws_vpc_endpoint")
	if len(endpoints) != 2 {
		t.Fatalf("%d endpoints", len(endpoints))
	}
	endpoints[0].Wants(map[string]string{"service_name": "com.amazonaws.eu-central-1.logs", "vpc_endpoint_type": "Interface"})
	endpoints[1].Wants(map[string]string{"service_name": "com.amazonaws.eu-central-1.s3", "vpc_endpoint_type": "Gateway"})
}
