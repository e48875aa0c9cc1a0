package stack_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/stack"
)

func TestAFleetStartsAfterAllThatItNeeds(t *testing.T) {
	api := shipped(t, stack.Target{})["local-api"]
	asg := api.Only("aws_autoscaling_group")
	needed := slices.Concat(
		api.Resources("aws_route_table_association"), api.Resources("aws_iam_role_policy_attachment"),
		api.Resources("aws_lb_listener"), api.Resources("aws_s3_object"),
	)
	if len(needed) != 5 {
		t.Fatalf("%d dependencies in the stack, want 5", len(needed))
	}
	for _, each := range needed {
		wantsDependency(t, asg, each)
	}
}

func TestANewBuildIsANewFleetBesideTheOldOne(t *testing.T) {
	before := changed(t, "module02", strings.NewReplacer())["module02-api"]
	after := changed(t, "module02", strings.NewReplacer("t3.micro", "t3.small"))["module02-api"]
	for _, s := range []template.Template{before, after} {
		lt, asg := s.Only("aws_launch_template"), s.Only("aws_autoscaling_group")
		asg.Wants(map[string]string{
			"name":             "<nil>",
			"name_prefix":      "module02-asg-" + lt.Ref("id") + "-" + lt.Ref("latest_version") + "-",
			"min_elb_capacity": "2", "wait_for_capacity_timeout": "25m", "health_check_grace_period": "1200",
			"lifecycle.create_before_destroy": "true", "instance_refresh": "<nil>",
		})
	}
	if a, b := before.Only("aws_launch_template").Get("name"), after.Only("aws_launch_template").Get("name"); a == b {
		t.Errorf("both launch templates are called %v", a)
	}
}

func TestABinaryFleetIsGivenLessTimeAndItsReleaseOutlivesIt(t *testing.T) {
	api := shipped(t, stack.Target{})["local-api"]
	api.Only("aws_autoscaling_group").Wants(map[string]string{"wait_for_capacity_timeout": "10m", "health_check_grace_period": "300"})
	digest := strings.Repeat("0a", 32)
	api.Only("aws_s3_object").Wants(map[string]string{
		"bucket": "local-releases-1000000001", "key": "storaged/" + digest, "lifecycle.create_before_destroy": "true",
	})
}

func TestMachinesGiveOutNothingByTheirMetadata(t *testing.T) {
	stacks := shipped(t, stack.Target{})
	for _, machine := range []template.Resource{
		stacks["module02-api"].Only("aws_launch_template"), stacks["local-api"].Only("aws_launch_template"), stacks["single-api"].Only("aws_instance"),
	} {
		machine.Wants(map[string]string{
			"metadata_options.http_tokens": "required", "metadata_options.http_put_response_hop_limit": "1",
			"metadata_options.instance_metadata_tags": "disabled",
		})
	}
}

func TestBucketsArePrivateEncryptedAndVersioned(t *testing.T) {
	for name, s := range shipped(t, stack.Target{}) {
		for _, bucket := range s.Resources("aws_s3_bucket") {
			for kind, want := range map[string]map[string]string{
				"aws_s3_bucket_public_access_block":                  {"block_public_acls": "true", "block_public_policy": "true", "ignore_public_acls": "true", "restrict_public_buckets": "true"},
				"aws_s3_bucket_ownership_controls":                   {"rule.object_ownership": "BucketOwnerEnforced"},
				"aws_s3_bucket_versioning":                           {"versioning_configuration.status": "Enabled"},
				"aws_s3_bucket_server_side_encryption_configuration": {"rule.apply_server_side_encryption_by_default.sse_algorithm": "AES256"},
				"aws_s3_bucket_lifecycle_configuration":              {"rule.0.abort_incomplete_multipart_upload.days_after_initiation": "7"},
				"aws_s3_bucket_policy":                               {},
			} {
				found := slices.IndexFunc(s.Resources(kind), func(r template.Resource) bool { return r.Get("bucket") == bucket.Ref("id") })
				if found < 0 {
					t.Errorf("%s: %s has no %s", name, bucket.Address, kind)
					continue
				}
				s.Resources(kind)[found].Wants(want)
			}
			bucket.Wants(map[string]string{"lifecycle.prevent_destroy": "true"})
		}
	}
}

func TestStateIsKeptBesideTheProjectOrWhereTheEnvironmentSays(t *testing.T) {
	local := shipped(t, stack.Target{})["module02-api"]
	if got := local.Value("terraform.backend.local.path"); got != "../../../terraform.module02-api.tfstate" {
		t.Errorf("local: %v", got)
	}
	emulated := shipped(t, stack.Target{Emulator: true})["module02-api"]
	if got := emulated.Value("terraform.backend.local.path"); got != "../../../terraform.module02-api.emulator.tfstate" {
		t.Errorf("emulator: %v: it would take the place of the account's", got)
	}
	remote := changed(t, "module02", strings.NewReplacer("region: eu-west-1\n", "region: eu-west-1\nbackend: {bucket: module02-state-7}\n"))
	for name, s := range remote {
		want := "map[bucket:module02-state-7 encrypt:true key:cloudstorage/" + name + ".tfstate region:eu-west-1 use_lockfile:true]"
		if got := fmt.Sprint(s.Value("terraform.backend.s3")); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestTheProviderIsTheOneThatWasTested(t *testing.T) {
	for name, s := range shipped(t, stack.Target{}) {
		if got := s.Value("terraform.required_providers.aws.version"); got != "~> 5.100" {
			t.Errorf("%s: %v", name, got)
		}
		if got := s.Value("terraform.required_version"); got != ">= 1.10" {
			t.Errorf("%s: Terraform %v", name, got)
		}
	}
}

func TestPlaceholdersAreRefusedOnARealAccountOnly(t *testing.T) {
	for name, s := range shipped(t, stack.Target{}) {
		found := s.Data("aws_caller_identity")
		if strings.HasPrefix(name, "local-") {
			if len(found) != 0 {
				t.Errorf("%s has placeholders", name)
			}
			continue
		}
		found[0].Wants(map[string]string{"lifecycle.postcondition.condition": `${self.account_id == "123456789012"}`})
	}
	mine := changed(t, "module02", strings.NewReplacer("0000000000", "8302961457"))
	for name, s := range mine {
		if len(s.Data("aws_caller_identity")) != 0 {
			t.Errorf("%s refuses names that are nobody's placeholder", name)
		}
	}
}

func TestAnotherAccountIsRefusedWhereTheEnvironmentNamesOne(t *testing.T) {
	s := changed(t, "module02", strings.NewReplacer("region: eu-west-1\n", "region: eu-west-1\naccount_id: \"111122223333\"\n"))["module02-api"]
	if got := fmt.Sprint(s.Value("provider.aws.allowed_account_ids")); got != "[111122223333]" {
		t.Error(got)
	}
}

func TestTheAPIStackComesAfterTheStorageStack(t *testing.T) {
	stacks := shipped(t, stack.Target{})
	for _, env := range []string{"local", "module02", "single"} {
		if got := stacks[env+"-api"].Dependencies; !slices.Equal(got, []string{env + "-storage"}) {
			t.Errorf("%s-api comes after %v", env, got)
		}
	}
}
