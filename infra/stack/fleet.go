package stack

import (
	"github.com/aws/jsii-runtime-go"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/compute"
	"cloudstorage/infra/config"
	"cloudstorage/infra/network"
	"cloudstorage/infra/traffic"
)

func newFleet(stack cdktf.TerraformStack, e *config.Environment, machine compute.Machine, after []cdktf.ITerraformDependable) {
	net := network.New(stack, "network", networkProps(e))
	balancer := traffic.New(stack, "traffic", trafficProps(e, net))
	fleet := compute.NewFleet(stack, "compute", fleetProps(e, machine, net, balancer, after))
	output(stack, "load_balancer_dns_name", "The load balancer's own name", balancer.DNSName())
	if url := balancer.URL(); url != nil {
		output(stack, "api_url", "Where the API answers: storagectl --ip takes it", url)
	}
	output(stack, "autoscaling_group_name", "The fleet", fleet.GroupName())
	output(stack, "launch_template_id", "What the fleet's machines are made from", fleet.TemplateID())
	if e.Observe != nil {
		watch(stack, e, balancer, fleet)
	}
}

func fleetProps(e *config.Environment, machine compute.Machine, net *network.Network, balancer *traffic.Balancer, after []cdktf.ITerraformDependable) compute.FleetProps {
	machine.VPCID, machine.VPC = net.VPCID(), net.VPC()
	if e.API.Direct {
		machine.Allow = e.API.Allow
	}
	if net.Restricted() {
		machine.Out = &compute.Out{S3PrefixListID: net.S3PrefixListID(), EndpointsSecurityGroupID: net.EndpointsSecurityGroupID()}
	}
	return compute.FleetProps{
		Machine: machine, Min: e.Compute.Min, Max: e.Compute.Max, Initial: e.Compute.Initial,
		Scaling: scaling(e, balancer), Sleep: sleep(e), SubnetIDs: net.MachineSubnetIDs(), Private: e.Network.Private(),
		BalancerSecurityGroupID: balancer.SecurityGroupID(), TargetGroupARN: balancer.TargetGroupARN(),
		BuildsFromSource: e.Release.Delivery == config.Source, After: append(append(after, net.Online()...), balancer.Listening()),
	}
}

func scaling(e *config.Environment, balancer *traffic.Balancer) *compute.Scaling {
	if e.Compute.Scaling == nil {
		return nil
	}
	return &compute.Scaling{
		RequestsPerTarget: e.Compute.Scaling.RequestsPerTarget, CPUPercent: e.Compute.Scaling.CPUPercent,
		ResourceLabel: jsii.String(*balancer.ARNSuffix() + "/" + *balancer.TargetGroupARNSuffix()),
	}
}

func sleep(e *config.Environment) *compute.Sleep {
	s := e.Compute.Sleep
	if s == nil {
		return nil
	}
	return &compute.Sleep{From: s.From, Until: s.Until, TimeZone: s.TimeZone}
}
