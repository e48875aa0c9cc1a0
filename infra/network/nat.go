package network

import (
	"slices"

	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/eip"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/natgateway"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/internal/tf"
)

// makeNAT makes a NAT gateway in the zone's public subnet, so that a zone's loss takes no other zone's way out, and
// gives back its id.
func (n *Network) makeNAT(zone string) *string {
	public := n.public[slices.IndexFunc(n.props.Subnets, func(s Subnet) bool { return s.Zone == zone })]
	name := "nat-" + zone
	address := eip.NewEip(n.within, jsii.String("nat-ip-"+zone), &eip.EipConfig{
		Domain: jsii.String("vpc"),
		Tags:   tf.Tags(n.props.Project.Tags("nat-ip-" + zone)),
		// AWS gives the address to nothing in a VPC without an internet gateway.
		DependsOn: &[]cdktf.ITerraformDependable{n.gateway},
	})
	gateway := natgateway.NewNatGateway(n.within, jsii.String(name), &natgateway.NatGatewayConfig{
		AllocationId: address.Id(),
		SubnetId:     public.subnet.Id(),
		Tags:         tf.Tags(n.props.Project.Tags(name)),
		// Without its own way out, the gateway would be none for others.
		DependsOn: &[]cdktf.ITerraformDependable{public.association},
	})
	return gateway.Id()
}
