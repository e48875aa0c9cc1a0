package stack_test

import (
	"testing"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/provider"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/budget"
	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/naming"
)

// example:
// NewAlerts tells a mailbox twice about 20 USD: by AWS Budgets, and by CloudWatch, which knows charges in us-east-1 only.
func NewAlerts(scope constructs.Construct, project naming.Project, email string) {
	budget.New(scope, "budget", budget.Props{Project: project, LimitUSD: 20, Email: email})
	budget.NewBillingAlarm(scope, "billing-alarm", budget.BillingAlarmProps{
		Project: project, LimitUSD: 20, Email: email,
		Provider: provider.NewAwsProvider(scope, jsii.String("billing"), &provider.AwsProviderConfig{
			Region: jsii.String(budget.BillingRegion), Alias: jsii.String("billing"),
		}),
	})
}

// end of example

func TestTheExampleOfBudget(t *testing.T) {
	showsExample(t, "docs/constructs/budget.md", "example_budget_test.go")
	s := template.One(t, func(stack cdktf.TerraformStack) { NewAlerts(stack, project, "ops@example.org") })
	s.Only("aws_budgets_budget").Wants(map[string]string{"limit_amount": "20", "provider": "<nil>"})
	s.Only("aws_cloudwatch_metric_alarm").Wants(map[string]string{"threshold": "20", "provider": "aws.billing"})
	s.Only("aws_sns_topic_subscription").Wants(map[string]string{"endpoint": "ops@example.org", "provider": "aws.billing"})
}
