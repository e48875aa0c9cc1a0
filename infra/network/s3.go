package network

import (
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/vpcendpoint"

	"cloudstorage/infra/internal/tf"
)

// packagesSuffix ends the name of the bucket, one a region, in which Amazon Linux 2023 keeps its packages.
// Source: https://github.com/aws-samples/data-perimeter-policy-examples/tree/main/vpc_endpoint_policies
const packagesSuffix = "-de612dc2"

// makeS3Endpoint makes the gateway endpoint, by which every subnet reaches S3 without charge and without the internet.
// An endpoint belongs to the route tables, not to the zone: a new zone's table is added to it in place.
func (n *Network) makeS3Endpoint() {
	tables := []*string{n.public[0].table.Id()} // all public subnets share it
	for _, s := range n.private {
		tables = append(tables, s.table.Id())
	}
	n.s3 = vpcendpoint.NewVpcEndpoint(n.within, jsii.String("s3"), &vpcendpoint.VpcEndpointConfig{
		VpcId:           n.vpc.Id(),
		ServiceName:     jsii.String(n.service("s3")),
		VpcEndpointType: jsii.String("Gateway"),
		RouteTableIds:   &tables,
		Policy:          tf.JSON(s3Policy(n.props)),
		Tags:            tf.Tags(n.props.Project.Tags("s3-endpoint")),
	})
}

// service is an AWS service's name in the region.
func (n *Network) service(name string) string { return "com.amazonaws." + n.props.Region + "." + name }

type document struct {
	Version   string      `json:"Version"`
	Statement []statement `json:"Statement"`
}

type statement struct {
	Sid       string   `json:"Sid,omitempty"`
	Effect    string   `json:"Effect"`
	Principal string   `json:"Principal"`
	Action    []string `json:"Action"`
	Resource  []string `json:"Resource"`
}

// s3Policy bounds what goes through the endpoint: the buckets that are named, each with the actions that are, and
// reading packages. So a machine, whatever credentials it holds, can carry data to no other bucket of the region.
//
// The principal is everybody: packages are fetched without a signature, and who may use a bucket is what the role's
// and the bucket's policies say. An endpoint's policy allows nothing that they don't.
func s3Policy(p Props) document {
	statements := []statement{
		allow("Packages", []string{"s3:GetObject"}, []string{"arn:aws:s3:::al2023-repos-" + p.Region + packagesSuffix + "/*"}),
	}
	for _, b := range p.Buckets {
		if len(b.Actions) > 0 {
			statements = append(statements, allow("", b.Actions, []string{"arn:aws:s3:::" + b.Name}))
		}
		statements = append(statements, allow("", b.ObjectActions, []string{"arn:aws:s3:::" + b.Name + "/*"}))
	}
	return document{Version: "2012-10-17", Statement: statements}
}

func allow(sid string, actions, resources []string) statement {
	return statement{Sid: sid, Effect: "Allow", Principal: "*", Action: actions, Resource: resources}
}
