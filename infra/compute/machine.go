package compute

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
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
	rootGiB     = 10 // the image's 8, and room for a build
	sshPort     = 22
	tlsPort     = 443
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
	// Image is an Amazon Linux 2023, ami-…, of that architecture. Default "": the newest, read at each apply.
	Image string
	// DetailedMonitoring reports the machine's metrics each minute. Default false: each five, without charge.
	DetailedMonitoring bool
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
	// Out is whom it may connect to. Default nil: everybody.
	Out *Out
}

// Out are the AWS services that a machine may connect to, by HTTPS; it reaches nothing else. Names, time, and the
// metadata with the role's credentials stay within reach, since no security group filters those.
// Source: https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
type Out struct {
	// S3PrefixListID names the addresses of S3. Required: the release and the system's packages come from there.
	S3PrefixListID *string
	// EndpointsSecurityGroupID is the group of the network's interface endpoints. Default nil: there are none.
	EndpointsSecurityGroupID *string
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

var imagePattern = regexp.MustCompile(`^ami-([0-9a-f]{8}|[0-9a-f]{17})$`)

func (m Machine) validate() error {
	var errs []error
	if m.InstanceType == "" || m.Architecture == "" || m.ProfileName == nil || m.VPCID == nil {
		errs = append(errs, errors.New("compute: InstanceType, Architecture, ProfileName and VPCID are required"))
	}
	if m.Image != "" && !imagePattern.MatchString(m.Image) {
		errs = append(errs, fmt.Errorf("compute: image %q is not an id such as ami-0123456789abcdef0: leave it out for the newest", m.Image))
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
	if m.Out != nil && m.Out.S3PrefixListID == nil {
		errs = append(errs, errors.New("compute: Out without S3PrefixListID: the machine could not fetch its release"))
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
	parts := made{image: m.image(within), firewall: m.newFirewall(within)}
	if m.SSH == nil || m.SSH.PublicKey == "" {
		return parts
	}
	parts.keyName = keypair.NewKeyPair(within, jsii.String("key"), &keypair.KeyPairConfig{
		KeyName:   jsii.String(m.SSH.Name),
		PublicKey: jsii.String(m.SSH.PublicKey),
		Tags:      tf.Tags(m.Project.Tags("key")),
	}).KeyName()
	return parts
}

func (m Machine) image(within constructs.Construct) *string {
	if m.Image != "" {
		return jsii.String(m.Image)
	}
	// The parameter is public; its plain value keeps image ids readable in plans, where Value would be hidden.
	return dataawsssmparameter.NewDataAwsSsmParameter(within, jsii.String("image"), &dataawsssmparameter.DataAwsSsmParameterConfig{
		Name: jsii.String(imageParameter + m.Architecture),
	}).InsecureValue()
}

func (m Machine) newFirewall(within constructs.Construct) firewall.Group {
	group := firewall.New(within, "firewall", firewall.Props{
		Project: m.Project, Resource: "api-sg", Description: "Machines of the storage API", VPCID: m.VPCID, VPC: m.VPC,
	})
	group.AllowFrom("api", "The API", m.Port, m.Allow)
	if m.SSH != nil {
		group.AllowFrom("ssh", "Secure shell", sshPort, m.SSH.Allow)
	}
	if m.Out == nil {
		group.AllowOutEverywhere()
		return group
	}
	group.AllowOutToPrefixList("s3", "The release, files and packages from S3", tlsPort, m.Out.S3PrefixListID)
	if m.Out.EndpointsSecurityGroupID != nil {
		group.AllowOutToGroup("endpoints", "AWS services by the network's endpoints", tlsPort, m.Out.EndpointsSecurityGroupID)
	}
	return group
}
