package compute

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/dataawsssmparameter"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/keypair"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/internal/firewall"
	"cloudstorage/infra/internal/tf"
	"cloudstorage/infra/naming"
)

// imageParameter is AWS's public name for the newest Amazon Linux 2023 image of an architecture.
// Source: https://docs.aws.amazon.com/linux/al2023/ug/ec2.html
const imageParameter = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-"

const (
	rootDevice  = "/dev/xvda"
	rootGiB     = 10 // the image's 8, and room for swap and a build
	sshPort     = 22
	imdsHops    = 1 // a container on the machine, one hop further, can't ask for the role's credentials
	maxUserData = 16384
)

// Machine is what an instance is, whether alone or one of a fleet.
type Machine struct {
	// Project names and tags every resource. Required.
	Project naming.Project
	// InstanceType, such as t3.micro. Required.
	InstanceType string
	// Architecture of the image, x86_64 or arm64. Required.
	Architecture string
	// ProfileName is the instance profile it runs as. Required.
	ProfileName *string
	// UserData as EC2 takes it, at most 16,384 bytes, before base64. Required.
	UserData []byte
	// VPCID is the network of its firewall. Required.
	VPCID *string
	// VPC is what the firewall depends on. Default nil: nothing.
	VPC cdktf.ITerraformDependable
	// Port of the API. Required.
	Port int
	// Allow are the address blocks that may connect to Port. Default: none.
	Allow []netip.Prefix
	// SSH opens port 22. Default nil: closed, and no key pair.
	SSH *SSH
}

// SSH is a key pair and who may use it.
type SSH struct {
	// Name of the key pair, which is its private half's file without .pem. Required.
	Name string
	// PublicKey in OpenSSH's format. Default "": no key pair, so the open port lets nobody in.
	PublicKey string
	// Allow are the address blocks that may connect. Required.
	Allow []netip.Prefix
}

func (m Machine) validate() error {
	var errs []error
	if m.InstanceType == "" || m.Architecture == "" || m.ProfileName == nil || m.VPCID == nil {
		errs = append(errs, errors.New("compute: InstanceType, Architecture, ProfileName and VPCID are required"))
	}
	if n := len(m.UserData); n == 0 || n > maxUserData {
		errs = append(errs, fmt.Errorf("compute: user-data has %d bytes: EC2 takes 1 to %d", n, maxUserData))
	}
	if m.Port < 1 || m.Port > 65535 {
		errs = append(errs, fmt.Errorf("compute: port %d is outside 1 to 65535", m.Port))
	}
	if m.SSH != nil && (m.SSH.Name == "" || m.SSH.PublicKey != "" && !strings.HasPrefix(m.SSH.PublicKey, "ssh-") || len(m.SSH.Allow) == 0) {
		errs = append(errs, errors.New("compute: SSH needs a name, a public key in OpenSSH's format (or none) and somebody to allow"))
	}
	return errors.Join(errs...)
}

// made is a machine's share of the resources.
type made struct {
	image    *string
	keyName  *string
	firewall firewall.Group
}

// make makes the image's look-up, the firewall and the key pair.
func (m Machine) make(within constructs.Construct) made {
	image := dataawsssmparameter.NewDataAwsSsmParameter(within, jsii.String("image"), &dataawsssmparameter.DataAwsSsmParameterConfig{
		Name: jsii.String(imageParameter + m.Architecture),
	})
	group := firewall.New(within, "firewall", firewall.Props{
		Project: m.Project, Resource: "api-sg", Description: "Machines of the storage API", VPCID: m.VPCID, VPC: m.VPC,
	})
	group.AllowFrom("api", "The API", m.Port, m.Allow)
	group.AllowOutEverywhere()
	// The parameter is public; its plain value keeps image ids readable in plans, where Value would be hidden.
	parts := made{image: image.InsecureValue(), firewall: group}
	if m.SSH == nil {
		return parts
	}
	group.AllowFrom("ssh", "Secure shell", sshPort, m.SSH.Allow)
	if m.SSH.PublicKey == "" {
		return parts
	}
	parts.keyName = keypair.NewKeyPair(within, jsii.String("key"), &keypair.KeyPairConfig{
		KeyName:   jsii.String(m.SSH.Name),
		PublicKey: jsii.String(m.SSH.PublicKey),
		Tags:      tf.Tags(m.Project.Tags("key")),
	}).KeyName()
	return parts
}
