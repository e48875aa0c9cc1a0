package stack

import (
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/budget"
	"cloudstorage/infra/config"
	"cloudstorage/infra/storage"
)

// NewAccount makes "account": what an AWS account has once. Its own state stays local, since it makes the bucket that
// holds the others'.
func NewAccount(scope constructs.Construct, a *config.Account, target Target) cdktf.TerraformStack {
	account := base{
		name: config.AccountName, region: a.Region, account: a.AccountID, target: target,
		placeholders: texts(a.Placeholders()), initialise: "make init ENV=" + config.AccountName,
	}
	stack := newStack(scope, account)
	alert := budget.New(stack, "budget", budget.Props{
		Project: a.Project(), LimitUSD: a.Budget.LimitUSD, Email: a.Budget.Email, Silent: target.Emulator,
	})
	if a.Budget.BillingAlarm {
		alarm := budget.NewBillingAlarm(stack, "billing-alarm", budget.BillingAlarmProps{
			Project: a.Project(), LimitUSD: a.Budget.LimitUSD, Email: a.Budget.Email,
			Provider: account.providerIn(stack, budget.BillingRegion),
		})
		output(stack, "billing_topic_arn", "The topic of the billing alarm", alarm.TopicARN())
	}
	state := storage.New(stack, "state", storage.Props{
		Project: a.Project(), Resource: "state", Name: a.State.Bucket, Emulated: target.Emulator,
	})
	output(stack, "budget_name", "The budget that sends the alert", alert.Name())
	output(stack, "state_bucket_name", "The bucket for Terraform's remote state", state.Name())
	return stack
}
