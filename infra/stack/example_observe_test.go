package stack_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/compute"
	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/naming"
	"cloudstorage/infra/observe"
	"cloudstorage/infra/traffic"
)

// example:
// NewObservedFleet is a fleet whose machines find their log group, and whose alarms reach a mailbox.
func NewObservedFleet(scope constructs.Construct, project naming.Project, balancer *traffic.Balancer, p compute.FleetProps) *observe.Observe {
	logs := observe.NewLogs(scope, "logs", observe.LogsProps{Project: project, Days: 30})
	p.After = append(p.After, logs.Ready())
	fleet := compute.NewFleet(scope, "compute", p)
	return observe.New(scope, "observe", observe.Props{
		Project: project, Region: "eu-west-1", Email: "ops@example.org",
		BalancerARNSuffix: balancer.ARNSuffix(), TargetGroupARNSuffix: balancer.TargetGroupARNSuffix(), GroupName: fleet.GroupName(),
		Bucket: "demo-8302961457", Min: p.Min, Max: p.Max, Boot: 10 * time.Minute,
		ErrorPercent: 5, P95: time.Second,
	})
}

// end of example

func TestTheExampleOfObserve(t *testing.T) {
	showsExample(t, "docs/constructs/observe.md", "example_observe_test.go")
	s := template.One(t, func(stack cdktf.TerraformStack) {
		balancer := traffic.New(stack, "traffic", traffic.Props{
			Project: project, VPCID: vpcID, FleetCIDRs: blocks, SubnetIDs: *jsii.Strings("subnet-a", "subnet-b"), Port: 8080, HealthPath: "/up", Allow: world,
		})
		NewObservedFleet(stack, project, balancer, compute.FleetProps{
			Machine: machine(), Min: 2, Max: 4, SubnetIDs: *jsii.Strings("subnet-a"),
			BalancerSecurityGroupID: balancer.SecurityGroupID(), TargetGroupARN: balancer.TargetGroupARN(),
		})
	})
	wantsDependency(t, s.Only("aws_autoscaling_group"), s.Only("aws_cloudwatch_log_group"))
	alarms := s.Resources("aws_cloudwatch_metric_alarm")
	errors := slices.IndexFunc(alarms, func(r template.Resource) bool { return r.Get("alarm_name") == "demo-errors" })
	if len(alarms) != 4 || errors < 0 {
		t.Fatalf("%d alarms, that of the errors at %d", len(alarms), errors)
	}
	alarms[errors].Wants(map[string]string{"metric_query.0.metric.dimensions.LoadBalancer": s.Only("aws_lb").Ref("arn_suffix")})
}
