package stack_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/budget"
	"cloudstorage/infra/config"
	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/stack"
)

// accountWith synthesizes the shipped account.yaml after a change of its text.
func accountWith(t *testing.T, change *strings.Replacer) template.Template {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", "environments", "account.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	account, err := config.ParseAccount("account.yaml", []byte(change.Replace(string(source))))
	if err != nil {
		t.Fatal(err)
	}
	return template.Synth(t, func(app cdktf.App) { stack.NewAccount(app, account, stack.Target{}) })["account"]
}

func TestTheBillingAlarmIsMadeWhereChargesAreKnown(t *testing.T) {
	s := accountWith(t, strings.NewReplacer("billing_alarm: false", "billing_alarm: true"))
	for _, kind := range []string{"aws_sns_topic", "aws_sns_topic_policy", "aws_sns_topic_subscription", "aws_cloudwatch_metric_alarm"} {
		s.Only(kind).Wants(map[string]string{"provider": "aws.us-east-1"})
	}
	topic := s.Only("aws_sns_topic")
	s.Only("aws_cloudwatch_metric_alarm").Wants(map[string]string{
		"alarm_name": "module02-billing", "namespace": "AWS/Billing", "metric_name": "EstimatedCharges", "dimensions": "map[Currency:USD]",
		"statistic": "Maximum", "comparison_operator": "GreaterThanThreshold", "threshold": "1", "period": "21600", "evaluation_periods": "1",
		"treat_missing_data": "ignore", "alarm_actions": "[" + topic.Ref("arn") + "]",
	})
	if policy := s.Only("aws_sns_topic_policy").Get("policy").(string); !strings.Contains(policy, "arn:aws:cloudwatch:us-east-1:"+topic.Ref("owner")+":alarm:module02-*") {
		t.Errorf("the topic's policy is %s", policy)
	}
	if got := s.Value("provider.aws"); !strings.Contains(fmt.Sprint(got), "alias:us-east-1") || !strings.Contains(fmt.Sprint(got), "region:eu-west-1") {
		t.Errorf("providers: %v", got)
	}
	if s.Only("aws_budgets_budget").Get("provider") != nil {
		t.Error("the budget left its own region")
	}
}

func TestTheOtherProviderKeepsToTheSameAccount(t *testing.T) {
	s := accountWith(t, strings.NewReplacer("billing_alarm: false", "billing_alarm: true", "region: eu-west-1\n", "region: eu-west-1\naccount_id: \"111122223333\"\n"))
	if got := strings.Count(fmt.Sprint(s.Value("provider.aws")), "allowed_account_ids:[111122223333]"); got != 2 {
		t.Errorf("%d of 2 providers refuse another account: %v", got, s.Value("provider.aws"))
	}
}

func TestTheBillingAlarmIsAChoice(t *testing.T) {
	s := accountWith(t, strings.NewReplacer())
	for _, kind := range []string{"aws_cloudwatch_metric_alarm", "aws_sns_topic"} {
		if found := s.Resources(kind); len(found) != 0 {
			t.Errorf("the shipped account makes %d of %s", len(found), kind)
		}
	}
}

func TestABillingAlarmThatTellsNobodyIsRefused(t *testing.T) {
	err := budget.BillingAlarmProps{Project: project, Email: "nobody"}.Validate()
	for _, want := range []string{"limit of 0 USD is below 1", `"nobody" is not an e-mail address`, "the charges are known in us-east-1 only"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
