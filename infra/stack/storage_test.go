package stack_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/jsii-runtime-go"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/stack"
	"cloudstorage/infra/storage"
)

var accountID = jsii.String("111122223333")

func bucketOf(t *testing.T, change func(*storage.Props)) template.Template {
	t.Helper()
	return template.One(t, func(stack cdktf.TerraformStack) {
		p := storage.Props{Project: project, Resource: "bucket", Name: "demo-1"}
		change(&p)
		storage.New(stack, "data", p)
	})
}

// policyStatement is a statement of a policy, as AWS reads it.
type policyStatement struct {
	Sid, Effect                 string
	Principal, Action, Resource any
	Condition                   map[string]map[string]any
}

// statements are those of the only policy of a kind, by Sid.
func statements(t *testing.T, policy template.Resource) map[string]policyStatement {
	t.Helper()
	var document struct{ Statement []policyStatement }
	if err := json.Unmarshal([]byte(fmt.Sprint(policy.Get("policy"))), &document); err != nil {
		t.Fatal(err)
	}
	found := map[string]policyStatement{}
	for _, s := range document.Statement {
		found[s.Sid] = s
	}
	return found
}

func TestABucketRefusesURLsThatAreTooOld(t *testing.T) {
	s := bucketOf(t, func(p *storage.Props) { p.MaxURLTTL = 90 * time.Minute })
	old := statements(t, s.Only("aws_s3_bucket_policy"))["DenyOldURLs"]
	if got, want := fmt.Sprint(old), "{DenyOldURLs Deny * s3:* [arn:aws:s3:::demo-1 arn:aws:s3:::demo-1/*] "+
		"map[NumericGreaterThan:map[s3:signatureAge:5400000] StringEquals:map[s3:authType:[REST-QUERY-STRING POST]]]}"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if _, found := statements(t, bucketOf(t, func(*storage.Props) {}).Only("aws_s3_bucket_policy"))["DenyOldURLs"]; found {
		t.Error("a limit that nobody set")
	}
}

func TestABucketRefusesKeysThatOnlyTheCallerHas(t *testing.T) {
	s := statements(t, bucketOf(t, func(*storage.Props) {}).Only("aws_s3_bucket_policy"))["DenyKeysOfCallers"]
	if got := fmt.Sprint(s.Action, " ", s.Condition); got != "s3:PutObject map[Null:map[s3:x-amz-server-side-encryption-customer-algorithm:false]]" {
		t.Error(got)
	}
}

func TestABucketsOwnKeyIsUsedThroughItOnly(t *testing.T) {
	s := bucketOf(t, func(p *storage.Props) { p.Key, p.AccountID = "data", accountID })
	key := s.Only("aws_kms_key")
	key.Wants(map[string]string{
		"enable_key_rotation": "true", "deletion_window_in_days": "30", "lifecycle.prevent_destroy": "true", "tags.Name": "demo-data",
	})
	s.Only("aws_kms_alias").Wants(map[string]string{"name": "alias/demo-data", "target_key_id": key.Ref("key_id")})
	s.Only("aws_s3_bucket_server_side_encryption_configuration").Wants(map[string]string{
		"rule.apply_server_side_encryption_by_default.sse_algorithm":     "aws:kms",
		"rule.apply_server_side_encryption_by_default.kms_master_key_id": key.Ref("arn"),
		"rule.bucket_key_enabled":                                        "true",
	})
	rights := statements(t, key)
	for _, right := range rights {
		if fmt.Sprint(right.Principal) != "map[AWS:arn:aws:iam::111122223333:root]" || strings.Contains(fmt.Sprint(right.Action), "*") {
			t.Errorf("%+v", right)
		}
	}
	if got, want := fmt.Sprint(rights["UseThroughS3"].Action, rights["UseThroughS3"].Condition["StringEquals"]),
		"[kms:Decrypt kms:GenerateDataKey] map[kms:EncryptionContext:aws:s3:arn:arn:aws:s3:::demo-1 kms:ViaService:s3."+s.Only("aws_s3_bucket").Ref("region")+".amazonaws.com]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, action := range []string{"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:CreateGrant"} {
		if slices.Contains(rights["Keep"].Action.([]any), any(action)) {
			t.Errorf("who keeps the key may %s", action)
		}
	}
	denied := statements(t, s.Only("aws_s3_bucket_policy"))
	for sid, want := range map[string]string{
		"DenyOtherEncryption": "map[Null:map[s3:x-amz-server-side-encryption:false] StringNotEquals:map[s3:x-amz-server-side-encryption:aws:kms]]",
		"DenyOtherKeys":       "map[ArnNotEquals:map[s3:x-amz-server-side-encryption-aws-kms-key-id:" + key.Ref("arn") + "] Null:map[s3:x-amz-server-side-encryption-aws-kms-key-id:false]]",
	} {
		if got := fmt.Sprint(denied[sid].Condition); got != want {
			t.Errorf("%s: got  %s\nwant %s", sid, got, want)
		}
	}
}

func TestObjectsExpireInARuleOfTheirOwn(t *testing.T) {
	s := bucketOf(t, func(p *storage.Props) { p.ExpireDays, p.UndoDays = 3, 2 })
	s.Only("aws_s3_bucket_lifecycle_configuration").Wants(map[string]string{
		"rule.0.id": "abandoned-uploads", "rule.1.id": "undo-window", "rule.1.expiration.expired_object_delete_marker": "true",
		"rule.2.id": "expiry", "rule.2.expiration.days": "3", "rule.2.expiration.expired_object_delete_marker": "<nil>",
	})
}

func TestOnlyWhatIsBelowAPrefixEnds(t *testing.T) {
	s := bucketOf(t, func(p *storage.Props) { p.ExpirePrefix, p.ExpireDays, p.UndoDays = "old/", 3, 2 })
	s.Only("aws_s3_bucket_lifecycle_configuration").Wants(map[string]string{
		"rule.0.id": "abandoned-uploads", "rule.1.filter.prefix": "old/", "rule.1.noncurrent_version_expiration.noncurrent_days": "2",
		"rule.2.filter.prefix": "old/", "rule.2.expiration.days": "3",
	})
}

func TestPagesOfNamedWebSitesMayUseABucket(t *testing.T) {
	s := bucketOf(t, func(p *storage.Props) { p.WebOrigins = []string{"https://files.example.org", "http://localhost:3000"} })
	cors := s.Only("aws_s3_bucket_cors_configuration")
	cors.Wants(map[string]string{
		"cors_rule.allowed_origins": "[https://files.example.org http://localhost:3000]",
		"cors_rule.allowed_methods": "[GET HEAD PUT POST]", "cors_rule.max_age_seconds": "7200",
	})
	exposed := fmt.Sprint(cors.Get("cors_rule.expose_headers"))
	for _, header := range []string{"ETag", "Content-Length", "x-amz-checksum-sha256", "x-amz-version-id"} {
		if !strings.Contains(exposed, header) {
			t.Errorf("a page cannot read %s", header)
		}
	}
	if strings.Contains(exposed, "*") || strings.Contains(strings.ToLower(fmt.Sprint(cors.Get("cors_rule.allowed_headers"))), "authorization") {
		t.Errorf("S3 refuses a * among %s, and pages never sign", exposed)
	}
	if got := bucketOf(t, func(*storage.Props) {}).Resources("aws_s3_bucket_cors_configuration"); len(got) != 0 {
		t.Error("pages of anybody")
	}
}

func TestTheLogsBucketLetsInOurLogsAndNothingElse(t *testing.T) {
	s := template.One(t, func(stack cdktf.TerraformStack) {
		logs := storage.NewLogs(stack, "logs", storage.LogsProps{
			Project: project, Name: "demo-logs-1", AccountID: accountID, Days: 90, Buckets: []string{"demo-1"}, Balancers: true, Flows: true,
		})
		storage.New(stack, "data", storage.Props{Project: project, Resource: "bucket", Name: "demo-1", LogsBucket: logs.Name()})
	})
	var policy template.Resource
	for _, each := range s.Resources("aws_s3_bucket_policy") {
		if strings.Contains(fmt.Sprint(each.Get("policy")), "demo-logs-1") {
			policy = each
		}
	}
	region := s.Resources("aws_s3_bucket")[1].Ref("region")
	let := map[string]string{}
	for sid, each := range statements(t, policy) {
		if each.Effect == "Allow" {
			let[sid] = fmt.Sprint(each.Principal, each.Action, each.Resource, each.Condition)
		}
	}
	want := map[string]string{
		"AccessLogs1": "map[Service:logging.s3.amazonaws.com]s3:PutObjectarn:aws:s3:::demo-logs-1/s3/demo-1/*" +
			"map[ArnLike:map[aws:SourceArn:arn:aws:s3:::demo-1] StringEquals:map[aws:SourceAccount:111122223333]]",
		"BalancerLogs": "map[Service:logdelivery.elasticloadbalancing.amazonaws.com]s3:PutObjectarn:aws:s3:::demo-logs-1/alb/AWSLogs/111122223333/*map[]",
		"AWSLogDeliveryWrite": "map[Service:delivery.logs.amazonaws.com]s3:PutObjectarn:aws:s3:::demo-logs-1/vpc/AWSLogs/111122223333/*" +
			"map[ArnLike:map[aws:SourceArn:arn:aws:logs:" + region + ":111122223333:*] StringEquals:map[aws:SourceAccount:111122223333 s3:x-amz-acl:bucket-owner-full-control]]",
		"AWSLogDeliveryAclCheck": "map[Service:delivery.logs.amazonaws.com][s3:GetBucketAcl s3:ListBucket]arn:aws:s3:::demo-logs-1" +
			"map[ArnLike:map[aws:SourceArn:arn:aws:logs:" + region + ":111122223333:*] StringEquals:map[aws:SourceAccount:111122223333]]",
	}
	for sid := range want {
		if strings.ReplaceAll(let[sid], " ", "") != strings.ReplaceAll(want[sid], " ", "") {
			t.Errorf("%s\ngot  %s\nwant %s", sid, let[sid], want[sid])
		}
	}
	if len(let) != len(want) {
		t.Errorf("let in: %v", let)
	}
	s.Only("aws_s3_bucket_logging").Wants(map[string]string{"target_bucket": policy.Ref("bucket"), "target_prefix": "s3/demo-1/"})
	s.Resources("aws_s3_bucket_server_side_encryption_configuration")[1].Wants(map[string]string{"rule.apply_server_side_encryption_by_default.sse_algorithm": "AES256"})
	s.Resources("aws_s3_bucket_lifecycle_configuration")[1].Wants(map[string]string{"rule.1.noncurrent_version_expiration.noncurrent_days": "7", "rule.2.expiration.days": "90"})
}

func TestTheLogsBucketLetsInWhatTheEnvironmentAsksFor(t *testing.T) {
	storage := changed(t, "production", strings.NewReplacer("access_logs: true", "access_logs: false", "flow_logs: true", "flow_logs: false"))["production-storage"]
	for _, policy := range storage.Resources("aws_s3_bucket_policy") {
		text := fmt.Sprint(policy.Get("policy"))
		if strings.Contains(text, "elasticloadbalancing") || strings.Contains(text, "delivery.logs") {
			t.Errorf("%s", text)
		}
	}
	if got := len(storage.Resources("aws_s3_bucket_logging")); got != 3 {
		t.Errorf("%d buckets are logged, want the data's, the releases' and the API's own state's", got)
	}
}

func TestOneSettingLimitsURLsInTheAPIAndInTheBucket(t *testing.T) {
	for environment, want := range map[string]string{"module02": "600000", "production": "3600000"} {
		s := shipped(t, stack.Target{})[environment+"-storage"]
		var limits []string
		for _, policy := range s.Resources("aws_s3_bucket_policy") {
			if old, found := statements(t, policy)["DenyOldURLs"]; found {
				limits = append(limits, fmt.Sprint(old.Condition["NumericGreaterThan"]["s3:signatureAge"]))
			}
		}
		if !slices.Equal(limits, []string{want}) {
			t.Errorf("%s: %v, want %s ms, on the data bucket", environment, limits, want)
		}
	}
}

func TestTheEmulatorIsSparedWhatItCannotEvaluate(t *testing.T) {
	s := template.One(t, func(stack cdktf.TerraformStack) {
		storage.NewLogs(stack, "logs", storage.LogsProps{Project: project, Name: "demo-logs-1", AccountID: accountID, Days: 1, Buckets: []string{"demo-1"}, Emulated: true})
		storage.New(stack, "data", storage.Props{Project: project, Resource: "bucket", Name: "demo-1", MaxURLTTL: time.Hour, Emulated: true})
	})
	if policy := fmt.Sprint(s.Only("aws_s3_bucket_policy").Get("policy")); strings.Contains(policy, "Deny") {
		t.Error(policy)
	}
	if got := s.Resources("aws_s3_bucket_lifecycle_configuration"); len(got) != 0 {
		t.Error("lifecycle rules")
	}
}

func TestStorageRefusesWhatAWSWouldRefuseLate(t *testing.T) {
	bucket := func(change func(*storage.Props)) error {
		p := storage.Props{Project: project, Resource: "bucket", Name: "demo-1"}
		change(&p)
		return p.Validate()
	}
	origin := func(text string) error {
		return bucket(func(p *storage.Props) { p.WebOrigins = []string{text} })
	}
	logs := func(change func(*storage.LogsProps)) error {
		p := storage.LogsProps{Project: project, Name: "demo-logs-1", AccountID: accountID, Days: 1, Balancers: true}
		change(&p)
		return p.Validate()
	}
	for _, tc := range []struct {
		name, want string
		err        error
	}{
		{"no resource", "Resource is empty", bucket(func(p *storage.Props) { p.Resource = "" })},
		{"undo in the past", "UndoDays is below 0", bucket(func(p *storage.Props) { p.UndoDays = -1 })},
		{"expiry in the past", "ExpireDays is below 0", bucket(func(p *storage.Props) { p.ExpireDays = -1 })},
		{"expired and kept", "forever as an old version", bucket(func(p *storage.Props) { p.ExpireDays = 1 })},
		{"a prefix of nothing", `ExpirePrefix is "a/" and nothing ends`, bucket(func(p *storage.Props) { p.ExpirePrefix = "a/" })},
		{"URLs for over a week", "up to 168h", bucket(func(p *storage.Props) { p.MaxURLTTL = storage.MaxURLTTL + time.Second })},
		{"URLs for no time", "whole milliseconds", bucket(func(p *storage.Props) { p.MaxURLTTL = time.Microsecond })},
		{"nobody's key", `the key "data" would belong to nobody`, bucket(func(p *storage.Props) { p.Key = "data" })},
		{"a page of a site", "without a path", origin("https://example.org/files")},
		{"a name", "is not a web site's origin", origin("example.org")},
		{"capitals", "is not a web site's origin", origin("https://Example.org")},
		{"any site", "stands for many", origin("https://*.example.org")},
		{"a star", "is not a web site's origin", origin("*")},
		{"plain HTTP", "is plain HTTP", origin("http://example.org")},
		{"logs of another project", `does not start with "demo-"`, logs(func(p *storage.LogsProps) { p.Name = "other-1" })},
		{"logs of anybody", "AccountID is missing", logs(func(p *storage.LogsProps) { p.AccountID = nil })},
		{"logs forever", "Days is 0", logs(func(p *storage.LogsProps) { p.Days = 0 })},
		{"logs of nothing", "nothing is let in", logs(func(p *storage.LogsProps) { p.Balancers = false })},
		{"logs about logs", "would never end", logs(func(p *storage.LogsProps) { p.Buckets = []string{p.Name} })},
	} {
		if tc.err == nil || !strings.Contains(tc.err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", tc.name, tc.err, tc.want)
		}
	}
	for _, fine := range []string{"https://files.example.org", "https://files.example.org:8443", "http://localhost:5173", "http://127.0.0.1:5173", "http://[::1]:1"} {
		if err := origin(fine); err != nil {
			t.Error(err)
		}
	}
}
