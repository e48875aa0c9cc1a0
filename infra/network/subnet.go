package network

import (
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/internetgateway"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/routetable"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/routetableassociation"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/subnet"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/internal/tf"
)

// anywhere is every IPv4 address.
const anywhere = "0.0.0.0/0"

// routed is a subnet with the route table that is associated with it.
type routed struct {
	subnet      subnet.Subnet
	table       routetable.RouteTable
	association routetableassociation.RouteTableAssociation
}

// makePublic makes the public subnets, which share a route table to the internet gateway.
func (n *Network) makePublic() {
	n.gateway = internetgateway.NewInternetGateway(n.within, jsii.String("igw"), &internetgateway.InternetGatewayConfig{
		VpcId:     n.vpc.Id(),
		Tags:      tf.Tags(n.props.Project.RoutingTags("igw")),
		DependsOn: &[]cdktf.ITerraformDependable{n.vpc},
	})
	table := routetable.NewRouteTable(n.within, jsii.String("rt"), &routetable.RouteTableConfig{
		VpcId:     n.vpc.Id(),
		Route:     &[]*routetable.RouteTableRoute{{CidrBlock: jsii.String(anywhere), GatewayId: n.gateway.Id()}},
		Tags:      tf.Tags(n.props.Project.RoutingTags("rt")),
		DependsOn: &[]cdktf.ITerraformDependable{n.vpc, n.gateway},
	})
	for _, s := range n.props.Subnets {
		n.public = append(n.public, n.makeSubnet("", s, table))
	}
}

// makePrivate makes the private subnets, each with a route table of its own: none leads to the internet gateway.
func (n *Network) makePrivate() {
	for _, s := range n.props.PrivateSubnets {
		name := "private-rt-" + s.Zone
		table := routetable.NewRouteTable(n.within, jsii.String(name), &routetable.RouteTableConfig{
			VpcId: n.vpc.Id(),
			Tags:  tf.Tags(n.props.Project.Tags(name)),
		})
		if n.props.egress() == NAT {
			table.PutRoute(&[]*routetable.RouteTableRoute{{CidrBlock: jsii.String(anywhere), NatGatewayId: n.makeNAT(s.Zone)}})
		} else {
			// The empty list, unlike none, makes Terraform take away what somebody adds, and a NAT gateway's route
			// when the egress changes.
			table.AddOverride(jsii.String("route"), []any{})
		}
		n.private = append(n.private, n.makeSubnet("private-", s, table))
	}
}

// makeSubnet makes a subnet with its association. kind goes before the ids; it is empty for public ones, whose
// addresses in Terraform's state are older than the private ones.
func (n *Network) makeSubnet(kind string, s Subnet, table routetable.RouteTable) routed {
	name := kind + "subnet-" + s.Zone
	made := subnet.NewSubnet(n.within, jsii.String(name), &subnet.SubnetConfig{
		VpcId:            n.vpc.Id(),
		AvailabilityZone: jsii.String(s.Zone),
		CidrBlock:        jsii.String(s.CIDR.String()),
		// Public subnets give addresses to machines only where the machines are in them: a load balancer and a NAT
		// gateway bring their own.
		MapPublicIpOnLaunch: jsii.Bool(!n.props.private()),
		Tags:                tf.Tags(n.props.Project.Tags(name)),
		DependsOn:           &[]cdktf.ITerraformDependable{n.vpc},
	})
	association := routetableassociation.NewRouteTableAssociation(n.within, jsii.String(kind+"rta-"+s.Zone), &routetableassociation.RouteTableAssociationConfig{
		RouteTableId: table.Id(),
		SubnetId:     made.Id(),
		DependsOn:    &[]cdktf.ITerraformDependable{table, made},
	})
	return routed{subnet: made, table: table, association: association}
}

func ids(subnets []routed) []*string {
	tokens := make([]*string, len(subnets))
	for i, s := range subnets {
		tokens[i] = s.subnet.Id()
	}
	return tokens
}

func associations(subnets []routed) []cdktf.ITerraformDependable {
	found := make([]cdktf.ITerraformDependable, len(subnets))
	for i, s := range subnets {
		found[i] = s.association
	}
	return found
}
