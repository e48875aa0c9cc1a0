package budget

import (
	"errors"
	"fmt"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/cloudwatchmetricalarm"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/internal/alert"
	"cloudstorage/infra/internal/tf"
	"cloudstorage/infra/naming"
)

// BillingRegion is the only one in which CloudWatch knows what the account costs, wherever it is spent.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/monitor_estimated_charges_with_cloudwatch.html
const BillingRegion = "us-east-1"

// chargesSeconds is how long an estimate stands before AWS makes the next.
const chargesSeconds = 6 * 60 * 60

// BillingAlarmProps are what a billing alarm needs.
type BillingAlarmProps struct {
	// Project names and tags the alarm and its topic. Required.
	Project naming.Project
	// LimitUSD is the month's limit in US dollars. Required: 1 or more.
	LimitUSD int
	// Email is told when the month's estimated charges pass the limit, after a confirmation. Required.
	Email string
	// Provider makes things in BillingRegion. Required.
	Provider cdktf.TerraformProvider
}

// Validate reports what no useful alarm could be made of.
func (p BillingAlarmProps) Validate() error {
	err := validate(p.LimitUSD, p.Email)
	if p.Provider == nil {
		err = errors.Join(err, fmt.Errorf("budget: Provider is missing: the charges are known in %s only", BillingRegion))
	}
	return err
}

// BillingAlarm is an alarm on what the account costs this month.
type BillingAlarm struct{ topic alert.Topic }

// NewBillingAlarm makes the alarm and the way to the mailbox. Without "Receive CloudWatch billing alerts", which
// somebody turns on once by hand, there are no charges to watch and the alarm keeps silent. It panics where Validate
// would have said why.
func NewBillingAlarm(scope constructs.Construct, id string, p BillingAlarmProps) *BillingAlarm {
	if err := p.Validate(); err != nil {
		panic(err)
	}
	within := constructs.NewConstruct(scope, jsii.String(id))
	b := &BillingAlarm{alert.New(within, alert.Props{
		Project: p.Project, Resource: "billing", Region: BillingRegion, Email: p.Email, Provider: p.Provider,
	})}
	cloudwatchmetricalarm.NewCloudwatchMetricAlarm(within, jsii.String("charges"), &cloudwatchmetricalarm.CloudwatchMetricAlarmConfig{
		AlarmName: jsii.String(p.Project.Name("billing")),
		AlarmDescription: jsii.String(fmt.Sprintf("The account's estimated charges of this month have passed %d USD. "+
			"See Cost Explorer, grouped by service, for what is new; `make destroy ENV=<name>` ends what an environment costs, but for its buckets.", p.LimitUSD)),
		Namespace:          jsii.String("AWS/Billing"),
		MetricName:         jsii.String("EstimatedCharges"),
		Dimensions:         &map[string]*string{"Currency": jsii.String("USD")},
		Statistic:          jsii.String("Maximum"),
		ComparisonOperator: jsii.String("GreaterThanThreshold"),
		Threshold:          jsii.Number(p.LimitUSD),
		Period:             jsii.Number(chargesSeconds),
		EvaluationPeriods:  jsii.Number(1),
		// An estimate that is late changes nothing: the alarm would end and begin again, with an e-mail each.
		TreatMissingData: jsii.String("ignore"),
		AlarmActions:     &[]*string{b.topic.ARN()},
		Tags:             tf.Tags(p.Project.Tags("billing")),
		Provider:         p.Provider,
	})
	return b
}

// TopicARN is a token for the topic of the alarm.
func (b *BillingAlarm) TopicARN() *string { return b.topic.ARN() }
