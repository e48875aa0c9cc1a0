package compute

import (
	"encoding/base64"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/instance"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/internal/tf"
)

// InstanceProps are what a single instance needs.
type InstanceProps struct {
	Machine
	// After is what must exist before the instance starts: permissions and the release.
	After []cdktf.ITerraformDependable
}

// Validate reports what no instance could be made of.
func (p InstanceProps) Validate() error { return p.validate() }

// Instance is one EC2 instance with a public address in the default VPC.
type Instance struct{ instance instance.Instance }

// NewInstance makes the instance, in the subnet of the default VPC that AWS chooses. A change of its user-data
// replaces it, the new one before the old one. It panics where Validate would have said why.
func NewInstance(scope constructs.Construct, id string, p InstanceProps) *Instance {
	if err := p.Validate(); err != nil {
		panic(err)
	}
	within := constructs.NewConstruct(scope, jsii.String(id))
	parts := p.make(within)
	tags := p.Project.Tags("api")
	return &Instance{instance: instance.NewInstance(within, jsii.String("instance"), &instance.InstanceConfig{
		Ami:                      parts.image,
		InstanceType:             jsii.String(p.InstanceType),
		KeyName:                  parts.keyName,
		IamInstanceProfile:       p.ProfileName,
		VpcSecurityGroupIds:      jsii.Strings(*parts.firewall.ID()),
		AssociatePublicIpAddress: jsii.Bool(true),
		UserDataBase64:           jsii.String(base64.StdEncoding.EncodeToString(p.UserData)),
		UserDataReplaceOnChange:  jsii.Bool(true),
		Monitoring:               jsii.Bool(p.DetailedMonitoring),
		MetadataOptions: &instance.InstanceMetadataOptions{
			HttpEndpoint:            jsii.String("enabled"),
			HttpTokens:              jsii.String("required"),
			HttpPutResponseHopLimit: jsii.Number(imdsHops),
			InstanceMetadataTags:    jsii.String("disabled"),
		},
		RootBlockDevice: &instance.InstanceRootBlockDevice{
			VolumeType:          jsii.String("gp3"),
			VolumeSize:          jsii.Number(rootGiB),
			Encrypted:           jsii.Bool(true),
			DeleteOnTermination: jsii.Bool(true),
			Tags:                tf.Tags(tags),
		},
		Tags:      tf.Tags(tags),
		DependsOn: tf.Dependables(p.After),
		Lifecycle: tf.ReplaceBeforeDestroy(),
	})}
}

// PublicIP is a token for the instance's public address.
func (i *Instance) PublicIP() *string { return i.instance.PublicIp() }

// ID is a token for the instance's id.
func (i *Instance) ID() *string { return i.instance.Id() }
