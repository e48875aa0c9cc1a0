package observe

import (
	"fmt"

	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/cloudwatchmetricalarm"
)

// billingRegion is the only one that has the metrics of what the account costs.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/monitor_estimated_charges_with_cloudwatch.html
const billingRegion = "us-east-1"

// Periods, in seconds: of what is reported each minute, of CPU and credits, a few times a day, and once a day.
const (
	eachMinute    = 60
	eachFiveMin   = 300
	eachSixHours  = 21600
	eachDay       = 86400
	rareDataSince = "-P30D" // the range of what comes so rarely that the dashboard's own would be empty
)

// board lays the widgets out, the most urgent first.
func (p Props) board(alarms []cloudwatchmetricalarm.CloudwatchMetricAlarm) dashboard {
	return dashboard{Start: "-PT6H", PeriodOverride: "inherit", Widgets: grid(
		row{height: 2, widgets: []widget{p.alarmStates(alarms)}},
		row{height: 6, widgets: []widget{p.requests(), p.times(), p.failures()}},
		row{height: 6, widgets: []widget{p.hosts(), p.fleet(), p.load()}},
		row{height: 6, widgets: []widget{p.bytes(), p.objects(), p.cost()}},
		row{height: 8, widgets: []widget{p.lastErrors()}},
	)}
}

func (p Props) alarmStates(alarms []cloudwatchmetricalarm.CloudwatchMetricAlarm) widget {
	states := alarmProperties{Title: "Alarms"}
	for _, each := range alarms {
		states.Alarms = append(states.Alarms, *each.Arn())
	}
	return widget{Type: "alarm", Properties: states}
}

func (p Props) requests() widget {
	return p.graph("Requests a minute", eachMinute,
		p.balancer("RequestCount", "Sum").line("requests"),
	)
}

func (p Props) times() widget {
	g := p.graph("Time until the answer begins, in seconds", eachMinute,
		p.targets("TargetResponseTime", "p50").line("p50"),
		p.targets("TargetResponseTime", "p95").line("p95"),
		p.targets("TargetResponseTime", "p99").line("p99"),
	)
	return g.marked("alarm: p95", p.P95.Seconds())
}

func (p Props) failures() widget {
	return p.graph("Refused (4xx) and failed (5xx) a minute", eachMinute,
		p.balancer("HTTPCode_Target_4XX_Count", "Sum").line("4xx of machines"),
		p.balancer("HTTPCode_Target_5XX_Count", "Sum").line("5xx of machines"),
		p.balancer("HTTPCode_ELB_4XX_Count", "Sum").line("4xx of the load balancer"),
		p.balancer("HTTPCode_ELB_5XX_Count", "Sum").line("5xx of the load balancer"),
	)
}

func (p Props) hosts() widget {
	g := p.graph("Machines that the load balancer sees", eachMinute,
		p.targets("HealthyHostCount", "Minimum").line("healthy"),
		p.targets("UnHealthyHostCount", "Maximum").line("unhealthy (or booting)"),
	)
	return g.marked("alarm: healthy below", float64(p.Min))
}

func (p Props) fleet() widget {
	g := p.graph("Machines of the fleet", eachMinute,
		p.group("GroupDesiredCapacity", "Maximum").line("wanted"),
		p.group("GroupInServiceInstances", "Minimum").line("in service"),
	)
	return g.marked("max", float64(p.Max))
}

func (p Props) load() widget {
	lines := []any{
		p.machines("CPUUtilization", "Average").line("CPU %, mean"),
		p.machines("CPUUtilization", "Maximum").line("CPU %, busiest"),
	}
	title := "CPU"
	if p.Burstable {
		title = "CPU and credits"
		lines = append(lines,
			p.machines("CPUCreditBalance", "Minimum").onTheRight("credits left, fewest"),
			p.machines("CPUSurplusCreditBalance", "Maximum").onTheRight("credits borrowed, most"),
			p.machines("CPUSurplusCreditsCharged", "Maximum").onTheRight("credits charged, most"),
		)
	}
	return p.graph(title, eachFiveMin, lines...)
}

func (p Props) bytes() widget {
	return p.graph("Bytes in the bucket, once a day", eachDay,
		p.stored("BucketSizeBytes", "StandardStorage").line("bytes, old versions too"),
	).since(rareDataSince)
}

func (p Props) objects() widget {
	return p.graph("Objects in the bucket, once a day", eachDay,
		p.stored("NumberOfObjects", "AllStorageTypes").line("objects, old versions too"),
	).since(rareDataSince)
}

func (p Props) stored(name, storage string) metric {
	return metric{"AWS/S3", name, "Average", map[string]*string{"BucketName": &p.Bucket, "StorageType": &storage}}
}

func (p Props) cost() widget {
	currency := "USD"
	charges := metric{"AWS/Billing", "EstimatedCharges", "Maximum", map[string]*string{"Currency": &currency}}
	w := p.graph("Cost of the account this month, USD", eachSixHours, charges.line("estimated")).since(rareDataSince)
	return w.in(billingRegion)
}

// lastErrors reads the machines' logs: what the server calls an error, and an installation that failed.
func (p Props) lastErrors() widget {
	return widget{Type: "log", Properties: logProperties{
		Title: "Last errors", Region: p.Region, View: "table",
		Query: fmt.Sprintf(`SOURCE '%s' | fields @timestamp, @logStream, @message | filter @message like /"level":"ERROR"|storaged install: failed/ | sort @timestamp desc | limit 20`,
			p.Project.LogGroup(machines)),
	}}
}

func (p Props) graph(title string, period int, lines ...any) widget {
	return widget{Type: "metric", Properties: graphProperties{
		Title: title, Region: p.Region, View: "timeSeries", Period: period, Metrics: lines,
	}}
}
