package stack

import (
	"fmt"

	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/dataawsvpc"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/app/settings"
	"cloudstorage/infra/compute"
	"cloudstorage/infra/config"
)

func newInstance(stack cdktf.TerraformStack, e *config.Environment, machine compute.Machine, after []cdktf.ITerraformDependable) {
	vpc := dataawsvpc.NewDataAwsVpc(stack, jsii.String("default-vpc"), &dataawsvpc.DataAwsVpcConfig{Default: jsii.Bool(true)})
	machine.VPCID, machine.Allow = vpc.Id(), e.API.Allow
	instance := compute.NewInstance(stack, "compute", compute.InstanceProps{Machine: machine, After: after})
	output(stack, "public_ip", "The instance's public address", instance.PublicIP())
	output(stack, "api_url", "Where the API answers", jsii.String(fmt.Sprintf("http://%s:%d", *instance.PublicIP(), settings.Port)))
	output(stack, "instance_id", "The instance", instance.ID())
}
