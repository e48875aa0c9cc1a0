package observe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/cloudwatchloggroup"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/internal/tf"
	"cloudstorage/infra/naming"
)

// machines names the group that the machines' agents write to; they know it by its name alone.
const machines = "machines"

// retentions are the only numbers of days that CloudWatch keeps logs for.
// Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var retentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// LogsProps are what a group of logs needs.
type LogsProps struct {
	// Project names and tags the group. Required.
	Project naming.Project
	// Days is how long a line is kept: a number of days that CloudWatch knows. Required.
	Days int
}

// Validate reports what no group of logs could be made of.
func (p LogsProps) Validate() error {
	if !slices.Contains(retentions, p.Days) {
		known := strings.Trim(strings.ReplaceAll(fmt.Sprint(retentions), " ", ", "), "[]")
		return fmt.Errorf("observe: logs of %d days: CloudWatch keeps them for %s days", p.Days, known)
	}
	return nil
}

// Logs is the group that the machines' logs go to, a stream for each machine.
type Logs struct {
	group cloudwatchloggroup.CloudwatchLogGroup
}

// NewLogs makes the group. CloudWatch encrypts it with a key that AWS owns; a key of the account's own would cost a
// dollar a month and guard nothing more from whoever may read logs.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
//
// It panics where Validate would have said why.
func NewLogs(scope constructs.Construct, id string, p LogsProps) *Logs {
	if err := p.Validate(); err != nil {
		panic(err)
	}
	within := constructs.NewConstruct(scope, jsii.String(id))
	return &Logs{group: cloudwatchloggroup.NewCloudwatchLogGroup(within, jsii.String(machines), &cloudwatchloggroup.CloudwatchLogGroupConfig{
		Name:            jsii.String(p.Project.LogGroup(machines)),
		RetentionInDays: jsii.Number(p.Days),
		Tags:            tf.Tags(p.Project.Tags("logs")),
	})}
}

// Name is a token for the group's name.
func (l *Logs) Name() *string { return l.group.Name() }

// ARN is a token for the group's ARN; that of its streams is it and ":log-stream:*".
func (l *Logs) ARN() *string { return l.group.Arn() }

// Ready is what must exist before a machine writes its first line.
func (l *Logs) Ready() cdktf.ITerraformDependable { return l.group }
