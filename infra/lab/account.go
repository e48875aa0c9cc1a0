//go:build linux

package lab

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"cloudstorage/infra/emulator"
)

// account reads back what Terraform made in the emulated AWS. The lab knows of the system only what is read here.
type account struct{ api emulator.API }

// ask calls an action of a service that takes its parameters as a form.
func (a account) ask(ctx context.Context, service, version, action string, parameters url.Values, answer any) error {
	form := url.Values{"Action": {action}, "Version": {version}}
	for name, values := range parameters {
		form[name] = values
	}
	body, err := a.api.Query(ctx, service, form)
	if err == nil {
		err = xml.Unmarshal(body, answer)
	}
	if err != nil {
		return fmt.Errorf("ask the emulated %s for %s: %w", service, action, err)
	}
	return nil
}

const (
	ec2Version         = "2016-11-15"
	autoscalingVersion = "2011-01-01"
	elbVersion         = "2015-12-01"
	iamVersion         = "2010-05-08"
	stsVersion         = "2011-06-15"
)

// instance is a machine as the emulated account has it. What it inherits from its launch template is read from there.
type instance struct {
	ID, Group, Zone string
	HealthCheck     string // by what its fleet replaces it: ELB or EC2
	Address         netip.Addr
	Subnet          subnet
	UserData        []byte
	Role            string
	Image, Type     string
	HopLimit        int
	TokenRequired   bool
	In, Out         []rule
}

// subnet is where an instance is, and what its route table lets it reach.
type subnet struct {
	ID       string
	Block    netip.Prefix
	Network  netip.Prefix // the VPC's block: the local route
	S3       bool         // by a gateway endpoint
	Internet bool
}

// rule allows connections of a security group.
type rule struct {
	From, To int            // ports; 0 to 65535 is all
	Blocks   []netip.Prefix // who
	Groups   []string       // security groups, by id: who
	Lists    []string       // prefix lists, by id: whom
}

// fleet is an Auto Scaling group.
type fleet struct {
	Name        string
	HealthCheck string
	Targets     []string // ARNs of the target groups that its instances are registered with
}

// members are the running instances of all fleets: their fleets, by id.
func (a account) members(ctx context.Context) (map[string]fleet, error) {
	var answer struct {
		Groups []struct {
			Name        string   `xml:"AutoScalingGroupName"`
			HealthCheck string   `xml:"HealthCheckType"`
			Targets     []string `xml:"TargetGroupARNs>member"`
			Instances   []string `xml:"Instances>member>InstanceId"`
		} `xml:"DescribeAutoScalingGroupsResult>AutoScalingGroups>member"`
	}
	if err := a.ask(ctx, "autoscaling", autoscalingVersion, "DescribeAutoScalingGroups", nil, &answer); err != nil {
		return nil, err
	}
	found := map[string]fleet{}
	for _, g := range answer.Groups {
		for _, id := range g.Instances {
			found[id] = fleet{g.Name, g.HealthCheck, g.Targets}
		}
	}
	return found, nil
}

// replace ends an instance, as Auto Scaling does with one that is unhealthy: the fleet starts another.
func (a account) replace(ctx context.Context, id string) error {
	return a.ask(ctx, "autoscaling", autoscalingVersion, "TerminateInstanceInAutoScalingGroup", url.Values{
		"InstanceId": {id}, "ShouldDecrementDesiredCapacity": {"false"},
	}, &struct{}{})
}

// resize changes a fleet's desired size.
func (a account) resize(ctx context.Context, group string, size int) error {
	return a.ask(ctx, "autoscaling", autoscalingVersion, "SetDesiredCapacity", url.Values{
		"AutoScalingGroupName": {group}, "DesiredCapacity": {strconv.Itoa(size)},
	}, &struct{}{})
}

// instance reads all that a machine is made of.
func (a account) instance(ctx context.Context, id string, f fleet) (instance, error) {
	i := instance{ID: id, Group: f.Name, HealthCheck: f.HealthCheck}
	var described struct {
		Instances []struct {
			Address string `xml:"privateIpAddress"`
			Subnet  string `xml:"subnetId"`
			Zone    string `xml:"placement>availabilityZone"`
			Image   string `xml:"imageId"`
			Type    string `xml:"instanceType"`
		} `xml:"reservationSet>item>instancesSet>item"`
	}
	if err := a.ask(ctx, "ec2", ec2Version, "DescribeInstances", url.Values{"InstanceId.1": {id}}, &described); err != nil {
		return i, err
	}
	if len(described.Instances) != 1 {
		return i, fmt.Errorf("the emulated account has %d instances %s", len(described.Instances), id)
	}
	d := described.Instances[0]
	i.Zone, i.Image, i.Type = d.Zone, d.Image, d.Type
	var err error
	if i.Address, err = netip.ParseAddr(d.Address); err != nil {
		return i, fmt.Errorf("instance %s: %w", id, err)
	}
	if i.Subnet, err = a.subnet(ctx, d.Subnet); err != nil {
		return i, err
	}
	err = a.template(ctx, &i)
	return i, err
}

// template reads an instance's launch template: the version that its fleet names.
func (a account) template(ctx context.Context, i *instance) error {
	var groups struct {
		ID      string `xml:"DescribeAutoScalingGroupsResult>AutoScalingGroups>member>LaunchTemplate>LaunchTemplateId"`
		Version string `xml:"DescribeAutoScalingGroupsResult>AutoScalingGroups>member>LaunchTemplate>Version"`
	}
	if err := a.ask(ctx, "autoscaling", autoscalingVersion, "DescribeAutoScalingGroups", url.Values{"AutoScalingGroupNames.member.1": {i.Group}}, &groups); err != nil {
		return err
	}
	var versions struct {
		UserData   string   `xml:"launchTemplateVersionSet>item>launchTemplateData>userData"`
		ProfileARN string   `xml:"launchTemplateVersionSet>item>launchTemplateData>iamInstanceProfile>arn"`
		Profile    string   `xml:"launchTemplateVersionSet>item>launchTemplateData>iamInstanceProfile>name"`
		Hops       int      `xml:"launchTemplateVersionSet>item>launchTemplateData>metadataOptions>httpPutResponseHopLimit"`
		Tokens     string   `xml:"launchTemplateVersionSet>item>launchTemplateData>metadataOptions>httpTokens"`
		Groups     []string `xml:"launchTemplateVersionSet>item>launchTemplateData>securityGroupIdSet>item"`
		Interface  []string `xml:"launchTemplateVersionSet>item>launchTemplateData>networkInterfaceSet>item>groupSet>groupId"`
		InterfaceB []string `xml:"launchTemplateVersionSet>item>launchTemplateData>networkInterfaceSet>item>groupSet>item"`
	}
	if err := a.ask(ctx, "ec2", ec2Version, "DescribeLaunchTemplateVersions", url.Values{"LaunchTemplateId": {groups.ID}, "LaunchTemplateVersion.1": {groups.Version}}, &versions); err != nil {
		return err
	}
	var err error
	if i.UserData, err = base64.StdEncoding.DecodeString(versions.UserData); err != nil || len(i.UserData) == 0 {
		return fmt.Errorf("user-data of launch template %s, version %s: %d bytes, %w", groups.ID, groups.Version, len(i.UserData), err)
	}
	i.HopLimit, i.TokenRequired = versions.Hops, versions.Tokens == "required"
	profile := versions.Profile
	if profile == "" {
		profile = versions.ProfileARN[strings.LastIndexByte(versions.ProfileARN, '/')+1:]
	}
	var profiles struct {
		Role string `xml:"GetInstanceProfileResult>InstanceProfile>Roles>member>RoleName"`
	}
	if err := a.ask(ctx, "iam", iamVersion, "GetInstanceProfile", url.Values{"InstanceProfileName": {profile}}, &profiles); err != nil {
		return err
	}
	i.Role = profiles.Role
	firewalls := slices.Concat(versions.Groups, versions.Interface, versions.InterfaceB)
	if len(firewalls) == 0 {
		return fmt.Errorf("launch template %s names no security group", groups.ID)
	}
	i.In, i.Out, err = a.rules(ctx, firewalls)
	return err
}

// subnet reads a subnet's block and what its route table reaches.
func (a account) subnet(ctx context.Context, id string) (subnet, error) {
	s := subnet{ID: id}
	var subnets struct {
		Block string `xml:"subnetSet>item>cidrBlock"`
		VPC   string `xml:"subnetSet>item>vpcId"`
	}
	if err := a.ask(ctx, "ec2", ec2Version, "DescribeSubnets", url.Values{"SubnetId.1": {id}}, &subnets); err != nil {
		return s, err
	}
	var vpcs struct {
		Block string `xml:"vpcSet>item>cidrBlock"`
	}
	if err := a.ask(ctx, "ec2", ec2Version, "DescribeVpcs", url.Values{"VpcId.1": {subnets.VPC}}, &vpcs); err != nil {
		return s, err
	}
	var tables struct {
		Tables []struct {
			ID     string `xml:"routeTableId"`
			Routes []struct {
				To  string `xml:"destinationCidrBlock"`
				Via string `xml:"gatewayId"`
				NAT string `xml:"natGatewayId"`
			} `xml:"routeSet>item"`
		} `xml:"routeTableSet>item"`
	}
	of := url.Values{"Filter.1.Name": {"association.subnet-id"}, "Filter.1.Value.1": {id}}
	if err := a.ask(ctx, "ec2", ec2Version, "DescribeRouteTables", of, &tables); err != nil {
		return s, err
	}
	var endpoints struct {
		Endpoints []struct {
			Service string   `xml:"serviceName"`
			Tables  []string `xml:"routeTableIdSet>item"`
		} `xml:"vpcEndpointSet>item"`
	}
	if err := a.ask(ctx, "ec2", ec2Version, "DescribeVpcEndpoints", nil, &endpoints); err != nil {
		return s, err
	}
	for _, t := range tables.Tables {
		for _, r := range t.Routes {
			s.Internet = s.Internet || r.To == "0.0.0.0/0" && (r.NAT != "" || strings.HasPrefix(r.Via, "igw-"))
		}
		for _, e := range endpoints.Endpoints {
			s.S3 = s.S3 || strings.HasSuffix(e.Service, ".s3") && slices.Contains(e.Tables, t.ID)
		}
	}
	var err, vpcErr error
	s.Block, err = netip.ParsePrefix(subnets.Block)
	s.Network, vpcErr = netip.ParsePrefix(vpcs.Block)
	return s, errors.Join(err, vpcErr)
}

type permission struct {
	Protocol string   `xml:"ipProtocol"`
	From     int      `xml:"fromPort"`
	To       int      `xml:"toPort"`
	Blocks   []string `xml:"ipRanges>item>cidrIp"`
	Groups   []string `xml:"groups>item>groupId"`
	Lists    []string `xml:"prefixListIds>item>prefixListId"`
}

// rules reads who may connect to the members of security groups, and to whom they may.
func (a account) rules(ctx context.Context, groups []string) (in, out []rule, err error) {
	parameters := url.Values{}
	for n, g := range groups {
		parameters.Set("GroupId."+strconv.Itoa(n+1), g)
	}
	var answer struct {
		In  []permission `xml:"securityGroupInfo>item>ipPermissions>item"`
		Out []permission `xml:"securityGroupInfo>item>ipPermissionsEgress>item"`
	}
	if err := a.ask(ctx, "ec2", ec2Version, "DescribeSecurityGroups", parameters, &answer); err != nil {
		return nil, nil, err
	}
	in, err = rulesOf(answer.In)
	if err != nil {
		return nil, nil, err
	}
	out, err = rulesOf(answer.Out)
	return in, out, err
}

func rulesOf(permissions []permission) ([]rule, error) {
	var rules []rule
	for _, p := range permissions {
		r := rule{From: p.From, To: p.To, Groups: p.Groups, Lists: p.Lists}
		switch p.Protocol {
		case "tcp":
		case "-1":
			r.From, r.To = 0, 65535
		default:
			return nil, fmt.Errorf("a security group has a rule for %s, which the lab does not know", p.Protocol)
		}
		for _, block := range p.Blocks {
			parsed, err := netip.ParsePrefix(block)
			if err != nil {
				return nil, fmt.Errorf("security group: %w", err)
			}
			r.Blocks = append(r.Blocks, parsed)
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// targets is the emulated load balancer: where it listens, whom it lets in, and how it probes.
type targets struct {
	Group     string // ARN of the target group
	Firewalls []string
	In        []rule
	Subnets   []subnet
	Listen    int // port
	Port      int // of the targets
	ProbePort int
	Path      string
	Codes     string
	probing
	Drain int // seconds
}

func (a account) targets(ctx context.Context) (targets, error) {
	var t targets
	var groups struct {
		ARN       string `xml:"DescribeTargetGroupsResult>TargetGroups>member>TargetGroupArn"`
		Port      int    `xml:"DescribeTargetGroupsResult>TargetGroups>member>Port"`
		Path      string `xml:"DescribeTargetGroupsResult>TargetGroups>member>HealthCheckPath"`
		Codes     string `xml:"DescribeTargetGroupsResult>TargetGroups>member>Matcher>HttpCode"`
		ProbePort string `xml:"DescribeTargetGroupsResult>TargetGroups>member>HealthCheckPort"`
		Probe     string `xml:"DescribeTargetGroupsResult>TargetGroups>member>HealthCheckProtocol"`
		Interval  int    `xml:"DescribeTargetGroupsResult>TargetGroups>member>HealthCheckIntervalSeconds"`
		Timeout   int    `xml:"DescribeTargetGroupsResult>TargetGroups>member>HealthCheckTimeoutSeconds"`
		Healthy   int    `xml:"DescribeTargetGroupsResult>TargetGroups>member>HealthyThresholdCount"`
		Unhealthy int    `xml:"DescribeTargetGroupsResult>TargetGroups>member>UnhealthyThresholdCount"`
		Balancer  string `xml:"DescribeTargetGroupsResult>TargetGroups>member>LoadBalancerArns>member"`
	}
	if err := a.ask(ctx, "elasticloadbalancing", elbVersion, "DescribeTargetGroups", nil, &groups); err != nil {
		return t, err
	}
	if groups.ARN == "" || groups.Balancer == "" {
		return t, errors.New("the emulated account has no target group with a load balancer")
	}
	t.Group, t.Port, t.Path, t.Codes = groups.ARN, groups.Port, groups.Path, groups.Codes
	t.ProbePort = t.Port
	if groups.ProbePort != "traffic-port" {
		var err error
		if t.ProbePort, err = strconv.Atoi(groups.ProbePort); err != nil {
			return t, fmt.Errorf("health check's port: %w", err)
		}
	}
	if groups.Probe != "HTTP" {
		return t, fmt.Errorf("the target group probes by %q, which the lab does not know", groups.Probe)
	}
	t.probing = probing{Interval: groups.Interval, Timeout: groups.Timeout, Healthy: groups.Healthy, Unhealthy: groups.Unhealthy}
	var attributes struct {
		Attributes []struct{ Key, Value string } `xml:"DescribeTargetGroupAttributesResult>Attributes>member"`
	}
	if err := a.ask(ctx, "elasticloadbalancing", elbVersion, "DescribeTargetGroupAttributes", url.Values{"TargetGroupArn": {t.Group}}, &attributes); err != nil {
		return t, err
	}
	for _, at := range attributes.Attributes {
		if at.Key == "deregistration_delay.timeout_seconds" {
			var err error
			if t.Drain, err = strconv.Atoi(at.Value); err != nil {
				return t, fmt.Errorf("deregistration delay: %w", err)
			}
		}
	}
	var listeners struct {
		Port int `xml:"DescribeListenersResult>Listeners>member>Port"`
	}
	if err := a.ask(ctx, "elasticloadbalancing", elbVersion, "DescribeListeners", url.Values{"LoadBalancerArn": {groups.Balancer}}, &listeners); err != nil {
		return t, err
	}
	t.Listen = listeners.Port
	var balancers struct {
		Firewalls []string `xml:"DescribeLoadBalancersResult>LoadBalancers>member>SecurityGroups>member"`
		Subnets   []string `xml:"DescribeLoadBalancersResult>LoadBalancers>member>AvailabilityZones>member>SubnetId"`
	}
	if err := a.ask(ctx, "elasticloadbalancing", elbVersion, "DescribeLoadBalancers", nil, &balancers); err != nil {
		return t, err
	}
	for _, id := range balancers.Subnets {
		s, err := a.subnet(ctx, id)
		if err != nil {
			return t, err
		}
		t.Subnets = append(t.Subnets, s)
	}
	t.Firewalls = balancers.Firewalls
	var err error
	t.In, _, err = a.rules(ctx, balancers.Firewalls)
	return t, err
}

// statement is what a role may do.
type statement struct {
	Effect   string `json:"Effect"`
	Action   any    `json:"Action"`
	Resource any    `json:"Resource"`
}

// permissions reads the policies that a role has.
func (a account) permissions(ctx context.Context, role string) ([]statement, error) {
	var attached struct {
		ARNs []string `xml:"ListAttachedRolePoliciesResult>AttachedPolicies>member>PolicyArn"`
	}
	if err := a.ask(ctx, "iam", iamVersion, "ListAttachedRolePolicies", url.Values{"RoleName": {role}}, &attached); err != nil {
		return nil, err
	}
	var all []statement
	for _, arn := range attached.ARNs {
		var policy struct {
			Version string `xml:"GetPolicyResult>Policy>DefaultVersionId"`
		}
		if err := a.ask(ctx, "iam", iamVersion, "GetPolicy", url.Values{"PolicyArn": {arn}}, &policy); err != nil {
			return nil, err
		}
		var version struct {
			Document string `xml:"GetPolicyVersionResult>PolicyVersion>Document"`
		}
		if err := a.ask(ctx, "iam", iamVersion, "GetPolicyVersion", url.Values{"PolicyArn": {arn}, "VersionId": {policy.Version}}, &version); err != nil {
			return nil, err
		}
		text, err := url.QueryUnescape(version.Document)
		if err != nil {
			return nil, fmt.Errorf("policy %s: %w", arn, err)
		}
		var document struct{ Statement []statement }
		if err := json.Unmarshal([]byte(text), &document); err != nil {
			return nil, fmt.Errorf("policy %s: %w", arn, err)
		}
		all = append(all, document.Statement...)
	}
	return all, nil
}

// objects lists the keys in a bucket of the emulated account.
func (a account) objects(ctx context.Context, bucket string) ([]string, error) {
	body, err := a.api.Object(ctx, bucket, "")
	if err != nil {
		return nil, err
	}
	var list struct {
		Keys []string `xml:"Contents>Key"`
	}
	if err := xml.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("list the emulated bucket %s: %w", bucket, err)
	}
	return list.Keys, nil
}

// buckets lists the emulated account's buckets.
func (a account) buckets(ctx context.Context) ([]string, error) {
	body, err := a.api.Object(ctx, "", "")
	if err != nil {
		return nil, err
	}
	var list struct {
		Names []string `xml:"Buckets>Bucket>Name"`
	}
	if err := xml.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("list the emulated buckets: %w", err)
	}
	return list.Names, nil
}
