// Package alert makes the topic by which CloudWatch's alarms reach a mailbox, for the construct packages.
package alert

import (
	"regexp"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/snstopic"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/snstopicpolicy"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/snstopicsubscription"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/internal/tf"
	"cloudstorage/infra/naming"
)

// Props are what a topic needs.
type Props struct {
	Project  naming.Project
	Resource string // what the topic is in its name
	Region   string // where the topic and its alarms are
	Email    string
	Provider cdktf.TerraformProvider // of another region than the stack's; nil is the stack's
}

// Topic is a topic with one mailbox.
type Topic struct{ topic snstopic.SnsTopic }

// New makes the topic, its policy and its subscription. AWS sends the mailbox a confirmation first; until it is
// answered, alarms are delivered nowhere.
//
// The topic has no key of KMS: CloudWatch's alarms cannot publish to a topic under the key that AWS manages for SNS,
// and a key of the account's own costs more a month than all alarms, to hide for a moment what leaves by e-mail.
// Source: https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns
func New(within constructs.Construct, p Props) Topic {
	t := Topic{snstopic.NewSnsTopic(within, jsii.String("topic"), &snstopic.SnsTopicConfig{
		Name:     jsii.String(p.Project.Name(p.Resource)),
		Tags:     tf.Tags(p.Project.Tags(p.Resource)),
		Provider: p.Provider,
	})}
	snstopicpolicy.NewSnsTopicPolicy(within, jsii.String("policy"), &snstopicpolicy.SnsTopicPolicyConfig{
		Arn:      t.topic.Arn(),
		Policy:   tf.JSON(t.alarmsOnly(p)),
		Provider: p.Provider,
	})
	snstopicsubscription.NewSnsTopicSubscription(within, jsii.String("email"), &snstopicsubscription.SnsTopicSubscriptionConfig{
		TopicArn: t.topic.Arn(),
		Protocol: jsii.String("email"),
		Endpoint: jsii.String(p.Email),
		Provider: p.Provider,
	})
	return t
}

// ARN is a token for what alarms publish to.
func (t Topic) ARN() *string { return t.topic.Arn() }

type document struct {
	Version   string
	Statement []statement
}

type statement struct {
	Sid       string
	Effect    string
	Principal map[string]string
	Action    string
	Resource  *string
	Condition map[string]map[string]string
}

// alarmsOnly lets this project's alarms publish, and nobody else: not even other principals of the account, which the
// policy that SNS gives a new topic would let in. The topic's owner is the account.
func (t Topic) alarmsOnly(p Props) document {
	account := *t.topic.Owner()
	return document{Version: "2012-10-17", Statement: []statement{{
		Sid: "AlarmsOfTheProject", Effect: "Allow", Principal: map[string]string{"Service": "cloudwatch.amazonaws.com"},
		Action: "sns:Publish", Resource: t.topic.Arn(),
		Condition: map[string]map[string]string{
			"StringEquals": {"aws:SourceAccount": account},
			"ArnLike":      {"aws:SourceArn": "arn:aws:cloudwatch:" + p.Region + ":" + account + ":alarm:" + p.Project.Name("*")},
		},
	}}}
}

var email = regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)

// IsEmail reports whether a mailbox has that address.
func IsEmail(address string) bool { return email.MatchString(address) }
