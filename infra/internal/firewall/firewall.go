// Package firewall makes security groups by intent (who may reach which port), one rule resource each, so that a
// change of one rule touches no other.
package firewall

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/securitygroup"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/vpcsecuritygroupegressrule"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/vpcsecuritygroupingressrule"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/internal/tf"
	"cloudstorage/infra/naming"
)

// Props are what a security group needs, all of them.
type Props struct {
	Project     naming.Project
	Resource    string // what it is in its Name tag
	Description string // never changes afterwards: AWS would replace the group
	VPCID       *string
	VPC         cdktf.ITerraformDependable // what it depends on; nil is nothing
}

// Group is a security group that starts with every port closed, in and out.
type Group struct {
	within  constructs.Construct
	group   securitygroup.SecurityGroup
	project naming.Project
}

// New makes an empty group.
func New(scope constructs.Construct, id string, p Props) Group {
	within := constructs.NewConstruct(scope, jsii.String(id))
	config := &securitygroup.SecurityGroupConfig{
		NamePrefix:  jsii.String(p.Project.Prefix(p.Resource)),
		Description: jsii.String(p.Description),
		VpcId:       p.VPCID,
		Tags:        tf.Tags(p.Project.Tags(p.Resource)),
		Lifecycle:   tf.ReplaceBeforeDestroy(),
	}
	if p.VPC != nil {
		config.DependsOn = &[]cdktf.ITerraformDependable{p.VPC}
	}
	return Group{within: within, project: p.Project, group: securitygroup.NewSecurityGroup(within, jsii.String("group"), config)}
}

// ID is a token for the group's id.
func (g Group) ID() *string { return g.group.Id() }

// AllowFrom opens a TCP port to address blocks.
func (g Group) AllowFrom(id, description string, port int, blocks []netip.Prefix) {
	for _, block := range blocks {
		config := g.ingress(id, description, port)
		config.CidrIpv4, config.CidrIpv6 = cidr(block)
		vpcsecuritygroupingressrule.NewVpcSecurityGroupIngressRule(g.within, jsii.String("in-"+id+"-"+blockID(block)), config)
	}
}

// AllowFromGroup opens a TCP port to the members of another group.
func (g Group) AllowFromGroup(id, description string, port int, group *string) {
	config := g.ingress(id, description, port)
	config.ReferencedSecurityGroupId = group
	vpcsecuritygroupingressrule.NewVpcSecurityGroupIngressRule(g.within, jsii.String("in-"+id), config)
}

func (g Group) ingress(id, description string, port int) *vpcsecuritygroupingressrule.VpcSecurityGroupIngressRuleConfig {
	return &vpcsecuritygroupingressrule.VpcSecurityGroupIngressRuleConfig{
		SecurityGroupId: g.group.Id(),
		Description:     jsii.String(description),
		IpProtocol:      jsii.String("tcp"),
		FromPort:        jsii.Number(port),
		ToPort:          jsii.Number(port),
		Tags:            tf.Tags(g.project.Tags("in-" + id)),
	}
}

// AllowOut opens a TCP port towards an address block.
func (g Group) AllowOut(id, description string, port int, block netip.Prefix) {
	config := g.egress(id, description, block)
	openTCP(config, port)
	vpcsecuritygroupegressrule.NewVpcSecurityGroupEgressRule(g.within, jsii.String("out-"+id), config)
}

// AllowOutTo opens a TCP port towards address blocks.
func (g Group) AllowOutTo(id, description string, port int, blocks []netip.Prefix) {
	for _, block := range blocks {
		config := g.egress(id, description, block)
		openTCP(config, port)
		vpcsecuritygroupegressrule.NewVpcSecurityGroupEgressRule(g.within, jsii.String("out-"+id+"-"+blockID(block)), config)
	}
}

// AllowOutToPrefixList opens a TCP port towards the addresses of an AWS service, which its prefix list names.
func (g Group) AllowOutToPrefixList(id, description string, port int, prefixList *string) {
	config := g.egressTo(id, description)
	openTCP(config, port)
	config.PrefixListId = prefixList
	vpcsecuritygroupegressrule.NewVpcSecurityGroupEgressRule(g.within, jsii.String("out-"+id), config)
}

// AllowOutToGroup opens a TCP port towards the members of another group.
func (g Group) AllowOutToGroup(id, description string, port int, group *string) {
	config := g.egressTo(id, description)
	openTCP(config, port)
	config.ReferencedSecurityGroupId = group
	vpcsecuritygroupegressrule.NewVpcSecurityGroupEgressRule(g.within, jsii.String("out-"+id), config)
}

// AllowOutEverywhere opens every port towards every address.
func (g Group) AllowOutEverywhere() {
	for _, block := range []string{"0.0.0.0/0", "::/0"} {
		all := netip.MustParsePrefix(block)
		config := g.egress("all", "Everything out", all)
		config.IpProtocol = jsii.String("-1")
		vpcsecuritygroupegressrule.NewVpcSecurityGroupEgressRule(g.within, jsii.String("out-all-"+blockID(all)), config)
	}
}

func openTCP(config *vpcsecuritygroupegressrule.VpcSecurityGroupEgressRuleConfig, port int) {
	config.IpProtocol = jsii.String("tcp")
	config.FromPort, config.ToPort = jsii.Number(port), jsii.Number(port)
}

func (g Group) egress(id, description string, block netip.Prefix) *vpcsecuritygroupegressrule.VpcSecurityGroupEgressRuleConfig {
	config := g.egressTo(id, description)
	config.CidrIpv4, config.CidrIpv6 = cidr(block)
	return config
}

func (g Group) egressTo(id, description string) *vpcsecuritygroupegressrule.VpcSecurityGroupEgressRuleConfig {
	return &vpcsecuritygroupegressrule.VpcSecurityGroupEgressRuleConfig{
		SecurityGroupId: g.group.Id(),
		Description:     jsii.String(description),
		Tags:            tf.Tags(g.project.Tags("out-" + id)),
	}
}

func cidr(block netip.Prefix) (v4, v6 *string) {
	if block.Addr().Is4() {
		return jsii.String(block.String()), nil
	}
	return nil, jsii.String(block.String())
}

// blockID spells a block without the characters that construct ids refuse.
func blockID(block netip.Prefix) string {
	return fmt.Sprintf("%s-%d", strings.ReplaceAll(block.Addr().String(), ":", "_"), block.Bits())
}
