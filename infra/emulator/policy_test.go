package emulator

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// managedPolicyLimit is how many characters a managed policy may have, white space not counted.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const managedPolicyLimit = 6144

// The policies of whoever deploys: what account, single and module02 need, and what production and the choices of any
// environment need besides.
const (
	basePolicy       = "deployer-policy.json"
	productionPolicy = "deployer-production-policy.json"
)

// deployerPolicy is what one or several of them allow.
type deployerPolicy struct {
	Statement []struct {
		Sid, Effect      string
		Action, Resource texts
		Condition        map[string]map[string]texts
	}
}

// texts is one string or several, as IAM writes them.
type texts []string

func (t *texts) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(t))
}

// match tells whether one of the patterns stands for value; IAM's * stands for slashes too.
func (t texts) match(value string) bool {
	return slices.ContainsFunc(t, func(pattern string) bool {
		return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$").MatchString(value)
	})
}

func readDeployerPolicy(t *testing.T, root string, names ...string) deployerPolicy {
	t.Helper()
	var all deployerPolicy
	for _, name := range names {
		var p deployerPolicy
		if err := json.Unmarshal(readDeployerText(t, root, name), &p); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all.Statement = append(all.Statement, p.Statement...)
	}
	return all
}

func readDeployerText(t *testing.T, root, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// allows evaluates the policy, which only allows. A condition needs its key, except Null, which says whether there is
// one.
func (p deployerPolicy) allows(r right) bool {
	for _, s := range p.Statement {
		if !s.Action.match(r.action) || !s.Resource.match(r.resource) {
			continue
		}
		met := true
		for operator, keys := range s.Condition {
			for key, values := range keys {
				given := r.context[key] != ""
				if operator == "Null" {
					met = met && values.match(strconv.FormatBool(!given))
				} else {
					met = met && given && values.match(r.context[key])
				}
			}
		}
		if met {
			return true
		}
	}
	return false
}

// grants tells whether any statement names the action, whatever it limits it to.
func (p deployerPolicy) grants(action string) bool {
	for _, s := range p.Statement {
		if s.Action.match(action) {
			return true
		}
	}
	return false
}

// lookedUp is what reads, and AWS limits to no resource.
var lookedUp = []string{"sts:GetCallerIdentity", "route53:ListHostedZones"}

func TestTheDeployersPoliciesFitAndAreNarrow(t *testing.T) {
	t.Parallel()
	for _, file := range []string{basePolicy, productionPolicy} {
		text := string(readDeployerText(t, projectRoot, file))
		if size := len(strings.Join(strings.Fields(text), "")); size > managedPolicyLimit {
			t.Errorf("%s: %d characters, more than the %d of a managed policy", file, size, managedPolicyLimit)
		}
		for _, s := range readDeployerPolicy(t, projectRoot, file).Statement {
			if s.Effect != "Allow" {
				t.Errorf("%s: %s: the tests evaluate Allow only", s.Sid, s.Effect)
			}
			for _, action := range s.Action {
				service, name, _ := strings.Cut(action, ":")
				if strings.Contains(service, "*") || strings.Contains(name, "*") && name != "Describe*" {
					t.Errorf("%s: %s: a wildcard stands only for what reads", s.Sid, action)
				}
				everywhere := slices.Contains(s.Resource, "*") && len(s.Condition) == 0
				if everywhere && name != "Describe*" && !slices.Contains(lookedUp, action) {
					t.Errorf("%s: %s on everything, without a condition", s.Sid, action)
				}
			}
			for _, resource := range s.Resource {
				if strings.HasPrefix(resource, "arn:aws:s3:::") && !strings.HasPrefix(resource, "arn:aws:s3:::module02-") {
					t.Errorf("%s: buckets of others: %s", s.Sid, resource)
				}
			}
		}
	}
}

// resourceActions are what making, reading, changing and removing a resource of a type takes, on AWS.
var resourceActions = map[string]string{
	"aws_acm_certificate":              "acm:RequestCertificate acm:DescribeCertificate acm:ListTagsForCertificate acm:AddTagsToCertificate acm:RemoveTagsFromCertificate acm:DeleteCertificate",
	"aws_acm_certificate_validation":   "acm:DescribeCertificate",
	"aws_autoscaling_group":            "autoscaling:CreateAutoScalingGroup autoscaling:DescribeAutoScalingGroups autoscaling:DescribeScalingActivities autoscaling:UpdateAutoScalingGroup autoscaling:CreateOrUpdateTags autoscaling:DeleteTags autoscaling:EnableMetricsCollection autoscaling:DisableMetricsCollection autoscaling:DeleteAutoScalingGroup ec2:RunInstances ec2:CreateTags iam:PassRole iam:CreateServiceLinkedRole elasticloadbalancing:DescribeTargetHealth",
	"aws_autoscaling_policy":           "autoscaling:PutScalingPolicy autoscaling:DescribePolicies autoscaling:DeletePolicy",
	"aws_autoscaling_schedule":         "autoscaling:PutScheduledUpdateGroupAction autoscaling:DescribeScheduledActions autoscaling:DeleteScheduledAction",
	"aws_budgets_budget":               "budgets:ModifyBudget budgets:ViewBudget budgets:TagResource budgets:UntagResource budgets:ListTagsForResource",
	"aws_caller_identity":              "sts:GetCallerIdentity",
	"aws_default_security_group":       "ec2:DescribeSecurityGroups ec2:RevokeSecurityGroupEgress ec2:RevokeSecurityGroupIngress ec2:CreateTags ec2:DeleteTags",
	"aws_eip":                          "ec2:AllocateAddress ec2:DescribeAddresses ec2:DescribeAddressesAttribute ec2:DisassociateAddress ec2:ReleaseAddress ec2:CreateTags ec2:DeleteTags",
	"aws_flow_log":                     "ec2:CreateFlowLogs ec2:DescribeFlowLogs ec2:DeleteFlowLogs ec2:CreateTags ec2:DeleteTags logs:CreateLogDelivery logs:DeleteLogDelivery",
	"aws_cloudwatch_dashboard":         "cloudwatch:PutDashboard cloudwatch:GetDashboard cloudwatch:DeleteDashboards",
	"aws_cloudwatch_log_group":         "logs:CreateLogGroup logs:DescribeLogGroups logs:PutRetentionPolicy logs:ListTagsForResource logs:TagResource logs:UntagResource logs:DeleteLogGroup",
	"aws_cloudwatch_metric_alarm":      "cloudwatch:PutMetricAlarm cloudwatch:DescribeAlarms cloudwatch:ListTagsForResource cloudwatch:TagResource cloudwatch:UntagResource cloudwatch:DeleteAlarms",
	"aws_iam_instance_profile":         "iam:CreateInstanceProfile iam:GetInstanceProfile iam:AddRoleToInstanceProfile iam:RemoveRoleFromInstanceProfile iam:TagInstanceProfile iam:UntagInstanceProfile iam:DeleteInstanceProfile iam:PassRole",
	"aws_iam_policy":                   "iam:CreatePolicy iam:GetPolicy iam:GetPolicyVersion iam:ListPolicyVersions iam:CreatePolicyVersion iam:DeletePolicyVersion iam:TagPolicy iam:UntagPolicy iam:DeletePolicy",
	"aws_iam_role":                     "iam:CreateRole iam:GetRole iam:UpdateRole iam:UpdateAssumeRolePolicy iam:UpdateRoleDescription iam:ListRolePolicies iam:ListAttachedRolePolicies iam:ListInstanceProfilesForRole iam:TagRole iam:UntagRole iam:DeleteRole",
	"aws_iam_role_policy_attachment":   "iam:AttachRolePolicy iam:ListAttachedRolePolicies iam:DetachRolePolicy",
	"aws_instance":                     "ec2:RunInstances ec2:CreateTags ec2:DeleteTags ec2:DescribeInstances ec2:DescribeInstanceTypes ec2:DescribeInstanceAttribute ec2:DescribeInstanceCreditSpecifications ec2:DescribeVolumes ec2:ModifyInstanceAttribute ec2:ModifyInstanceMetadataOptions ec2:StopInstances ec2:StartInstances ec2:TerminateInstances iam:PassRole",
	"aws_internet_gateway":             "ec2:CreateInternetGateway ec2:AttachInternetGateway ec2:DescribeInternetGateways ec2:DetachInternetGateway ec2:DeleteInternetGateway",
	"aws_key_pair":                     "ec2:ImportKeyPair ec2:DescribeKeyPairs ec2:DeleteKeyPair",
	"aws_kms_alias":                    "kms:CreateAlias kms:ListAliases kms:DescribeKey kms:UpdateAlias kms:DeleteAlias",
	"aws_kms_key":                      "kms:CreateKey kms:DescribeKey kms:GetKeyPolicy kms:GetKeyRotationStatus kms:ListResourceTags kms:EnableKeyRotation kms:PutKeyPolicy kms:UpdateKeyDescription kms:TagResource kms:UntagResource kms:ScheduleKeyDeletion",
	"aws_launch_template":              "ec2:CreateLaunchTemplate ec2:CreateLaunchTemplateVersion ec2:ModifyLaunchTemplate ec2:DescribeLaunchTemplates ec2:DescribeLaunchTemplateVersions ec2:DeleteLaunchTemplate",
	"aws_lb":                           "elasticloadbalancing:CreateLoadBalancer elasticloadbalancing:DescribeLoadBalancers elasticloadbalancing:DescribeLoadBalancerAttributes elasticloadbalancing:ModifyLoadBalancerAttributes elasticloadbalancing:SetSecurityGroups elasticloadbalancing:SetSubnets elasticloadbalancing:AddTags elasticloadbalancing:RemoveTags elasticloadbalancing:DescribeTags elasticloadbalancing:DeleteLoadBalancer ec2:DescribeNetworkInterfaces iam:CreateServiceLinkedRole",
	"aws_lb_listener":                  "elasticloadbalancing:CreateListener elasticloadbalancing:DescribeListeners elasticloadbalancing:DescribeListenerAttributes elasticloadbalancing:ModifyListener elasticloadbalancing:ModifyListenerAttributes elasticloadbalancing:DeleteListener",
	"aws_lb_target_group":              "elasticloadbalancing:CreateTargetGroup elasticloadbalancing:DescribeTargetGroups elasticloadbalancing:DescribeTargetGroupAttributes elasticloadbalancing:ModifyTargetGroup elasticloadbalancing:ModifyTargetGroupAttributes elasticloadbalancing:DeleteTargetGroup",
	"aws_route53_record":               "route53:ChangeResourceRecordSets route53:GetChange route53:GetHostedZone route53:ListResourceRecordSets",
	"aws_route53_zone":                 "route53:ListHostedZones route53:GetHostedZone route53:ListTagsForResource",
	"aws_nat_gateway":                  "ec2:CreateNatGateway ec2:DescribeNatGateways ec2:DeleteNatGateway ec2:CreateTags ec2:DeleteTags",
	"aws_route_table":                  "ec2:CreateRouteTable ec2:CreateRoute ec2:DescribeRouteTables ec2:DeleteRoute ec2:DeleteRouteTable",
	"aws_route_table_association":      "ec2:AssociateRouteTable ec2:ReplaceRouteTableAssociation ec2:DisassociateRouteTable",
	"aws_s3_bucket":                    "s3:CreateBucket s3:ListBucket s3:GetBucketPolicy s3:GetBucketAcl s3:GetBucketCORS s3:GetBucketWebsite s3:GetBucketVersioning s3:GetAccelerateConfiguration s3:GetBucketRequestPayment s3:GetBucketLogging s3:GetLifecycleConfiguration s3:GetReplicationConfiguration s3:GetEncryptionConfiguration s3:GetBucketObjectLockConfiguration s3:GetBucketTagging s3:PutBucketTagging s3:DeleteBucket s3:ListBucketVersions s3:DeleteObject s3:DeleteObjectVersion",
	"aws_s3_bucket_cors_configuration": "s3:PutBucketCORS s3:GetBucketCORS",
	"aws_s3_bucket_logging":            "s3:PutBucketLogging s3:GetBucketLogging",
	"aws_s3_bucket_ownership_controls": "s3:PutBucketOwnershipControls s3:GetBucketOwnershipControls",
	"aws_s3_bucket_policy":             "s3:PutBucketPolicy s3:GetBucketPolicy s3:DeleteBucketPolicy",
	"aws_s3_bucket_versioning":         "s3:PutBucketVersioning s3:GetBucketVersioning",
	"aws_s3_object":                    "s3:PutObject s3:PutObjectTagging s3:GetObject s3:GetObjectTagging s3:ListBucketVersions s3:DeleteObject s3:DeleteObjectVersion kms:Decrypt kms:GenerateDataKey",
	"aws_security_group":               "ec2:CreateSecurityGroup ec2:DescribeSecurityGroups ec2:RevokeSecurityGroupEgress ec2:DescribeNetworkInterfaces ec2:DeleteSecurityGroup",
	"aws_sns_topic":                    "sns:CreateTopic sns:GetTopicAttributes sns:SetTopicAttributes sns:ListTagsForResource sns:TagResource sns:UntagResource sns:DeleteTopic",
	"aws_sns_topic_policy":             "sns:GetTopicAttributes sns:SetTopicAttributes",
	"aws_sns_topic_subscription":       "sns:Subscribe sns:GetSubscriptionAttributes sns:Unsubscribe",
	"aws_ssm_parameter":                "ssm:GetParameter",
	"aws_subnet":                       "ec2:CreateSubnet ec2:DescribeSubnets ec2:ModifySubnetAttribute ec2:DeleteSubnet",
	"aws_vpc":                          "ec2:CreateVpc ec2:CreateTags ec2:DeleteTags ec2:DescribeVpcs ec2:DescribeVpcAttribute ec2:DescribeNetworkAcls ec2:DescribeRouteTables ec2:DescribeSecurityGroups ec2:ModifyVpcAttribute ec2:DeleteVpc",
	"aws_wafv2_web_acl":                "wafv2:CreateWebACL wafv2:GetWebACL wafv2:UpdateWebACL wafv2:ListTagsForResource wafv2:TagResource wafv2:UntagResource wafv2:DeleteWebACL",
	"aws_wafv2_web_acl_association":    "wafv2:AssociateWebACL wafv2:GetWebACLForResource wafv2:DisassociateWebACL elasticloadbalancing:SetWebAcl elasticloadbalancing:CreateWebACLAssociation elasticloadbalancing:DeleteWebACLAssociation elasticloadbalancing:GetLoadBalancerWebACL",
	"aws_vpc_endpoint":                 "ec2:CreateVpcEndpoint ec2:DescribeVpcEndpoints ec2:DescribePrefixLists ec2:ModifyVpcEndpoint ec2:DeleteVpcEndpoints ec2:CreateTags ec2:DeleteTags",

	"aws_s3_bucket_lifecycle_configuration":              "s3:PutLifecycleConfiguration s3:GetLifecycleConfiguration",
	"aws_s3_bucket_public_access_block":                  "s3:PutBucketPublicAccessBlock s3:GetBucketPublicAccessBlock",
	"aws_s3_bucket_server_side_encryption_configuration": "s3:PutEncryptionConfiguration s3:GetEncryptionConfiguration",
	"aws_vpc_security_group_egress_rule":                 "ec2:AuthorizeSecurityGroupEgress ec2:DescribeSecurityGroupRules ec2:ModifySecurityGroupRules ec2:RevokeSecurityGroupEgress",
	"aws_vpc_security_group_ingress_rule":                "ec2:AuthorizeSecurityGroupIngress ec2:DescribeSecurityGroupRules ec2:ModifySecurityGroupRules ec2:RevokeSecurityGroupIngress",
}

func TestTheDeployersPoliciesCoverEveryResourceType(t *testing.T) {
	t.Parallel()
	both := []string{basePolicy, productionPolicy}
	for environment, files := range map[string][]string{
		"account": {basePolicy}, "single": {basePolicy}, "module02": {basePolicy}, "local": both, "production": both,
	} {
		policy := readDeployerPolicy(t, projectRoot, files...)
		for _, kind := range typesOf(t, environment) {
			actions := strings.Fields(resourceActions[kind])
			if len(actions) == 0 {
				t.Errorf("%s is new: say in this test what it needs of AWS, and grant that in one of the policies", kind)
			}
			for _, action := range actions {
				if !policy.grants(action) {
					t.Errorf("%s: %s needs %s, which %s does not grant", environment, kind, action, strings.Join(files, " and "))
				}
			}
		}
	}
}

// No shipped environment chooses these: what they need is granted all the same.
func TestTheDeployersPoliciesCoverEveryChoice(t *testing.T) {
	t.Parallel()
	policy := readDeployerPolicy(t, projectRoot, basePolicy, productionPolicy)
	for _, kind := range slices.Sorted(maps.Keys(resourceActions)) {
		for action := range strings.FieldsSeq(resourceActions[kind]) {
			if !policy.grants(action) {
				t.Errorf("%s needs %s, which no policy grants", kind, action)
			}
		}
	}
}

// typesOf are the types of all that an environment's golden stacks hold.
func typesOf(t *testing.T, environment string) []string {
	t.Helper()
	goldens, err := filepath.Glob(filepath.Join(projectRoot, "infra", "stack", "testdata", "aws", environment+"*.json"))
	if err != nil || len(goldens) == 0 {
		t.Fatalf("%d synthesized stacks of %s (%v)", len(goldens), environment, err)
	}
	types := map[string]bool{}
	for _, golden := range goldens {
		tree := readTree(t, golden)
		for _, section := range []string{"resource", "data"} {
			if of, ok := tree[section].(map[string]any); ok {
				for kind := range of {
					types[kind] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(types))
}
