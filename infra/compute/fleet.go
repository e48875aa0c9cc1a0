package compute

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/autoscalinggroup"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/launchtemplate"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/internal/tf"
)

// How long a new machine, and a new fleet, may take until the load balancer sees it healthy: the time to boot, for a
// build from source the time to install Go and to build on a machine of two throttled cores, and two health checks.
const (
	fetchGraceSeconds  = 300
	buildGraceSeconds  = 1200
	fetchCapacityWait  = "10m"
	buildCapacityWait  = "25m"
	templateDigestSize = 12
)

// groupMetrics say how large the group is and would like to be, each minute and without charge.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-metrics.html
var groupMetrics = []string{"GroupDesiredCapacity", "GroupInServiceInstances", "GroupMaxSize", "GroupMinSize"}

// FleetProps are what a fleet needs.
type FleetProps struct {
	Machine
	// Min and Max are its size in instances. Required: 1 ≤ Min ≤ Max.
	Min, Max int
	// Initial is the size that a new fleet starts with, Min to Max: what the running one needs, since a change replaces
	// it. Default 0: Min.
	Initial int
	// Scaling changes its size between Min and Max by itself. Default nil: it stays at Initial.
	Scaling *Scaling
	// Sleep ends its machines at night. Default nil: never. Not together with Scaling, and Min is Max.
	Sleep *Sleep
	// SubnetIDs are where instances start, one or more. Required.
	SubnetIDs []*string
	// Private gives instances no public address, whatever the subnets would do. Default false: as the subnets say.
	Private bool
	// BalancerSecurityGroupID may connect to the API's port. Required.
	BalancerSecurityGroupID *string
	// TargetGroupARN is what the fleet joins, and whose health checks decide about its instances. Required.
	TargetGroupARN *string
	// BuildsFromSource gives a new fleet the time to build. Default false.
	BuildsFromSource bool
	// After is what must exist before an instance starts: routes, permissions, the release, the listener.
	After []cdktf.ITerraformDependable
}

// Validate reports what no fleet could be made of.
func (p FleetProps) Validate() error {
	errs := []error{p.validate()}
	if p.Min < 1 || p.Min > p.Max {
		errs = append(errs, fmt.Errorf("compute: a fleet of %d to %d: give 1 ≤ min ≤ max", p.Min, p.Max))
	}
	if p.Initial != 0 && (p.Initial < p.Min || p.Initial > p.Max) {
		errs = append(errs, fmt.Errorf("compute: a fleet of %d to %d can't start with %d", p.Min, p.Max, p.Initial))
	}
	if p.Scaling != nil {
		errs = append(errs, p.Scaling.validate())
		if p.Min == p.Max {
			errs = append(errs, fmt.Errorf("compute: Scaling can't change a fleet of %d to %d: raise Max, or leave it out", p.Min, p.Max))
		}
	}
	if p.Sleep != nil {
		errs = append(errs, p.Sleep.validate())
		if p.Scaling != nil || p.Min != p.Max {
			errs = append(errs, errors.New("compute: Sleep needs a fleet of one size, Min = Max without Scaling, which would wake it or never let it wake"))
		}
	}
	if len(p.SubnetIDs) == 0 || p.BalancerSecurityGroupID == nil || p.TargetGroupARN == nil {
		errs = append(errs, errors.New("compute: SubnetIDs, BalancerSecurityGroupID and TargetGroupARN are required"))
	}
	return errors.Join(errs...)
}

// Fleet is an Auto Scaling group with its launch template.
type Fleet struct {
	template launchtemplate.LaunchTemplate
	group    autoscalinggroup.AutoscalingGroup
}

// NewFleet makes the fleet. What its machines are made of gives the launch template its name, and the template's id
// and version begin the group's; both are created before they are destroyed. So a change starts a second fleet
// beside the first, waits until the load balancer sees it healthy, and only then drains and ends the first; a fleet
// that never gets healthy fails the apply while the first one serves on.
//
//	launch template ← Auto Scaling group → target group
//	                   ↑ policies (Scaling) or schedules (Sleep)
//
// It panics where Validate would have said why.
func NewFleet(scope constructs.Construct, id string, p FleetProps) *Fleet {
	if err := p.Validate(); err != nil {
		panic(err)
	}
	within := constructs.NewConstruct(scope, jsii.String(id))
	parts := p.make(within)
	parts.firewall.AllowFromGroup("balancer", "Requests and health checks from the load balancer", p.Port, p.BalancerSecurityGroupID)
	f := &Fleet{template: launchTemplate(within, p, parts)}
	f.group = group(within, p, f.template)
	if p.Scaling != nil {
		f.newPolicies(within, p)
	}
	if p.Sleep != nil {
		f.newSchedules(within, p)
	}
	return f
}

func group(within constructs.Construct, p FleetProps, template launchtemplate.LaunchTemplate) autoscalinggroup.AutoscalingGroup {
	version := cdktf.Token_AsString(template.LatestVersion(), nil)
	config := &autoscalinggroup.AutoscalingGroupConfig{
		// Not a whole name: a fleet that never got healthy is there when the same build is deployed again, and is
		// replaced. Under its own name AWS would refuse the new one.
		NamePrefix:             jsii.String(p.Project.Prefix("asg") + *template.Id() + "-" + *version + "-"),
		MinSize:                jsii.Number(p.Min),
		MaxSize:                jsii.Number(p.Max),
		VpcZoneIdentifier:      &p.SubnetIDs,
		TargetGroupArns:        jsii.Strings(*p.TargetGroupARN),
		HealthCheckType:        jsii.String("ELB"),
		HealthCheckGracePeriod: jsii.Number(p.graceSeconds()),
		MinElbCapacity:         jsii.Number(p.initial()),
		WaitForCapacityTimeout: jsii.String(choose(p.BuildsFromSource, buildCapacityWait, fetchCapacityWait)),
		EnabledMetrics:         jsii.Strings(groupMetrics...),
		LaunchTemplate:         &autoscalinggroup.AutoscalingGroupLaunchTemplate{Id: template.Id(), Version: version},
		Tag:                    propagated(p.Project.FleetTags("asg")),
		DependsOn:              tf.Dependables(p.After),
		Lifecycle:              tf.ReplaceBeforeDestroy(),
	}
	if p.Sleep != nil {
		config.MinSize = jsii.Number(0)
	}
	// Not said, the group starts at its minimum. Said, it is only how the group starts: whoever changes the size
	// afterwards, a policy, a schedule or a person, is not undone by the next apply.
	if p.Sleep != nil || p.initial() != p.Min {
		config.DesiredCapacity = jsii.Number(p.initial())
		config.Lifecycle.IgnoreChanges = jsii.Strings("desired_capacity")
	}
	return autoscalinggroup.NewAutoscalingGroup(within, jsii.String("asg"), config)
}

// initial is the size that a new fleet starts with.
func (p FleetProps) initial() int { return cmp.Or(p.Initial, p.Min) }

// graceSeconds is how long a new machine is given until it serves.
func (p FleetProps) graceSeconds() int {
	return choose(p.BuildsFromSource, buildGraceSeconds, fetchGraceSeconds)
}

func choose[T any](condition bool, yes, no T) T {
	if condition {
		return yes
	}
	return no
}

func launchTemplate(within constructs.Construct, p FleetProps, parts made) launchtemplate.LaunchTemplate {
	tags := p.Project.Tags("api")
	config := &launchtemplate.LaunchTemplateConfig{
		Name:               jsii.String(p.Project.Prefix("lt") + p.digest()),
		Description:        jsii.String("Machines of the storage API"),
		ImageId:            parts.image,
		InstanceType:       jsii.String(p.InstanceType),
		KeyName:            parts.keyName,
		UserData:           jsii.String(base64.StdEncoding.EncodeToString(p.UserData)),
		IamInstanceProfile: &launchtemplate.LaunchTemplateIamInstanceProfile{Name: p.ProfileName},
		MetadataOptions: &launchtemplate.LaunchTemplateMetadataOptions{
			HttpEndpoint:            jsii.String("enabled"),
			HttpTokens:              jsii.String("required"),
			HttpPutResponseHopLimit: jsii.Number(imdsHops),
			// The tag key "Autoscaling Flask" has a space, with which no launch succeeds while this is enabled.
			InstanceMetadataTags: jsii.String("disabled"),
		},
		BlockDeviceMappings: &[]*launchtemplate.LaunchTemplateBlockDeviceMappings{{
			DeviceName: jsii.String(rootDevice),
			Ebs: &launchtemplate.LaunchTemplateBlockDeviceMappingsEbs{
				VolumeType:          jsii.String("gp3"),
				VolumeSize:          jsii.Number(rootGiB),
				Encrypted:           jsii.String("true"),
				DeleteOnTermination: jsii.String("true"),
			},
		}},
		TagSpecifications: &[]*launchtemplate.LaunchTemplateTagSpecifications{
			{ResourceType: jsii.String("instance"), Tags: tf.Tags(tags)},
			{ResourceType: jsii.String("volume"), Tags: tf.Tags(tags)},
		},
		Tags:      tf.Tags(p.Project.Tags("lt")),
		Lifecycle: tf.ReplaceBeforeDestroy(),
	}
	if p.DetailedMonitoring {
		config.Monitoring = &launchtemplate.LaunchTemplateMonitoring{Enabled: jsii.Bool(true)}
	}
	groups := jsii.Strings(*parts.firewall.ID())
	if p.Private {
		// Whoever says anything of the interface says everything of it, the firewall too.
		config.NetworkInterfaces = &[]*launchtemplate.LaunchTemplateNetworkInterfaces{{
			DeviceIndex:              jsii.Number(0),
			AssociatePublicIpAddress: jsii.String("false"),
			SecurityGroups:           groups,
			DeleteOnTermination:      jsii.String("true"),
		}}
	} else {
		config.VpcSecurityGroupIds = groups
	}
	return launchtemplate.NewLaunchTemplate(within, jsii.String("template"), config)
}

// digest names what the machines are made of. The newest image is not in it: AWS moves that on, which gives the
// template a new version instead.
func (p FleetProps) digest() string {
	hash := sha256.New()
	fmt.Fprintln(hash, p.InstanceType, p.Architecture, p.Image, p.DetailedMonitoring, p.Private, rootDevice, rootGiB, imdsHops)
	if p.SSH != nil {
		fmt.Fprintln(hash, p.SSH.Name, p.SSH.PublicKey)
	}
	hash.Write(p.UserData)
	return hex.EncodeToString(hash.Sum(nil))[:templateDigestSize]
}

// propagated are the tags of the group, which its instances get at launch; in the order of their keys, so that a
// synth of the same input is the same output.
func propagated(tags map[string]string) *[]*autoscalinggroup.AutoscalingGroupTag {
	keys := make([]string, 0, len(tags))
	for key := range tags {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	blocks := make([]*autoscalinggroup.AutoscalingGroupTag, len(keys))
	for i, key := range keys {
		blocks[i] = &autoscalinggroup.AutoscalingGroupTag{Key: jsii.String(key), Value: jsii.String(tags[key]), PropagateAtLaunch: jsii.Bool(true)}
	}
	return &blocks
}

// GroupName is a token for the Auto Scaling group's name.
func (f *Fleet) GroupName() *string { return f.group.Name() }

// TemplateID is a token for the launch template's id.
func (f *Fleet) TemplateID() *string { return f.template.Id() }
