package storage

import (
	"errors"
	"fmt"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"cloudstorage/infra/naming"
)

// Where each kind of log lies in the logs bucket. AWS itself adds AWSLogs/<account>/ to the last two.
const (
	BalancerLogsPrefix = "alb"
	FlowLogsPrefix     = "vpc"
)

// AccessLogsPrefix is where the access logs of a bucket lie.
func AccessLogsPrefix(bucket string) string { return "s3/" + bucket + "/" }

// logsUndoDays is how long a log that was deleted or has expired can be brought back: an intruder who clears the traces
// only hides them.
const logsUndoDays = 7

// LogsProps are what a logs bucket needs.
type LogsProps struct {
	// Project tags the bucket. Required.
	Project naming.Project
	// Name is the bucket's own, globally unique name. Required.
	Name string
	// AccountID is the account whose logs are let in. Required.
	AccountID *string
	// Days is how long logs are kept. Required.
	Days int
	// Buckets are the names of the buckets whose access logs are let in. Default: none.
	Buckets []string
	// Balancers lets in what load balancers of the account log, below BalancerLogsPrefix. Default false.
	Balancers bool
	// Flows lets in the flow logs of the account's networks, below FlowLogsPrefix. Default false.
	Flows bool
	// Emulated leaves out what an emulator lacks, as in Props. Default false.
	Emulated bool
}

// Validate reports what no logs bucket could be made of.
func (p LogsProps) Validate() error {
	var errs []error
	if err := p.Project.BucketName(p.Name); err != nil {
		errs = append(errs, fmt.Errorf("storage: logs: Name: %w", err))
	}
	if p.AccountID == nil {
		errs = append(errs, errors.New("storage: logs: AccountID is missing: logs of any account would be let in"))
	}
	if p.Days < 1 {
		errs = append(errs, fmt.Errorf("storage: logs: Days is %d: give 1 or more, since logs never stop growing", p.Days))
	}
	if len(p.Buckets) == 0 && !p.Balancers && !p.Flows {
		errs = append(errs, errors.New("storage: logs: nothing is let in: name Buckets, or set Balancers or Flows"))
	}
	for _, name := range p.Buckets {
		if name == p.Name {
			errs = append(errs, fmt.Errorf("storage: logs: Buckets names %q itself: its logs about its logs would never end", name))
		}
	}
	return errors.Join(errs...)
}

// Logs is a bucket that AWS's services write logs to.
type Logs struct{ name *string }

// NewLogs makes the bucket, as New does, for logs: encrypted by keys that S3 manages, since load balancers write to no
// other. It panics where Validate would have said why.
func NewLogs(scope constructs.Construct, id string, p LogsProps) *Logs {
	if err := p.Validate(); err != nil {
		panic(err)
	}
	within := constructs.NewConstruct(scope, jsii.String(id))
	props := Props{
		Project: p.Project, Resource: "logs", Name: p.Name, ExpireDays: p.Days, UndoDays: logsUndoDays, Emulated: p.Emulated,
	}
	b := newBucket(within, props)
	b.encrypt(within, props)
	return &Logs{name: b.admit(within, p.Emulated, writers(p, *b.bucket.Region()), refusals(props, "")).Bucket()}
}

// Name is a token for the bucket's name, known only when its policy lets the logs in: who turns logging on by it
// comes late enough.
func (l *Logs) Name() *string { return l.name }

// writers are the services that may write, each below its prefix and for our account only.
func writers(p LogsProps, region string) []statement {
	bucket := bucketARN(p.Name)
	ours := func(source string) map[string]map[string]values {
		return map[string]map[string]values{
			"StringEquals": {"aws:SourceAccount": {*p.AccountID}},
			"ArnLike":      {"aws:SourceArn": {source}},
		}
	}
	var statements []statement
	for i, name := range p.Buckets {
		// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
		statements = append(statements, statement{
			Sid: fmt.Sprintf("AccessLogs%d", i+1), Effect: "Allow", Principal: service("logging.s3.amazonaws.com"),
			Action: values{"s3:PutObject"}, Resource: values{bucket + "/" + AccessLogsPrefix(name) + "*"}, Condition: ours(bucketARN(name)),
		})
	}
	if p.Balancers {
		// The account in the path is the load balancer's. AWS documents no source condition for it: one that the
		// service does not send would lose every log without a word.
		// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
		statements = append(statements, statement{
			Sid: "BalancerLogs", Effect: "Allow", Principal: service("logdelivery.elasticloadbalancing.amazonaws.com"),
			Action: values{"s3:PutObject"}, Resource: values{bucket + "/" + BalancerLogsPrefix + "/AWSLogs/" + *p.AccountID + "/*"},
		})
	}
	if p.Flows {
		statements = append(statements, flowWriter(p, region, ours)...)
	}
	return statements
}

// flowWriter has the Sids and the conditions that AWS documents: statements that it does not recognise as its own it
// adds to the policy by itself when a flow log is made, and the next plan would take them out.
// Source: https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-permissions.html
func flowWriter(p LogsProps, region string, ours func(source string) map[string]map[string]values) []statement {
	source := "arn:aws:logs:" + region + ":" + *p.AccountID + ":*"
	write := ours(source)
	write["StringEquals"]["s3:x-amz-acl"] = values{"bucket-owner-full-control"}
	return []statement{
		{
			Sid: "AWSLogDeliveryWrite", Effect: "Allow", Principal: service("delivery.logs.amazonaws.com"),
			Action: values{"s3:PutObject"}, Resource: values{bucketARN(p.Name) + "/" + FlowLogsPrefix + "/AWSLogs/" + *p.AccountID + "/*"}, Condition: write,
		},
		{
			Sid: "AWSLogDeliveryAclCheck", Effect: "Allow", Principal: service("delivery.logs.amazonaws.com"),
			Action: values{"s3:GetBucketAcl", "s3:ListBucket"}, Resource: values{bucketARN(p.Name)}, Condition: ours(source),
		},
	}
}
