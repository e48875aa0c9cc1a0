// Package traffic makes the way in: a load balancer in front of a fleet, with its listener, certificate, health check
// and firewalls.
package traffic

import (
	"fmt"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/lb"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/lblistener"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/lbtargetgroup"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/internal/firewall"
	"cloudstorage/infra/internal/tf"
)

// idleSeconds is how long the balancer keeps a quiet connection; the server keeps it longer (settings.IdleTimeout), so
// that the balancer never writes into a connection that the server has just closed.
const idleSeconds = 60

// logsPrefix is the folder of the logs bucket; its policy lets load balancers write there.
const logsPrefix = "alb"

// Balancer is a load balancer and the target group that a fleet joins.
type Balancer struct {
	balancer lb.Lb
	group    lbtargetgroup.LbTargetGroup
	listener lblistener.LbListener
	firewall firewall.Group
	url      *string
}

// New makes the load balancer:
//
//	allowed blocks → security group → [WAF] → listener (443 or Port) → target group (health check) → who joins it, on Port
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
	b.firewall.AllowFrom("api", "The API", p.listenerPort(), p.Allow)
	b.firewall.AllowOutTo("fleet", "Requests and health checks to the fleet", p.Port, p.FleetCIDRs)
	b.balancer = newBalancer(within, p, b.firewall)
	b.group = newTargetGroup(within, p)
	switch {
	case p.Domain != "":
		zone := zoneOf(within, p)
		b.listener = newHTTPSListener(within, p, b, certificateOf(within, p, zone))
		leadTo(within, p, zone, b.balancer)
		b.url = jsii.String("https://" + p.Domain)
	case p.CertificateARN != "":
		b.listener = newHTTPSListener(within, p, b, jsii.String(p.CertificateARN))
	default:
		b.listener = newHTTPListener(within, p, b)
		b.url = jsii.String(fmt.Sprintf("http://%s:%d", *b.balancer.DnsName(), p.Port))
	}
	if p.WAF != nil {
		guard(within, p, b.balancer)
	}
	return b
}

func newBalancer(within constructs.Construct, p Props, group firewall.Group) lb.Lb {
	config := &lb.LbConfig{
		Name:             jsii.String(p.Project.Name("alb")),
		LoadBalancerType: jsii.String("application"),
		Internal:         jsii.Bool(false),
		Subnets:          &p.SubnetIDs,
		SecurityGroups:   jsii.Strings(*group.ID()),
		// Always so for an application load balancer; said because the exercise asks for it.
		EnableCrossZoneLoadBalancing: jsii.Bool(true),
		DropInvalidHeaderFields:      jsii.Bool(true),
		// What several servers could read differently closes its connections, what is built to is refused. The
		// strictest mode would refuse harmless deviations of old clients too.
		// Source: https://docs.rs/crate/http_desync_guardian/0.1.3/source/docs/README.md
		DesyncMitigationMode: jsii.String("defensive"),
		IdleTimeout:          jsii.Number(idleSeconds),
		Tags:                 tf.Tags(p.Project.Tags("alb")),
		DependsOn:            tf.Dependables(p.Online),
	}
	if p.DeletionProtection {
		config.EnableDeletionProtection = jsii.Bool(true)
	}
	if p.LogsBucket != "" {
		config.AccessLogs = &lb.LbAccessLogs{Bucket: jsii.String(p.LogsBucket), Prefix: jsii.String(logsPrefix), Enabled: jsii.Bool(true)}
	}
	return lb.NewLb(within, jsii.String("alb"), config)
}

// DNSName is a token for the load balancer's own name.
func (b *Balancer) DNSName() *string { return b.balancer.DnsName() }

// URL is where the API answers. It is nil with a certificate whose name is not known here: whoever has it points its
// name to DNSName.
func (b *Balancer) URL() *string { return b.url }

// ARNSuffix is a token for what CloudWatch calls the load balancer: the dimension LoadBalancer.
func (b *Balancer) ARNSuffix() *string { return b.balancer.ArnSuffix() }

// TargetGroupARN is a token for the group that the fleet joins.
func (b *Balancer) TargetGroupARN() *string { return b.group.Arn() }

// TargetGroupARNSuffix is a token for what CloudWatch calls the group: the dimension TargetGroup. Behind ARNSuffix and
// a slash, it is the resource label by which a fleet is scaled on its requests.
func (b *Balancer) TargetGroupARNSuffix() *string { return b.group.ArnSuffix() }

// SecurityGroupID is a token for the balancer's security group, from which the fleet takes its requests.
func (b *Balancer) SecurityGroupID() *string { return b.firewall.ID() }

// Listening is what must exist before a target of the group is ever probed.
func (b *Balancer) Listening() cdktf.ITerraformDependable { return b.listener }
