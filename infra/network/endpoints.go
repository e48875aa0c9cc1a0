package network

import (
	"net/netip"

	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/vpcendpoint"

	"cloudstorage/infra/internal/firewall"
	"cloudstorage/infra/internal/tf"
)

// tlsPort is the one port of AWS's services.
const tlsPort = 443

// makeEndpoints makes an interface endpoint of each service, with an address in every private subnet, to which the
// service's ordinary name resolves inside the VPC. The private subnets' addresses may connect: the machines' own
// security group belongs to another construct, which lets them out to this one.
func (n *Network) makeEndpoints() {
	group := firewall.New(n.within, "endpoints-firewall", firewall.Props{
		Project: n.props.Project, Resource: "endpoints-sg", Description: "Endpoints of AWS services", VPCID: n.vpc.Id(), VPC: n.vpc,
	})
	var blocks []netip.Prefix
	for _, s := range n.props.PrivateSubnets {
		blocks = append(blocks, s.CIDR)
	}
	group.AllowFrom("private", "Machines in private subnets", tlsPort, blocks)
	n.endpointsGroup = group.ID()
	subnets := ids(n.private)
	for _, service := range n.props.Endpoints {
		n.endpoints = append(n.endpoints, vpcendpoint.NewVpcEndpoint(n.within, jsii.String("endpoint-"+service), &vpcendpoint.VpcEndpointConfig{
			VpcId:             n.vpc.Id(),
			ServiceName:       jsii.String(n.service(service)),
			VpcEndpointType:   jsii.String("Interface"),
			SubnetIds:         &subnets,
			SecurityGroupIds:  jsii.Strings(*group.ID()),
			PrivateDnsEnabled: jsii.Bool(true),
			Tags:              tf.Tags(n.props.Project.Tags(service + "-endpoint")),
		}))
	}
}
