package stack_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"cloudstorage/infra/bootstrap"
	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/stack"
)

// The exercises' facts, in their order. Each test is a line or two of what they fix; module02 holds them all, single
// holds those up to ex08.

func TestContract(t *testing.T) {
	stacks := shipped(t, stack.Target{})
	api, storage, account := stacks["module02-api"], stacks["module02-storage"], stacks["account"]
	single := stacks["single-api"]
	on := func(name string, test func(t *testing.T)) { t.Run(name, test) }

	on("the region is eu-west-1 everywhere", func(t *testing.T) {
		for name, s := range stacks {
			if got := fmt.Sprint(s.Value("provider.aws.region")); got != "eu-west-1" {
				t.Errorf("%s: %s", name, got)
			}
		}
	})
	on("every taggable resource is named after the project", func(t *testing.T) { everyResourceIsTagged(t, stacks) })
	on("ex00: a budget alerts by e-mail above 1 USD", func(*testing.T) {
		budget := account.Only("aws_budgets_budget")
		budget.Wants(map[string]string{
			"limit_amount": "1", "limit_unit": "USD", "time_unit": "MONTHLY", "budget_type": "COST",
			"notification.0.notification_type": "ACTUAL", "notification.0.comparison_operator": "GREATER_THAN",
			"notification.0.threshold": "1", "notification.0.threshold_type": "ABSOLUTE_VALUE",
			"notification.0.subscriber_email_addresses": "[you@example.com]", "notification.1.notification_type": "FORECASTED",
		})
	})
	on("ex01: the data bucket can't be destroyed and is no part of the compute stack", func(t *testing.T) {
		storage.Only("aws_s3_bucket").Wants(map[string]string{
			"bucket": "module02-0000000000", "lifecycle.prevent_destroy": "true", "force_destroy": "<nil>", "tags.Name": "module02-bucket",
		})
		if found := api.Resources("aws_s3_bucket"); len(found) != 0 {
			t.Errorf("the api stack makes buckets: %v", found)
		}
	})
	on("ex02, ex08: one instance with a key pair and a public address in the default VPC", func(t *testing.T) {
		instance := single.Only("aws_instance")
		instance.Wants(map[string]string{
			"instance_type": "t3.micro", "associate_public_ip_address": "true", "user_data_replace_on_change": "true",
			"key_name": single.Only("aws_key_pair").Ref("key_name"), "subnet_id": "<nil>",
		})
		single.Only("aws_key_pair").Wants(map[string]string{"key_name": "module02", "public_key": publicKey})
		single.Data("aws_vpc")[0].Wants(map[string]string{"default": "true"})
		if got := single.Output("public_ip"); got != instance.Ref("public_ip") {
			t.Errorf("public_ip is %v", got)
		}
	})
	on("ex06: the role, the profile and the policy have the exercise's names", func(t *testing.T) {
		for _, s := range []template.Template{api, single} {
			role := s.Only("aws_iam_role")
			role.Wants(map[string]string{"name": "module02_s3FullAccessRole"})
			s.Only("aws_iam_instance_profile").Wants(map[string]string{"name": "module02_s3FullAccessProfile", "role": role.Ref("name")})
			if policy := policyOf(s); policy.Get("name") != "module02_s3FullAccessPolicy" {
				t.Errorf("the policy is called %v", policy.Get("name"))
			}
		}
	})
	on("ex07: ssh in, tcp 5000 in, everything out", func(t *testing.T) {
		for _, s := range []template.Template{api, single} {
			machines := groupOf(s, "module02-api-sg")
			for _, port := range []string{"22", "5000"} {
				if !opened(s, machines, port) {
					t.Errorf("port %s is closed", port)
				}
			}
			out := s.Resources("aws_vpc_security_group_egress_rule")
			if !slices.ContainsFunc(out, func(r template.Resource) bool {
				return r.Get("security_group_id") == machines.Ref("id") && r.Get("ip_protocol") == "-1" && r.Get("cidr_ipv4") == "0.0.0.0/0"
			}) {
				t.Error("not everything is let out")
			}
		}
	})
	on("ex08: the API travels in the user-data and out of its own reach", func(t *testing.T) {
		for encoded, s := range map[string]template.Template{
			fmt.Sprint(api.Only("aws_launch_template").Get("user_data")):    api,
			fmt.Sprint(single.Only("aws_instance").Get("user_data_base64")): single,
		} {
			userData, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil {
				t.Fatal(err)
			}
			files, err := bootstrap.Files(userData)
			if err != nil {
				t.Fatal(err)
			}
			if _, baked := files[bootstrap.SourcePath+"go.mod"]; !baked {
				t.Errorf("no source among %v", slices.Collect(maps.Keys(files)))
			}
			if policy := fmt.Sprint(policyOf(s).Get("policy")); strings.Contains(policy, "releases") {
				t.Errorf("the role reaches releases: %s", policy)
			}
		}
	})
	on("ex09: the VPC and its subnets", func(t *testing.T) {
		vpc := api.Only("aws_vpc")
		vpc.Wants(map[string]string{"cidr_block": "10.0.0.0/16", "enable_dns_hostnames": "true", "tags.Name": "module02-vpc"})
		subnets := api.Resources("aws_subnet")
		if len(subnets) != 2 {
			t.Fatalf("%d subnets", len(subnets))
		}
		for i, want := range []map[string]string{
			{"cidr_block": "10.0.1.0/24", "availability_zone": "eu-west-1a"},
			{"cidr_block": "10.0.2.0/24", "availability_zone": "eu-west-1b"},
		} {
			want["map_public_ip_on_launch"] = "true"
			subnets[i].Wants(want)
			wantsDependency(t, subnets[i], vpc)
		}
	})
	on("ex10: the gateway, the route table and its associations", func(t *testing.T) {
		vpc, gateway, table := api.Only("aws_vpc"), api.Only("aws_internet_gateway"), api.Only("aws_route_table")
		gateway.Wants(map[string]string{"tags.Name": "module02-igw", "tags.Project_name": "module02", "tags.project_name": "module02"})
		wantsDependency(t, gateway, vpc)
		table.Wants(map[string]string{
			"tags.Name": "module02-rt", "tags.project_name": "module02",
			"route.cidr_block": "0.0.0.0/0", "route.gateway_id": gateway.Ref("id"),
		})
		wantsDependency(t, table, vpc)
		wantsDependency(t, table, gateway)
		associations := api.Resources("aws_route_table_association")
		for i, subnet := range api.Resources("aws_subnet") {
			associations[i].Wants(map[string]string{"route_table_id": table.Ref("id"), "subnet_id": subnet.Ref("id")})
			wantsDependency(t, associations[i], table)
			wantsDependency(t, associations[i], subnet)
		}
	})
	on("ex11: the launch template and the fleet of two", func(t *testing.T) {
		lt, asg := api.Only("aws_launch_template"), api.Only("aws_autoscaling_group")
		lt.Wants(map[string]string{"lifecycle.create_before_destroy": "true"})
		asg.Wants(map[string]string{
			"min_size": "2", "max_size": "2", "desired_capacity": "<nil>",
			"launch_template.id": lt.Ref("id"), "launch_template.version": lt.Ref("latest_version"),
			"lifecycle.create_before_destroy": "true",
		})
		blocks := asg.Get("tag").([]any)
		if got := fmt.Sprint(blocks[0]); got != "map[key:Autoscaling Flask propagate_at_launch:true value:flask-asg]" {
			t.Errorf("tag: %s", got)
		}
		if got := len(asg.Get("vpc_zone_identifier").([]any)); got != 2 {
			t.Errorf("%d subnets", got)
		}
	})
	on("ex12: the load balancer and its health check", func(t *testing.T) {
		alb, group, listener := api.Only("aws_lb"), api.Only("aws_lb_target_group"), api.Only("aws_lb_listener")
		firewall := groupOf(api, "module02-alb-sg")
		wantsDependency(t, firewall, api.Only("aws_vpc"))
		if !opened(api, firewall, "5000") {
			t.Error("the load balancer's port 5000 is closed")
		}
		alb.Wants(map[string]string{
			"load_balancer_type": "application", "enable_cross_zone_load_balancing": "true", "internal": "false",
			"security_groups": "[" + firewall.Ref("id") + "]",
		})
		listener.Wants(map[string]string{"port": "5000", "protocol": "HTTP", "default_action.target_group_arn": group.Ref("arn")})
		group.Wants(map[string]string{
			"port": "5000", "health_check.port": "5000", "health_check.interval": "30", "health_check.healthy_threshold": "2",
			"health_check.path": "/healthz",
		})
		asg := api.Only("aws_autoscaling_group")
		asg.Wants(map[string]string{"health_check_type": "ELB", "target_group_arns": "[" + group.Ref("arn") + "]"})
		if got := api.Output("load_balancer_dns_name"); got != alb.Ref("dns_name") {
			t.Errorf("load_balancer_dns_name is %v", got)
		}
	})
}

// untaggable are the resource types, of those in use, that take no tags.
var untaggable = []string{
	"aws_acm_certificate_validation",
	"aws_autoscaling_policy",
	"aws_autoscaling_schedule",
	"aws_cloudwatch_dashboard",
	"aws_iam_role_policy_attachment",
	"aws_kms_alias",
	"aws_lb_target_group_attachment",
	"aws_route53_record",
	"aws_route_table_association",
	"aws_s3_bucket_cors_configuration",
	"aws_s3_bucket_lifecycle_configuration",
	"aws_s3_bucket_logging",
	"aws_s3_bucket_ownership_controls",
	"aws_s3_bucket_policy",
	"aws_s3_bucket_public_access_block",
	"aws_s3_bucket_server_side_encryption_configuration",
	"aws_s3_bucket_versioning",
	"aws_sns_topic_policy",
	"aws_sns_topic_subscription",
	"aws_wafv2_web_acl_association",
}

func everyResourceIsTagged(t *testing.T, stacks map[string]template.Template) {
	t.Helper()
	for name, s := range stacks {
		for _, resource := range s.All() {
			kind, _, _ := strings.Cut(resource.Address, ".")
			if slices.Contains(untaggable, kind) {
				continue
			}
			tags, project := resource.Tags(), "module02"
			switch {
			case strings.HasPrefix(name, "local-"):
				project = "local"
			case strings.HasPrefix(name, "production-"):
				project = "cloudstorage"
			}
			if tags["Project_name"] != project || !strings.HasPrefix(tags["Name"], project+"-") {
				t.Errorf("%s: %s has the tags %v", name, resource.Address, tags)
			}
		}
	}
}

// policyOf is the policy with the store's rights; another may open shells.
func policyOf(s template.Template) template.Resource {
	for _, policy := range s.Resources("aws_iam_policy") {
		if strings.HasSuffix(fmt.Sprint(policy.Get("name")), "_s3FullAccessPolicy") {
			return policy
		}
	}
	panic("no policy has the exercise's name")
}

func groupOf(s template.Template, name string) template.Resource {
	for _, group := range s.Resources("aws_security_group") {
		if group.Tags()["Name"] == name {
			return group
		}
	}
	panic("no security group is called " + name)
}

func opened(s template.Template, group template.Resource, port string) bool {
	return slices.ContainsFunc(s.Resources("aws_vpc_security_group_ingress_rule"), func(rule template.Resource) bool {
		return rule.Get("security_group_id") == group.Ref("id") && rule.Get("cidr_ipv4") != nil && rule.Get("ip_protocol") == "tcp" &&
			fmt.Sprint(rule.Get("from_port")) == port && fmt.Sprint(rule.Get("to_port")) == port
	})
}

func wantsDependency(t *testing.T, from, to template.Resource) {
	t.Helper()
	if !from.DependsOn(to) {
		t.Errorf("%s does not depend on %s", from.Address, to.Address)
	}
}

func TestTheRoleMayOnlyDoWhatTheStoreCalls(t *testing.T) {
	stacks := shipped(t, stack.Target{})
	for name, want := range map[string]string{
		"module02-api": `[{s3:ListBucket arn:aws:s3:::module02-0000000000} {s3:GetObject,s3:GetObjectVersion,s3:PutObject,s3:DeleteObject arn:aws:s3:::module02-0000000000/*}]`,
		"local-api": `[{s3:ListBucket,s3:ListBucketVersions arn:aws:s3:::local-1000000001} {s3:GetObject,s3:GetObjectVersion,s3:PutObject,s3:DeleteObject,s3:AbortMultipartUpload,s3:ListMultipartUploadParts arn:aws:s3:::local-1000000001/*} {s3:GetObject arn:aws:s3:::local-releases-1000000001/storaged/*}` +
			` {s3:ListBucket arn:aws:s3:::local-api-state-1000000001} {s3:GetObject arn:aws:s3:::local-api-state-1000000001/*} {s3:PutObject arn:aws:s3:::local-api-state-1000000001/sealing-key} {s3:PutObject arn:aws:s3:::local-api-state-1000000001/revoked-links/*}]`,
	} {
		var policy struct {
			Statement []struct {
				Effect   string
				Action   []string
				Resource string
			}
		}
		if err := json.Unmarshal([]byte(fmt.Sprint(policyOf(stacks[name]).Get("policy"))), &policy); err != nil {
			t.Fatal(err)
		}
		type allowed struct{ actions, resource string }
		var got []allowed
		for _, s := range policy.Statement {
			got = append(got, allowed{strings.Join(s.Action, ","), s.Resource})
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%s: got  %v\nwant %s", name, got, want)
		}
	}
}
