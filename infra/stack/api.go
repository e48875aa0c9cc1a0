package stack

import (
	"fmt"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/dataawsvpc"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/s3object"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/app/settings"
	"cloudstorage/infra/compute"
	"cloudstorage/infra/config"
	"cloudstorage/infra/identity"
	"cloudstorage/infra/internal/tf"
	"cloudstorage/infra/network"
	"cloudstorage/infra/release"
	"cloudstorage/infra/traffic"
)

// API is what "<env>-api" is made of besides its environment.
type API struct {
	// UserData as bootstrap renders it. Required.
	UserData []byte
	// Binary is the build that the user-data pins; nil for the source delivery.
	Binary *release.Binary
	// PublicKey is the public half of ssh.key, in OpenSSH's format; "" where there is no such key yet.
	PublicKey string
}

// NewAPI makes "<env>-api": everything disposable. It comes after storage, the environment's storage stack.
func NewAPI(scope constructs.Construct, e *config.Environment, target Target, storage cdktf.TerraformStack, api API) cdktf.TerraformStack {
	stack := newStack(scope, environmentBase(e, "api", target, missingKey(e, api.PublicKey)))
	stack.AddDependency(storage)
	role := identity.New(stack, "identity", roleProps(e))
	after := role.Ready()
	if api.Binary != nil {
		after = append(after, publish(stack, e, *api.Binary))
	}
	machine := compute.Machine{
		Project: e.Project(), InstanceType: e.Compute.InstanceType, Architecture: e.Compute.Architecture,
		ProfileName: role.ProfileName(), UserData: api.UserData, Port: settings.Port, SSH: sshProps(e, api.PublicKey),
	}
	if e.Compute.Kind == config.Instance {
		newInstance(stack, e, machine, after)
	} else {
		newFleet(stack, e, machine, after)
	}
	return stack
}

func newInstance(stack cdktf.TerraformStack, e *config.Environment, machine compute.Machine, after []cdktf.ITerraformDependable) {
	vpc := dataawsvpc.NewDataAwsVpc(stack, jsii.String("default-vpc"), &dataawsvpc.DataAwsVpcConfig{Default: jsii.Bool(true)})
	machine.VPCID, machine.Allow = vpc.Id(), e.API.Allow
	instance := compute.NewInstance(stack, "compute", compute.InstanceProps{Machine: machine, After: after})
	output(stack, "public_ip", "The instance's public address", instance.PublicIP())
	output(stack, "api_url", "Where the API answers", address(instance.PublicIP()))
	output(stack, "instance_id", "The instance", instance.ID())
}

func newFleet(stack cdktf.TerraformStack, e *config.Environment, machine compute.Machine, after []cdktf.ITerraformDependable) {
	net := network.New(stack, "network", networkProps(e))
	balancer := traffic.New(stack, "traffic", traffic.Props{
		Project: e.Project(), VPCID: net.VPCID(), VPCCIDR: e.Network.CIDR, VPC: net.VPC(), SubnetIDs: net.SubnetIDs(),
		Port: settings.Port, HealthPath: settings.HealthPath, Allow: e.API.Allow, Online: net.Online(),
	})
	machine.VPCID, machine.VPC = net.VPCID(), net.VPC()
	if e.API.Direct {
		machine.Allow = e.API.Allow
	}
	after = append(after, net.Online()...)
	fleet := compute.NewFleet(stack, "compute", compute.FleetProps{
		Machine: machine, Min: e.Compute.Min, Max: e.Compute.Max, SubnetIDs: net.SubnetIDs(),
		BalancerSecurityGroupID: balancer.SecurityGroupID(), TargetGroupARN: balancer.TargetGroupARN(),
		BuildsFromSource: e.Release.Delivery == config.Source, After: append(after, balancer.Listening()),
	})
	output(stack, "load_balancer_dns_name", "The load balancer's name: storagectl --ip takes it", balancer.DNSName())
	output(stack, "api_url", "Where the API answers", address(balancer.DNSName()))
	output(stack, "autoscaling_group_name", "The fleet", fleet.GroupName())
	output(stack, "launch_template_id", "What the fleet's machines are made from", fleet.TemplateID())
}

func address(host *string) *string {
	return jsii.String(fmt.Sprintf("http://%s:%d", *host, settings.Port))
}

func roleProps(e *config.Environment) identity.Props {
	p := identity.Props{Project: e.Project(), Bucket: e.Storage.Bucket, SessionManager: e.Compute.SessionManager}
	if e.Release.Delivery == config.Binary {
		p.ReleasesBucket, p.ReleasesPrefix = e.Storage.ReleasesBucket, release.Prefix
	}
	return p
}

func networkProps(e *config.Environment) network.Props {
	p := network.Props{Project: e.Project(), CIDR: e.Network.CIDR}
	for _, s := range e.Network.Subnets {
		p.Subnets = append(p.Subnets, network.Subnet{Zone: s.Zone, CIDR: s.CIDR})
	}
	return p
}

func sshProps(e *config.Environment, publicKey string) *compute.SSH {
	if e.SSH == nil {
		return nil
	}
	return &compute.SSH{Name: e.KeyName(), PublicKey: publicKey, Allow: e.SSH.Allow}
}

func missingKey(e *config.Environment, publicKey string) []string {
	if e.SSH == nil || publicKey != "" {
		return nil
	}
	return []string{fmt.Sprintf("ssh.key (%s does not exist: run `make key`)", e.SSH.Key)}
}

// publish uploads the build. Its key is its content's digest, so a new build is a new object; the old one goes only
// after the fleet that boots from it.
func publish(stack cdktf.TerraformStack, e *config.Environment, binary release.Binary) cdktf.ITerraformDependable {
	asset := cdktf.NewTerraformAsset(stack, jsii.String("build"), &cdktf.TerraformAssetConfig{
		Path: jsii.String(binary.Path), Type: cdktf.AssetType_FILE, AssetHash: jsii.String(binary.SHA256),
	})
	return s3object.NewS3Object(stack, jsii.String("release"), &s3object.S3ObjectConfig{
		Bucket:    jsii.String(e.Storage.ReleasesBucket),
		Key:       jsii.String(binary.Key()),
		Source:    asset.Path(),
		Tags:      tf.Tags(e.Project().Tags("release")),
		Lifecycle: tf.ReplaceBeforeDestroy(),
	})
}
