package stack_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/aws/jsii-runtime-go"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/app/s3store/actions"
	"cloudstorage/infra/identity"
	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/stack"
)

func roleOf(t *testing.T, change func(*identity.Props)) template.Template {
	t.Helper()
	return template.One(t, func(stack cdktf.TerraformStack) {
		p := identity.Props{Project: project, Bucket: "demo-1", Actions: actions.All()}
		change(&p)
		identity.New(stack, "identity", p)
	})
}

func policyNamed(t *testing.T, s template.Template, name string) template.Resource {
	t.Helper()
	for _, policy := range s.Resources("aws_iam_policy") {
		if policy.Get("name") == name {
			return policy
		}
	}
	t.Fatalf("no policy is called %s", name)
	return template.Resource{}
}

func TestARoleReachesBucketsOfItsOwnAccountOnly(t *testing.T) {
	s := roleOf(t, func(p *identity.Props) {
		p.ReleasesBucket, p.ReleasesPrefix = "demo-releases-1", "storaged/"
		p.State = &identity.State{Bucket: "demo-state-1", Writes: []string{"key", "marks/*"}}
	})
	found := statements(t, s.Only("aws_iam_policy"))
	for _, sid := range []string{"DataBucket", "DataObjects", "ReadRelease", "StateBucket", "StateObjects", "StateWrites1", "StateWrites2"} {
		// Terraform reads $${ as ${, which is IAM's.
		if got := fmt.Sprint(found[sid].Condition["StringEquals"]); got != "map[aws:ResourceAccount:$${aws:PrincipalAccount}]" {
			t.Errorf("%s: %s", sid, got)
		}
	}
}

func TestARoleUsesItsBucketsKeyThroughS3Only(t *testing.T) {
	s := roleOf(t, func(p *identity.Props) { p.KMSKeyARN, p.Region = jsii.String("arn:key"), "eu-west-1" })
	key := statements(t, s.Only("aws_iam_policy"))["DataKey"]
	if got, want := fmt.Sprint(key), "{DataKey Allow <nil> [kms:Decrypt kms:GenerateDataKey] arn:key "+
		"map[StringEquals:map[kms:EncryptionContext:aws:s3:arn:arn:aws:s3:::demo-1 kms:ViaService:s3.eu-west-1.amazonaws.com]]}"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestARoleKeepsTheAPIsStateAndDestroysNothingOfIt(t *testing.T) {
	s := roleOf(t, func(p *identity.Props) {
		p.Region, p.State = "eu-west-1", &identity.State{Bucket: "demo-state-1", Writes: []string{"key", "marks/*"}, KMSKeyARN: jsii.String("arn:state-key")}
	})
	got := map[string]string{}
	for sid, each := range statements(t, s.Only("aws_iam_policy")) {
		if strings.HasPrefix(sid, "State") {
			got[sid] = fmt.Sprint(each.Action, " ", each.Resource)
		}
	}
	want := map[string]string{
		"StateBucket": "[s3:ListBucket] arn:aws:s3:::demo-state-1", "StateObjects": "[s3:GetObject] arn:aws:s3:::demo-state-1/*",
		"StateWrites1": "[s3:PutObject] arn:aws:s3:::demo-state-1/key", "StateWrites2": "[s3:PutObject] arn:aws:s3:::demo-state-1/marks/*",
		"StateKey": "[kms:Decrypt kms:GenerateDataKey] arn:state-key",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	for _, sid := range []string{"StateWrites1", "StateWrites2"} {
		if got := fmt.Sprint(statements(t, s.Only("aws_iam_policy"))[sid].Condition["Null"]); got != "map[s3:if-none-match:false]" {
			t.Errorf("%s may overwrite: %s", sid, got)
		}
	}
	condition := fmt.Sprint(statements(t, s.Only("aws_iam_policy"))["StateKey"].Condition)
	if condition != "map[StringEquals:map[kms:EncryptionContext:aws:s3:arn:arn:aws:s3:::demo-state-1 kms:ViaService:s3.eu-west-1.amazonaws.com]]" {
		t.Error(condition)
	}
}

func TestARoleWritesToItsLogGroupOnly(t *testing.T) {
	s := roleOf(t, func(p *identity.Props) {
		p.LogGroupARN = jsii.String("arn:aws:logs:eu-west-1:111122223333:log-group:/demo/api")
	})
	logs := statements(t, policyNamed(t, s, "demo_logsPolicy"))["ShipLogs"]
	if got, want := fmt.Sprint(logs), "{ShipLogs Allow <nil> [logs:CreateLogStream logs:PutLogEvents] arn:aws:logs:eu-west-1:111122223333:log-group:/demo/api:* map[]}"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := len(s.Resources("aws_iam_role_policy_attachment")); got != 2 {
		t.Errorf("%d attachments", got)
	}
}

func TestABoundaryIsTheRolesOwn(t *testing.T) {
	const boundary = "arn:aws:iam::111122223333:policy/bounds/machines"
	roleOf(t, func(p *identity.Props) { p.PermissionsBoundary = boundary }).Only("aws_iam_role").Wants(map[string]string{"permissions_boundary": boundary})
	roleOf(t, func(*identity.Props) {}).Only("aws_iam_role").Wants(map[string]string{"permissions_boundary": "<nil>"})
	s := changed(t, "module02", strings.NewReplacer("session_manager: true", "session_manager: true\n  permissions_boundary: "+boundary))
	s["module02-api"].Only("aws_iam_role").Wants(map[string]string{"permissions_boundary": boundary, "name": "module02_s3FullAccessRole"})
}

func TestTheAPIFindsTheDataBucketsKeyByItsName(t *testing.T) {
	s := changed(t, "module02", strings.NewReplacer("undo_days: 30", "undo_days: 30\n  encryption: kms"))
	s["module02-storage"].Only("aws_kms_alias").Wants(map[string]string{"name": "alias/module02-data"})
	alias := s["module02-api"].Data("aws_kms_alias")[0]
	alias.Wants(map[string]string{"name": "alias/module02-data"})
	if got := statements(t, policyOf(s["module02-api"]))["DataKey"].Resource; got != alias.Ref("target_key_arn") {
		t.Errorf("the role uses %v", got)
	}
}

// No policy of ours says * where AWS lets it say less: the exceptions are these, each with its reason beside it in the code.
func TestNoPolicyGrantsMoreThanItNames(t *testing.T) {
	everything := map[string]bool{"SessionManager": true}
	for name, s := range shipped(t, stack.Target{}) {
		for _, policy := range s.Resources("aws_iam_policy") {
			for sid, each := range statements(t, policy) {
				if strings.Contains(fmt.Sprint(each.Action), "*") {
					t.Errorf("%s: %s allows %v", name, sid, each.Action)
				}
				if each.Resource == "*" && !everything[sid] {
					t.Errorf("%s: %s is about everything", name, sid)
				}
			}
		}
		for _, policy := range s.Resources("aws_s3_bucket_policy") {
			for sid, each := range statements(t, policy) {
				if each.Effect == "Allow" && (each.Principal == "*" || strings.Contains(fmt.Sprint(each.Action), "*")) {
					t.Errorf("%s: %s lets %v do %v", name, sid, each.Principal, each.Action)
				}
			}
		}
	}
}

func TestARoleRefusesWhatAWSWouldRefuseLate(t *testing.T) {
	for _, tc := range []struct {
		want  string
		props identity.Props
	}{
		{"Bucket is empty", identity.Props{}},
		{"Actions lack one on the bucket or one on its objects", identity.Props{Bucket: "b"}},
		{"give both or neither", identity.Props{Bucket: "b", Actions: actions.All(), ReleasesBucket: "r"}},
		{"must not reach its own release", identity.Props{Bucket: "b", Actions: actions.All(), ReleasesBucket: "b", ReleasesPrefix: "p/"}},
		{"Region is empty", identity.Props{Bucket: "b", Actions: actions.All(), KMSKeyARN: jsii.String("arn")}},
		{"State lacks its Bucket", identity.Props{Bucket: "b", Actions: actions.All(), State: &identity.State{Bucket: "s", Writes: []string{""}}}},
		{"must lie apart from both", identity.Props{Bucket: "b", Actions: actions.All(), State: &identity.State{Bucket: "b", Writes: []string{"k"}}}},
		{"Region is empty", identity.Props{Bucket: "b", Actions: actions.All(), State: &identity.State{Bucket: "s", Writes: []string{"k"}, KMSKeyARN: jsii.String("arn")}}},
		{"is not a policy's ARN", identity.Props{Bucket: "b", Actions: actions.All(), PermissionsBoundary: "boundary"}},
	} {
		if err := tc.props.Validate(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("got %v, want %q", err, tc.want)
		}
	}
}
