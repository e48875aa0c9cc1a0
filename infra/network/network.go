// Package network makes a VPC with public subnets: the gateway, the route to it, and a subnet in each zone.
package network

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/internetgateway"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/routetable"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/routetableassociation"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/subnet"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/vpc"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/internal/tf"
	"cloudstorage/infra/naming"
)

// Props are what a network needs.
type Props struct {
	// Project names and tags every resource. Required.
	Project naming.Project
	// CIDR is the VPC's IPv4 block, /16 to /28. Required.
	CIDR netip.Prefix
	// Subnets are public and one a zone. Required: at least one.
	Subnets []Subnet
}

// Subnet is a public subnet: its machines get a public address at launch.
type Subnet struct {
	// Zone is the availability zone, such as eu-west-1a. The subnet's construct id carries it, so adding a zone
	// touches no other subnet.
	Zone string
	// CIDR is a block inside the VPC's.
	CIDR netip.Prefix
}

// Validate reports what no VPC could be made of.
func (p Props) Validate() error {
	var errs []error
	if !p.CIDR.IsValid() {
		errs = append(errs, errors.New("network: CIDR is missing: give the VPC a block such as 10.0.0.0/16"))
	}
	if len(p.Subnets) == 0 {
		errs = append(errs, errors.New("network: Subnets is empty: a VPC without a subnet holds nothing"))
	}
	zones := map[string]bool{}
	for _, s := range p.Subnets {
		if !s.CIDR.IsValid() || !p.CIDR.Contains(s.CIDR.Addr()) || s.CIDR.Bits() < p.CIDR.Bits() {
			errs = append(errs, fmt.Errorf("network: subnet %s of zone %q is outside the VPC's %s", s.CIDR, s.Zone, p.CIDR))
		}
		if s.Zone == "" || zones[s.Zone] {
			errs = append(errs, fmt.Errorf("network: zone %q is empty or taken: give each subnet a zone of its own", s.Zone))
		}
		zones[s.Zone] = true
	}
	return errors.Join(errs...)
}

// Network is a VPC whose subnets reach the internet.
type Network struct {
	vpc     vpc.Vpc
	subnets []*string
	online  []cdktf.ITerraformDependable
}

// New makes the network:
//
//	VPC ← internet gateway ← route table (0.0.0.0/0) ← association → subnet, for each zone
//
// It panics where Validate would have said why.
func New(scope constructs.Construct, id string, p Props) *Network {
	if err := p.Validate(); err != nil {
		panic(err)
	}
	within := constructs.NewConstruct(scope, jsii.String(id))
	n := &Network{vpc: vpc.NewVpc(within, jsii.String("vpc"), &vpc.VpcConfig{
		CidrBlock:          jsii.String(p.CIDR.String()),
		EnableDnsHostnames: jsii.Bool(true),
		EnableDnsSupport:   jsii.Bool(true),
		Tags:               tf.Tags(p.Project.Tags("vpc")),
	})}
	table := n.routeTable(within, p)
	for _, s := range p.Subnets {
		n.addSubnet(within, p.Project, table, s)
	}
	return n
}

func (n *Network) routeTable(within constructs.Construct, p Props) routetable.RouteTable {
	gateway := internetgateway.NewInternetGateway(within, jsii.String("igw"), &internetgateway.InternetGatewayConfig{
		VpcId:     n.vpc.Id(),
		Tags:      tf.Tags(p.Project.RoutingTags("igw")),
		DependsOn: &[]cdktf.ITerraformDependable{n.vpc},
	})
	return routetable.NewRouteTable(within, jsii.String("rt"), &routetable.RouteTableConfig{
		VpcId: n.vpc.Id(),
		Route: &[]*routetable.RouteTableRoute{{
			CidrBlock: jsii.String("0.0.0.0/0"),
			GatewayId: gateway.Id(),
		}},
		Tags:      tf.Tags(p.Project.RoutingTags("rt")),
		DependsOn: &[]cdktf.ITerraformDependable{n.vpc, gateway},
	})
}

func (n *Network) addSubnet(within constructs.Construct, project naming.Project, table routetable.RouteTable, s Subnet) {
	made := subnet.NewSubnet(within, jsii.String("subnet-"+s.Zone), &subnet.SubnetConfig{
		VpcId:               n.vpc.Id(),
		AvailabilityZone:    jsii.String(s.Zone),
		CidrBlock:           jsii.String(s.CIDR.String()),
		MapPublicIpOnLaunch: jsii.Bool(true),
		Tags:                tf.Tags(project.Tags("subnet-" + s.Zone)),
		DependsOn:           &[]cdktf.ITerraformDependable{n.vpc},
	})
	association := routetableassociation.NewRouteTableAssociation(within, jsii.String("rta-"+s.Zone), &routetableassociation.RouteTableAssociationConfig{
		RouteTableId: table.Id(),
		SubnetId:     made.Id(),
		DependsOn:    &[]cdktf.ITerraformDependable{table, made},
	})
	n.subnets = append(n.subnets, made.Id())
	n.online = append(n.online, association)
}

// VPC is the resource itself, for those that must depend on it.
func (n *Network) VPC() cdktf.ITerraformDependable { return n.vpc }

// VPCID is a token for the VPC's id.
func (n *Network) VPCID() *string { return n.vpc.Id() }

// SubnetIDs are tokens, in the order of Props.Subnets.
func (n *Network) SubnetIDs() []*string { return n.subnets }

// Online is what must exist before a machine in the subnets reaches the internet.
func (n *Network) Online() []cdktf.ITerraformDependable { return n.online }
