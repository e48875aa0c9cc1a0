package observe

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/cloudwatchdashboard"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/cloudwatchmetricalarm"

	"cloudstorage/infra/internal/alert"
	"cloudstorage/infra/internal/tf"
	"cloudstorage/infra/naming"
)

// Props are what the dashboard and the alarms need.
type Props struct {
	// Project names and tags every resource. Required.
	Project naming.Project
	// Region is where everything that is watched is. Required.
	Region string
	// Email gets the alarms, after a confirmation that AWS sends first. Required.
	Email string
	// BalancerARNSuffix and TargetGroupARNSuffix are the ends of the ARNs, by which CloudWatch knows the two. Required.
	BalancerARNSuffix, TargetGroupARNSuffix *string
	// GroupName is the running fleet's Auto Scaling group, which reports GroupDesiredCapacity and
	// GroupInServiceInstances. Required.
	GroupName *string
	// Bucket holds the users' files. Required.
	Bucket string
	// Min, Initial and Max are the fleet's size: 1 ≤ Min ≤ Initial ≤ Max. Initial is by default Min, the others are
	// required.
	Min, Initial, Max int
	// Boot is the longest that a new machine may take until the load balancer sees it healthy, in whole minutes; what
	// lasts no longer sends no alarm. Required: 1m to 1h.
	Boot time.Duration
	// Burstable says that the machines spend CPU credits (t3, t4g). Default false.
	Burstable bool
	// ErrorPercent is the share of 5xx answers above which an alarm is sent. Required: 1 to 100.
	ErrorPercent int
	// P95 is the time that 95 of 100 answers should take at most. Required: more than 0.
	P95 time.Duration
}

// Validate reports what could not be watched.
func (p Props) Validate() error {
	var errs []error
	if p.Region == "" || p.Bucket == "" {
		errs = append(errs, errors.New("observe: Region and Bucket are required"))
	}
	if !alert.IsEmail(p.Email) {
		errs = append(errs, fmt.Errorf("observe: %q is not an e-mail address: alarms need somebody to tell", p.Email))
	}
	if p.BalancerARNSuffix == nil || p.TargetGroupARNSuffix == nil || p.GroupName == nil {
		errs = append(errs, errors.New("observe: BalancerARNSuffix, TargetGroupARNSuffix and GroupName are required: give the balancer's and the fleet's"))
	}
	if p.Min < 1 || p.Min > p.initial() || p.initial() > p.Max {
		errs = append(errs, fmt.Errorf("observe: a fleet of %d to %d that starts at %d: give 1 ≤ min ≤ initial ≤ max", p.Min, p.Max, p.initial()))
	}
	if p.Boot < time.Minute || p.Boot > time.Hour || p.Boot%time.Minute != 0 {
		errs = append(errs, fmt.Errorf("observe: boot of %s: give whole minutes, 1m to 1h", p.Boot))
	}
	if p.ErrorPercent < 1 || p.ErrorPercent > 100 {
		errs = append(errs, fmt.Errorf("observe: alarm at %d%% errors: give 1 to 100", p.ErrorPercent))
	}
	if p.P95 <= 0 {
		errs = append(errs, fmt.Errorf("observe: alarm at a p95 of %s: give a time above 0", p.P95))
	}
	return errors.Join(errs...)
}

func (p Props) initial() int { return cmp.Or(p.Initial, p.Min) }

// Observe is the dashboard and the alarms.
type Observe struct {
	topic     alert.Topic
	dashboard cloudwatchdashboard.CloudwatchDashboard
	region    string
}

// New makes the dashboard, the alarms and the way to the mailbox:
//
//	metrics → alarms → topic → e-mail
//	metrics, logs → dashboard
//
// It panics where Validate would have said why.
func New(scope constructs.Construct, id string, p Props) *Observe {
	if err := p.Validate(); err != nil {
		panic(err)
	}
	within := constructs.NewConstruct(scope, jsii.String(id))
	o := &Observe{region: p.Region, topic: alert.New(within, alert.Props{
		Project: p.Project, Resource: "alarms", Region: p.Region, Email: p.Email,
	})}
	var alarms []cloudwatchmetricalarm.CloudwatchMetricAlarm
	for _, a := range p.alarms() {
		alarms = append(alarms, a.make(within, p.Project, o.topic.ARN()))
	}
	o.dashboard = cloudwatchdashboard.NewCloudwatchDashboard(within, jsii.String("dashboard"), &cloudwatchdashboard.CloudwatchDashboardConfig{
		DashboardName: jsii.String(p.Project.Name("dashboard")),
		DashboardBody: tf.JSON(p.board(alarms)),
	})
	return o
}

// TopicARN is a token for the topic of the alarms.
func (o *Observe) TopicARN() *string { return o.topic.ARN() }

// DashboardURL is where to look at the dashboard, in AWS's console.
func (o *Observe) DashboardURL() *string {
	return jsii.String(console(o.region) + *o.dashboard.DashboardName())
}

func console(region string) string {
	return "https://" + region + ".console.aws.amazon.com/cloudwatch/home?region=" + region + "#dashboards/dashboard/"
}
