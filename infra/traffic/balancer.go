// Package traffic makes the way in: a load balancer in front of a fleet, with its listener, health check and firewall.
package traffic

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/lb"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/lblistener"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/lbtargetgroup"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/internal/firewall"
	"cloudstorage/infra/internal/tf"
	"cloudstorage/infra/naming"
)

// The health check's numbers. The first two are the exercise's. A machine that dies is out of rotation after at most
// unhealthyThreshold intervals and a timeout.
const (
	healthIntervalSeconds = 30
	healthyThreshold      = 2
	unhealthyThreshold    = 2
	healthTimeoutSeconds  = 5
	// drainSeconds is how long a leaving machine may finish its requests: above the server's own drain timeout, and
	// no longer, since a destroy waits for it.
	drainSeconds = 30
	// idleSeconds is how long the balancer keeps a quiet connection; the server keeps it longer, so that the
	// balancer never writes into a connection that the server has just closed.
	idleSeconds = 60
)

// Props are what a load balancer needs.
type Props struct {
	// Project names and tags every resource. Required.
	Project naming.Project
	// VPCID and VPCCIDR are the network's; traffic leaves the balancer for that block only. Required.
	VPCID   *string
	VPCCIDR netip.Prefix
	// VPC is what the firewall depends on. Default nil: nothing.
	VPC cdktf.ITerraformDependable
	// SubnetIDs are public subnets in two zones or more. Required.
	SubnetIDs []*string
	// Port is both the listener's and the fleet's. Required.
	Port int
	// HealthPath answers 200 while a machine can serve. Required.
	HealthPath string
	// Allow are the address blocks that may connect. Required.
	Allow []netip.Prefix
	// Online is what must exist before the balancer reaches the internet. Default nil.
	Online []cdktf.ITerraformDependable
}

// Validate reports what no load balancer could be made of.
func (p Props) Validate() error {
	var errs []error
	if p.VPCID == nil || !p.VPCCIDR.IsValid() {
		errs = append(errs, errors.New("traffic: VPCID or VPCCIDR is missing: give the network's"))
	}
	if len(p.SubnetIDs) < 2 {
		errs = append(errs, fmt.Errorf("traffic: %d subnets: a load balancer needs one in two zones or more", len(p.SubnetIDs)))
	}
	if p.Port < 1 || p.Port > 65535 {
		errs = append(errs, fmt.Errorf("traffic: port %d is outside 1 to 65535", p.Port))
	}
	if len(p.HealthPath) == 0 || p.HealthPath[0] != '/' {
		errs = append(errs, fmt.Errorf("traffic: health path %q does not start with /", p.HealthPath))
	}
	if len(p.Allow) == 0 {
		errs = append(errs, errors.New("traffic: Allow is empty: nobody could connect"))
	}
	return errors.Join(errs...)
}

// Balancer is a load balancer and the target group that a fleet joins.
type Balancer struct {
	balancer lb.Lb
	group    lbtargetgroup.LbTargetGroup
	listener lblistener.LbListener
	firewall firewall.Group
}

// New makes the load balancer:
//
//	allowed blocks → firewall → listener:port → target group (health check) → whoever joins it
//
// It panics where Validate would have said why.
func New(scope constructs.Construct, id string, p Props) *Balancer {
	if err := p.Validate(); err != nil {
		panic(err)
	}
	within := constructs.NewConstruct(scope, jsii.String(id))
	b := &Balancer{firewall: firewall.New(within, "firewall", firewall.Props{
		Project: p.Project, Resource: "alb-sg", Description: "Load balancer of the storage API",
		VPCID: p.VPCID, VPC: p.VPC,
	})}
	b.firewall.AllowFrom("api", "The API", p.Port, p.Allow)
	b.firewall.AllowOut("fleet", "Requests and health checks to the fleet", p.Port, p.VPCCIDR)
	b.balancer = lb.NewLb(within, jsii.String("alb"), &lb.LbConfig{
		Name:             jsii.String(p.Project.Name("alb")),
		LoadBalancerType: jsii.String("application"),
		Internal:         jsii.Bool(false),
		Subnets:          &p.SubnetIDs,
		SecurityGroups:   jsii.Strings(*b.firewall.ID()),
		// Always so for an application load balancer; said because the exercise asks for it.
		EnableCrossZoneLoadBalancing: jsii.Bool(true),
		DropInvalidHeaderFields:      jsii.Bool(true),
		IdleTimeout:                  jsii.Number(idleSeconds),
		Tags:                         tf.Tags(p.Project.Tags("alb")),
		DependsOn:                    tf.Dependables(p.Online),
	})
	b.group = targetGroup(within, p)
	b.listener = lblistener.NewLbListener(within, jsii.String("listener"), &lblistener.LbListenerConfig{
		LoadBalancerArn: b.balancer.Arn(),
		Port:            jsii.Number(p.Port),
		Protocol:        jsii.String("HTTP"),
		DefaultAction: &[]*lblistener.LbListenerDefaultAction{{
			Type:           jsii.String("forward"),
			TargetGroupArn: b.group.Arn(),
		}},
		Tags: tf.Tags(p.Project.Tags("listener")),
	})
	return b
}

func targetGroup(within constructs.Construct, p Props) lbtargetgroup.LbTargetGroup {
	port := strconv.Itoa(p.Port)
	// The name carries what forces a replacement, so that the new group never collides with the old one.
	name := "http-" + port
	return lbtargetgroup.NewLbTargetGroup(within, jsii.String("targets"), &lbtargetgroup.LbTargetGroupConfig{
		Name:                          jsii.String(p.Project.Name(name)),
		Port:                          jsii.Number(p.Port),
		Protocol:                      jsii.String("HTTP"),
		TargetType:                    jsii.String("instance"),
		VpcId:                         p.VPCID,
		DeregistrationDelay:           jsii.String(strconv.Itoa(drainSeconds)),
		LoadBalancingCrossZoneEnabled: jsii.String("true"),
		HealthCheck: &lbtargetgroup.LbTargetGroupHealthCheck{
			Path:               jsii.String(p.HealthPath),
			Port:               jsii.String(port),
			Protocol:           jsii.String("HTTP"),
			Matcher:            jsii.String("200"),
			Interval:           jsii.Number(healthIntervalSeconds),
			Timeout:            jsii.Number(healthTimeoutSeconds),
			HealthyThreshold:   jsii.Number(healthyThreshold),
			UnhealthyThreshold: jsii.Number(unhealthyThreshold),
		},
		Tags:      tf.Tags(p.Project.Tags(name)),
		Lifecycle: tf.ReplaceBeforeDestroy(),
	})
}

// DNSName is a token for the load balancer's name.
func (b *Balancer) DNSName() *string { return b.balancer.DnsName() }

// TargetGroupARN is a token for the group that the fleet joins.
func (b *Balancer) TargetGroupARN() *string { return b.group.Arn() }

// SecurityGroupID is a token for the balancer's firewall, from which the fleet takes its requests.
func (b *Balancer) SecurityGroupID() *string { return b.firewall.ID() }

// Listening is what must exist before a target of the group is ever probed.
func (b *Balancer) Listening() cdktf.ITerraformDependable { return b.listener }
