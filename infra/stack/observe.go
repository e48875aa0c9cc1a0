package stack

import (
	"regexp"
	"time"

	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/compute"
	"cloudstorage/infra/config"
	"cloudstorage/infra/observe"
	"cloudstorage/infra/traffic"
)

// The longest that a new fleet may take to get healthy: as long as its construct waits for it.
const (
	fetchBoot = 10 * time.Minute
	buildBoot = 25 * time.Minute
)

// newLogs makes the group that machines ship their logs to; nil where they do not.
func newLogs(stack cdktf.TerraformStack, e *config.Environment) *observe.Logs {
	if e.Observe == nil {
		return nil
	}
	logs := observe.NewLogs(stack, "logs", observe.LogsProps{Project: e.Project(), Days: e.Observe.LogsDays})
	output(stack, "log_group_name", "The machines' logs", logs.Name())
	return logs
}

// watch makes the dashboard and the alarms of a fleet.
func watch(stack cdktf.TerraformStack, e *config.Environment, balancer *traffic.Balancer, fleet *compute.Fleet) {
	watched := observe.New(stack, "observe", observeProps(e, balancer, fleet))
	output(stack, "dashboard_url", "What the environment does, in AWS's console", watched.DashboardURL())
	output(stack, "alarm_topic_arn", "The topic of the alarms", watched.TopicARN())
}

func observeProps(e *config.Environment, balancer *traffic.Balancer, fleet *compute.Fleet) observe.Props {
	p := observe.Props{
		Project: e.Project(), Region: e.Region, Email: e.Observe.Email,
		BalancerARNSuffix: balancer.ARNSuffix(), TargetGroupARNSuffix: balancer.TargetGroupARNSuffix(), GroupName: fleet.GroupName(),
		Bucket: e.Storage.Bucket, Min: e.Compute.Min, Initial: e.Compute.Initial, Max: e.Compute.Max,
		Boot: fetchBoot, Burstable: burstable.MatchString(e.Compute.InstanceType),
		ErrorPercent: e.Observe.ErrorPercent, P95: e.Observe.P95,
	}
	if e.Release.Delivery == config.Source {
		p.Boot = buildBoot
	}
	return p
}

// burstable are the families whose machines spend CPU credits: t2, t3, t3a, t4g.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-performance-instances.html
var burstable = regexp.MustCompile(`^t[0-9]`)
