package observe

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/cloudwatchmetricalarm"

	"cloudstorage/infra/internal/tf"
	"cloudstorage/infra/naming"
)

// What may last how long without an alarm. Every number is chosen so that a deploy sends none: its new fleet boots
// beside the old one in the same target group, for up to Props.Boot unhealthy; the old one drains in half a minute; and
// the alarms about the Auto Scaling group follow the new one, whose metrics start with it.
const (
	// minErrors is how many 5xx answers an alarm about their share needs: two or three at night are 100 of 100 too.
	minErrors = 10
	// errorMinutes is the window of that share: long enough to hold ten errors of a quiet API, short enough to be told
	// of an outage within it.
	errorMinutes = 5
	// slowWindows of slowMinutes each: the first answers of new machines are slow for a few minutes, which is one
	// window, or two where it lies across their border.
	slowMinutes, slowWindows = 5, 3
	// healMinutes is what a fleet gets beyond Boot to replace a lost machine: two failed checks (65 s) and the launch.
	// It must not be 0: the fleet of a new environment is unhealthy for up to Boot, and its alarms, made right
	// afterwards, look back.
	healMinutes = 5
	// lateMinutes is how many of the newest minutes may have no data yet, or lack it: Auto Scaling reports as well as
	// it can, and promises no more.
	lateMinutes = 2
	// atMaxMinutes at the largest size are no peak any more.
	atMaxMinutes = 15
	// scaleInMinutes is what target tracking takes to give back the first machine: 15 minutes below the target, and as
	// much again for a fleet that has just started.
	scaleInMinutes = 30
	// creditMinutes is the only period of the credits' metrics, and creditWindows of them are no stray value.
	creditMinutes, creditWindows = 5, 3
)

// metric is a statistic of one of AWS's metrics.
type metric struct {
	namespace, name, stat string
	dimensions            map[string]*string
}

func (p Props) balancer(name, stat string) metric {
	return metric{"AWS/ApplicationELB", name, stat, map[string]*string{"LoadBalancer": p.BalancerARNSuffix}}
}

func (p Props) targets(name, stat string) metric {
	return metric{"AWS/ApplicationELB", name, stat, map[string]*string{"LoadBalancer": p.BalancerARNSuffix, "TargetGroup": p.TargetGroupARNSuffix}}
}

func (p Props) group(name, stat string) metric {
	return metric{"AWS/AutoScaling", name, stat, map[string]*string{"AutoScalingGroupName": p.GroupName}}
}

func (p Props) machines(name, stat string) metric {
	return metric{"AWS/EC2", name, stat, map[string]*string{"AutoScalingGroupName": p.GroupName}}
}

// query is one line of an alarm's arithmetic: a metric, or an expression over the lines before it.
type query struct {
	id         string
	metric     metric
	expression string
}

// alarm is sent when enough datapoints among so many windows breach a threshold. The datapoints are those of the last
// query. No data is no breach: where it is one, the expression says so.
type alarm struct {
	id, text          string
	queries           []query
	operator          string
	threshold         float64
	window            int // minutes
	windows, breaches int
}

// alarms are those that a fleet of this kind can need.
func (p Props) alarms() []alarm {
	all := []alarm{p.errors(), p.slow(), p.unhealthy()}
	if p.Max > p.Min {
		all = append(all, p.atMax())
	}
	if p.Burstable {
		all = append(all, p.credits())
	}
	return all
}

// errors is about the share of 5xx answers, of the machines and of the load balancer in their place. A request for
// which the balancer finds no machine is not among its requests, so that the errors may be more than those.
func (p Props) errors() alarm {
	return alarm{
		id: "errors",
		text: p.text(fmt.Sprintf("More than %d%% of the answers of %d minutes were 5xx, and at least %d of them.", p.ErrorPercent, errorMinutes, minErrors),
			"Requests fail. If most are the load balancer's, it reaches no machine: look at the healthy ones. "+
				"If most are the machines', the table of errors says why. If it began with a deploy, deploy the commit before."),
		queries: []query{
			{id: "balancer", metric: p.balancer("HTTPCode_ELB_5XX_Count", "Sum")},
			{id: "targets", metric: p.balancer("HTTPCode_Target_5XX_Count", "Sum")},
			{id: "requests", metric: p.balancer("RequestCount", "Sum")},
			{id: "errors", expression: "FILL(balancer, 0) + FILL(targets, 0)"},
			{id: "answers", expression: "IF(errors > FILL(requests, 0), errors, FILL(requests, 0))"},
			{id: "share", expression: fmt.Sprintf("IF(errors < %d, 0, 100 * errors / answers)", minErrors)},
		},
		operator: "GreaterThanThreshold", threshold: float64(p.ErrorPercent),
		window: errorMinutes, windows: 1, breaches: 1,
	}
}

// slow is about the time until a machine begins its answer. Without requests there is no such time, and few say nothing.
func (p Props) slow() alarm {
	return alarm{
		id: "slow",
		text: p.text(fmt.Sprintf("For %d minutes, 5 of 100 answers or more took longer than %s.", slowMinutes*slowWindows, p.P95),
			"Users wait. If the CPU is high, raise compute.max or take larger machines. If it is low, S3 answers slowly: see its health in this region, "+
				"and who lists large folders."),
		queries:  []query{{id: "p95", metric: p.targets("TargetResponseTime", "p95")}},
		operator: "GreaterThanThreshold", threshold: p.P95.Seconds(),
		window: slowMinutes, windows: slowWindows, breaches: slowWindows,
	}
}

// unhealthy is about too few machines for longer than a new one takes. Sooner there is nothing to do: the Auto Scaling
// group replaces what fails, and an outage that users see is told by the errors. No target at all has no metric, which
// counts as none healthy; minutes in which the group does not exist or sleeps count as good.
func (p Props) unhealthy() alarm {
	minutes := p.minutes(healMinutes)
	return alarm{
		id: "unhealthy",
		text: p.text(fmt.Sprintf("For %d minutes, fewer than %d machines were healthy.", minutes, p.Min),
			"New machines do not get healthy either, so the fleet does not heal by itself. See the Auto Scaling group's activity for launches that fail, "+
				"then the machines' logs, or a shell (aws ssm start-session), for a server that does not start. If it began with a deploy, deploy the commit before."),
		queries: []query{
			{id: "desired", metric: p.group("GroupDesiredCapacity", "Minimum")},
			{id: "registered", metric: p.targets("HealthyHostCount", "Minimum")},
			{id: "healthy", expression: fmt.Sprintf("IF(FILL(desired, 0) < %d, %d, FILL(registered, 0))", p.Min, p.Min)},
		},
		operator: "LessThanThreshold", threshold: float64(p.Min),
		window: 1, windows: minutes + lateMinutes, breaches: minutes,
	}
}

// atMax is about a fleet that cannot grow. One that starts there is given the time to shrink first.
func (p Props) atMax() alarm {
	minutes := atMaxMinutes
	if p.initial() == p.Max {
		minutes = p.minutes(scaleInMinutes)
	}
	return alarm{
		id: "at-max",
		text: p.text(fmt.Sprintf("For %d minutes, the fleet wanted %d machines, the most that it may have.", minutes, p.Max),
			"More load would make it slow. If the load is expected, raise compute.max. If not, look who asks so much: a client that retries, or an attack, whose addresses traffic.waf limits."),
		queries:  []query{{id: "desired", metric: p.group("GroupDesiredCapacity", "Minimum")}},
		operator: "GreaterThanOrEqualToThreshold", threshold: float64(p.Max),
		window: 1, windows: minutes + lateMinutes, breaches: minutes,
	}
}

// credits is about the price of a machine that is busy for long. The balance of credits would not do: a t3 or t4g
// starts with none and is never slowed down for it, so each deploy would send the alarm. Credits are charged only
// beyond what a machine earns in 24 hours, which no boot spends.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-performance-instances-monitoring-cpu-credits.html
func (p Props) credits() alarm {
	return alarm{
		id: "credits",
		text: p.text(fmt.Sprintf("For %d minutes, a machine's CPU credits were charged.", creditMinutes*creditWindows),
			"The machines have used more than their baseline for a day: nothing is slow, but each vCPU hour beyond it costs extra. "+
				"If the load lasts, take more machines, larger ones, or a type without credits (m7g, c7g). If there is none, look for a process that spins."),
		queries:  []query{{id: "charged", metric: p.machines("CPUSurplusCreditsCharged", "Maximum")}},
		operator: "GreaterThanThreshold", threshold: 0,
		window: creditMinutes, windows: creditWindows, breaches: creditWindows,
	}
}

// minutes is Boot and some minutes more.
func (p Props) minutes(more int) int { return int(p.Boot/time.Minute) + more }

// text is what the e-mail says: what happened, what to do about it, and where to look.
func (p Props) text(what, do string) string {
	return what + " " + do + " Dashboard: " + console(p.Region) + p.Project.Name("dashboard")
}

func (a alarm) make(within constructs.Construct, project naming.Project, topic *string) cloudwatchmetricalarm.CloudwatchMetricAlarm {
	config := &cloudwatchmetricalarm.CloudwatchMetricAlarmConfig{
		AlarmName:          jsii.String(project.Name(a.id)),
		AlarmDescription:   jsii.String(a.text),
		ComparisonOperator: jsii.String(a.operator),
		Threshold:          jsii.Number(a.threshold),
		EvaluationPeriods:  jsii.Number(a.windows),
		DatapointsToAlarm:  jsii.Number(a.breaches),
		TreatMissingData:   jsii.String("notBreaching"),
		AlarmActions:       &[]*string{topic},
		OkActions:          &[]*string{topic},
		Tags:               tf.Tags(project.Tags(a.id)),
	}
	if len(a.queries) == 1 {
		a.watch(config, a.queries[0].metric)
	} else {
		config.MetricQuery = a.arithmetic()
	}
	return cloudwatchmetricalarm.NewCloudwatchMetricAlarm(within, jsii.String(a.id), config)
}

// watch makes the alarm one about a metric itself. A percentile of a few requests says nothing, so it changes nothing.
func (a alarm) watch(config *cloudwatchmetricalarm.CloudwatchMetricAlarmConfig, m metric) {
	config.Namespace, config.MetricName, config.Dimensions = jsii.String(m.namespace), jsii.String(m.name), &m.dimensions
	config.Period = jsii.Number(a.window * 60)
	if strings.HasPrefix(m.stat, "p") {
		config.ExtendedStatistic, config.EvaluateLowSampleCountPercentiles = jsii.String(m.stat), jsii.String("ignore")
	} else {
		config.Statistic = jsii.String(m.stat)
	}
}

// arithmetic makes the alarm one about the last of its queries.
func (a alarm) arithmetic() *[]*cloudwatchmetricalarm.CloudwatchMetricAlarmMetricQuery {
	queries := make([]*cloudwatchmetricalarm.CloudwatchMetricAlarmMetricQuery, len(a.queries))
	for i, q := range a.queries {
		queries[i] = &cloudwatchmetricalarm.CloudwatchMetricAlarmMetricQuery{Id: jsii.String(q.id)}
		if q.expression != "" {
			queries[i].Expression, queries[i].Label = jsii.String(q.expression), jsii.String(q.id)
			queries[i].ReturnData = jsii.Bool(i == len(a.queries)-1)
			continue
		}
		queries[i].Metric = &cloudwatchmetricalarm.CloudwatchMetricAlarmMetricQueryMetric{
			Namespace: jsii.String(q.metric.namespace), MetricName: jsii.String(q.metric.name), Stat: jsii.String(q.metric.stat),
			Dimensions: &q.metric.dimensions, Period: jsii.Number(a.window * 60),
		}
	}
	return &queries
}
