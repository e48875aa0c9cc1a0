package stack_test

import (
	"net/netip"
	"testing"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/compute"
	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/network"
	"cloudstorage/infra/traffic"
)

// example:
// NewOfficeFleet serves from two machines in office hours and from none at night, with an image that stays as it is.
func NewOfficeFleet(scope constructs.Construct, m compute.Machine, net *network.Network, balancer *traffic.Balancer) *compute.Fleet {
	m.VPCID, m.VPC = net.VPCID(), net.VPC()
	m.Image = "ami-0123456789abcdef0"
	return compute.NewFleet(scope, "office", compute.FleetProps{
		Machine: m, Min: 2, Max: 2, SubnetIDs: net.SubnetIDs(),
		Sleep:                   &compute.Sleep{From: "0 20 * * *", Until: "0 7 * * 1-5", TimeZone: "Europe/Paris"},
		BalancerSecurityGroupID: balancer.SecurityGroupID(), TargetGroupARN: balancer.TargetGroupARN(),
		After: append(net.Online(), balancer.Listening()),
	})
}

// end of example

func TestTheComputePageShowsWhatIsTested(t *testing.T) {
	showsExample(t, "docs/constructs/compute.md", "example_compute_test.go")
	s := template.One(t, func(stack cdktf.TerraformStack) {
		net := network.New(stack, "network", network.Props{Project: project, Region: "eu-west-1", CIDR: block, Subnets: []network.Subnet{
			{Zone: "eu-west-1a", CIDR: netip.MustParsePrefix("10.0.1.0/24")}, {Zone: "eu-west-1b", CIDR: netip.MustParsePrefix("10.0.2.0/24")},
		}})
		balancer := traffic.New(stack, "traffic", traffic.Props{
			Project: project, VPCID: net.VPCID(), FleetCIDRs: blocks, SubnetIDs: net.SubnetIDs(), Port: 5000, HealthPath: "/healthz", Allow: world,
		})
		NewOfficeFleet(stack, machine(), net, balancer)
	})
	asg := s.Only("aws_autoscaling_group")
	asg.Wants(map[string]string{"min_size": "0", "max_size": "2", "desired_capacity": "2"})
	wantsDependency(t, asg, s.Only("aws_lb_listener"))
	if n := len(s.Resources("aws_autoscaling_schedule")); n != 2 {
		t.Errorf("%d schedules", n)
	}
	s.Only("aws_launch_template").Wants(map[string]string{"image_id": "ami-0123456789abcdef0"})
}
