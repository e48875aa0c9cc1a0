package traffic

import (
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/lb"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/wafv2webacl"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/wafv2webaclassociation"

	"cloudstorage/infra/internal/tf"
)

// tooManyRequests is what an address gets that asks too often: clients know that they should slow down.
const tooManyRequests = 429

// rateWindowSeconds is the time over which an address's requests are counted.
const rateWindowSeconds = 300

// guard puts a web application firewall before the balancer. What no rule blocks goes on.
func guard(within constructs.Construct, p Props, balancer lb.Lb) {
	// The whole tree of a rule's statement is one JSON-like value, because it may nest.
	rate := map[string]any{"rate_based_statement": map[string]any{
		"limit": p.WAF.RequestsPer5Minutes, "aggregate_key_type": "IP", "evaluation_window_sec": rateWindowSeconds,
	}}
	rules := []*wafv2webacl.Wafv2WebAclRule{
		rule(p, 0, "rate", rate),
		rule(p, 1, "known-bad-inputs", managed("AWSManagedRulesKnownBadInputsRuleSet")),
		rule(p, 2, "common", managed("AWSManagedRulesCommonRuleSet")),
	}
	rules[0].Action = &wafv2webacl.Wafv2WebAclRuleAction{Block: &wafv2webacl.Wafv2WebAclRuleActionBlock{
		CustomResponse: &wafv2webacl.Wafv2WebAclRuleActionBlockCustomResponse{ResponseCode: jsii.Number(tooManyRequests)},
	}}
	rules[1].OverrideAction = &wafv2webacl.Wafv2WebAclRuleOverrideAction{None: &wafv2webacl.Wafv2WebAclRuleOverrideActionNone{}}
	// These would block good names, such as those that end in .log: they count only, for whoever looks at the metrics.
	rules[2].OverrideAction = &wafv2webacl.Wafv2WebAclRuleOverrideAction{Count: &wafv2webacl.Wafv2WebAclRuleOverrideActionCount{}}
	acl := wafv2webacl.NewWafv2WebAcl(within, jsii.String("waf"), &wafv2webacl.Wafv2WebAclConfig{
		Name:          jsii.String(p.Project.Name("waf")),
		Description:   jsii.String("Before the load balancer of the storage API"),
		Scope:         jsii.String("REGIONAL"),
		DefaultAction: &wafv2webacl.Wafv2WebAclDefaultAction{Allow: &wafv2webacl.Wafv2WebAclDefaultActionAllow{}},
		Rule:          &rules,
		VisibilityConfig: &wafv2webacl.Wafv2WebAclVisibilityConfig{
			CloudwatchMetricsEnabled: jsii.Bool(true),
			SampledRequestsEnabled:   jsii.Bool(false),
			MetricName:               jsii.String(p.Project.Name("waf")),
		},
		Tags: tf.Tags(p.Project.Tags("waf")),
	})
	wafv2webaclassociation.NewWafv2WebAclAssociation(within, jsii.String("waf-association"), &wafv2webaclassociation.Wafv2WebAclAssociationConfigA{
		ResourceArn: balancer.Arn(),
		WebAclArn:   acl.Arn(),
	})
}

// rule is a rule without its action. Requests are counted, never sampled: a sample would show the Authorization header,
// so the caller's key, to whoever may read samples.
// Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_VisibilityConfig.html
func rule(p Props, priority int, name string, statement map[string]any) *wafv2webacl.Wafv2WebAclRule {
	return &wafv2webacl.Wafv2WebAclRule{
		Name:      jsii.String(name),
		Priority:  jsii.Number(priority),
		Statement: statement,
		VisibilityConfig: &wafv2webacl.Wafv2WebAclRuleVisibilityConfig{
			CloudwatchMetricsEnabled: jsii.Bool(true),
			SampledRequestsEnabled:   jsii.Bool(false),
			MetricName:               jsii.String(p.Project.Name("waf-" + name)),
		},
	}
}

// managed is a group of rules that AWS writes and keeps.
// Source: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
func managed(group string) map[string]any {
	return map[string]any{"managed_rule_group_statement": map[string]any{"vendor_name": "AWS", "name": group}}
}
