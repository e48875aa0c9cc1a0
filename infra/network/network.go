package network

import (
	"slices"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/defaultsecuritygroup"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/internetgateway"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/vpc"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/vpcendpoint"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/internal/tf"
)

// Network is a VPC whose machines have one way out.
type Network struct {
	props   Props
	within  constructs.Construct
	vpc     vpc.Vpc
	gateway internetgateway.InternetGateway
	public  []routed
	private []routed
	s3      vpcendpoint.VpcEndpoint
	// endpoints are the interface endpoints, and endpointsGroup the security group before them; none and nil where
	// the egress is another.
	endpoints      []cdktf.ITerraformDependable
	endpointsGroup *string
}

// New makes the network:
//
//	VPC ← internet gateway ← route table (0.0.0.0/0) ← association → public subnet, for each zone
//	VPC ← route table (no route to the internet gateway) ← association → private subnet, for each zone
//	VPC ← S3 gateway endpoint → all route tables
//
// With egress Endpoints, an interface endpoint of each service stands in the private subnets; with NAT, each private
// route table leads to a NAT gateway in its zone's public subnet.
//
// It panics where Validate would have said why.
func New(scope constructs.Construct, id string, p Props) *Network {
	if err := p.Validate(); err != nil {
		panic(err)
	}
	within := constructs.NewConstruct(scope, jsii.String(id))
	n := &Network{props: p, within: within, vpc: vpc.NewVpc(within, jsii.String("vpc"), &vpc.VpcConfig{
		CidrBlock:          jsii.String(p.CIDR.String()),
		EnableDnsHostnames: jsii.Bool(true),
		EnableDnsSupport:   jsii.Bool(true),
		Tags:               tf.Tags(p.Project.Tags("vpc")),
	})}
	n.closeDefaultGroup()
	n.makePublic()
	n.makePrivate()
	n.makeS3Endpoint()
	if p.egress() == Endpoints {
		n.makeEndpoints()
	}
	if p.FlowLogsBucket != "" {
		n.makeFlowLogs()
	}
	return n
}

// closeDefaultGroup takes every rule from the security group that AWS gives a VPC, which lets its members talk to each
// other and out: what is started without a group of its own then reaches nothing. The empty lists, unlike none, make
// Terraform take away what somebody adds.
func (n *Network) closeDefaultGroup() {
	group := defaultsecuritygroup.NewDefaultSecurityGroup(n.within, jsii.String("default-sg"), &defaultsecuritygroup.DefaultSecurityGroupConfig{
		VpcId: n.vpc.Id(),
		Tags:  tf.Tags(n.props.Project.Tags("default-sg")),
	})
	group.AddOverride(jsii.String("ingress"), []any{})
	group.AddOverride(jsii.String("egress"), []any{})
}

// VPC is the resource itself, for those that must depend on it.
func (n *Network) VPC() cdktf.ITerraformDependable { return n.vpc }

// VPCID is a token for the VPC's id.
func (n *Network) VPCID() *string { return n.vpc.Id() }

// SubnetIDs are tokens of the public subnets, in the order of Props.Subnets: where a load balancer is.
func (n *Network) SubnetIDs() []*string { return ids(n.public) }

// MachineSubnetIDs are tokens of the subnets for machines: the private ones where there are any, else the public ones.
func (n *Network) MachineSubnetIDs() []*string { return ids(n.machines()) }

// PublicOnline is what must exist before something in the public subnets reaches the internet, and is reached from it.
func (n *Network) PublicOnline() []cdktf.ITerraformDependable { return associations(n.public) }

// Online is what must exist before a machine in MachineSubnetIDs reaches all that it may reach. A NAT gateway is
// among it by way of the route tables, which lead to it.
func (n *Network) Online() []cdktf.ITerraformDependable {
	return slices.Concat(associations(n.machines()), []cdktf.ITerraformDependable{n.s3}, n.endpoints)
}

// Restricted reports whether machines reach S3 and the endpoints only, so that their firewall may be as narrow.
func (n *Network) Restricted() bool {
	egress := n.props.egress()
	return egress == Endpoints || egress == None
}

// S3PrefixListID is a token for the list of S3's addresses, for firewalls.
func (n *Network) S3PrefixListID() *string { return n.s3.PrefixListId() }

// EndpointsSecurityGroupID is a token for the security group of the interface endpoints; nil where there are none.
func (n *Network) EndpointsSecurityGroupID() *string { return n.endpointsGroup }

func (n *Network) machines() []routed {
	if n.props.private() {
		return n.private
	}
	return n.public
}
