package emulator

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The stacks as they go to AWS are applied and destroyed by the real Terraform and provider, and whatever these ask of
// AWS must be allowed by docs/deployer-policy.json alone: a gate before the emulator looks every call up in it and refuses
// the rest. Rights that AWS checks behind a call (tagging, passing a role) are looked up too.
func TestTheDeployersPolicyIsEnough(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("applies with the real Terraform, which takes minutes")
	}
	root, err := filepath.Abs(projectRoot)
	if err != nil {
		t.Fatal(err)
	}
	tools, err := FindTools(t.Context(), root, filepath.Join(root, ".cache"), t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	outdir := filepath.Join(t.TempDir(), "cdktf.out")
	program, err := BuildSynth(t.Context(), root, t.TempDir())
	if err == nil {
		err = Synth(t.Context(), SynthOptions{Program: program, Root: root, Outdir: outdir})
	}
	if err != nil {
		t.Fatal(err)
	}
	// single and module02 share their names, so each has an account of its own. All stacks at once: Terraform mostly waits.
	var running sync.WaitGroup
	for _, stacks := range [][]string{{"account", "module02-storage", "module02-api"}, {"single-api"}} {
		gate := newGate(t, root)
		for _, name := range stacks {
			dir := StackDir(outdir, name)
			makeApplicable(t, dir)
			running.Go(func() {
				if err := gate.run(t.Context(), tools, dir); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		t.Cleanup(func() { gate.report(t) })
	}
	running.Wait()
}

func TestTheGateRefusesWhatThePolicyDoesNotAllow(t *testing.T) {
	t.Parallel()
	policy := readDeployerPolicy(t, projectRoot, basePolicy, productionPolicy)
	ours := "arn:aws:iam::" + emulatedAccount + ":role/module02_s3FullAccessRole"
	defaultGroup := "arn:aws:ec2:eu-west-1:" + emulatedAccount + ":security-group/sg-1"
	for _, tt := range []struct {
		right right
		want  bool
	}{
		{right{action: "s3:PutBucketVersioning", resource: "arn:aws:s3:::module02-1"}, true},
		{right{action: "s3:PutBucketVersioning", resource: "arn:aws:s3:::another-1"}, false},
		{right{action: "s3:GetObject", resource: "arn:aws:s3:::module02-1/secret"}, false},
		{right{action: "s3:PutObject", resource: "arn:aws:s3:::module02-api-state-1/keyring.json"}, true},
		{right{action: "s3:PutObject", resource: "arn:aws:s3:::module02-api-state-1/sealing-key"}, false},
		{right{action: "s3:GetObject", resource: "arn:aws:s3:::module02-api-state-1/sealing-key"}, false},
		{right{action: "kms:Decrypt", resource: "*", context: map[string]string{
			"aws:ResourceTag/Project_name": "module02", "kms:ViaService": "s3.eu-west-1.amazonaws.com", "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::module02-1",
		}}, false},
		{right{action: "iam:PassRole", resource: ours, context: map[string]string{"iam:PassedToService": "ec2.amazonaws.com"}}, true},
		{right{action: "iam:PassRole", resource: ours, context: map[string]string{"iam:PassedToService": "lambda.amazonaws.com"}}, false},
		{right{action: "iam:PassRole", resource: "arn:aws:iam::1:role/admin", context: map[string]string{"iam:PassedToService": "ec2.amazonaws.com"}}, false},
		{right{action: "iam:AttachRolePolicy", resource: ours, context: map[string]string{"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}}, false},
		{right{action: "iam:PutUserPolicy", resource: "arn:aws:iam::1:user/module02_me"}, false},
		{right{action: "ec2:CreateTags", resource: defaultGroup, context: map[string]string{"aws:RequestTag/Project_name": "module02"}}, true},
		{right{action: "ec2:CreateTags", resource: defaultGroup, context: map[string]string{"aws:RequestTag/Project_name": "another"}}, false},
		{right{action: "ec2:CreateTags", resource: defaultGroup, context: map[string]string{"aws:RequestTag/Project_name": "module02", "aws:ResourceTag/Project_name": "another"}}, false},
		{right{action: "ec2:CreateTags", resource: "arn:aws:ec2:eu-west-1:1:instance/i-1", context: map[string]string{"aws:RequestTag/Project_name": "module02"}}, false},
		{right{action: "kms:ScheduleKeyDeletion", resource: "*", context: map[string]string{"aws:ResourceTag/Project_name": "another"}}, false},
		{right{action: "sns:DeleteTopic", resource: "arn:aws:sns:eu-west-1:1:another"}, false},
		{right{action: "logs:DeleteLogGroup", resource: "arn:aws:logs:eu-west-1:1:log-group:/another/machines"}, false},
		{right{action: "route53:ChangeResourceRecordSets", resource: "arn:aws:route53:::hostedzone/Z1", context: map[string]string{"route53:ChangeResourceRecordSetsRecordTypes": "MX"}}, false},
		{right{action: "wafv2:DeleteWebACL", resource: "arn:aws:wafv2:eu-west-1:1:regional/webacl/another/1"}, false},
		{right{action: "ec2:TerminateInstances", resource: "*", context: map[string]string{"aws:ResourceTag/Project_name": "another"}}, false},
		{right{action: "ec2:RunInstances", resource: "*", context: map[string]string{"aws:RequestedRegion": "us-east-1"}}, false},
		{right{action: "autoscaling:DeleteAutoScalingGroup", resource: "arn:aws:autoscaling:eu-west-1:1:autoScalingGroup:x:autoScalingGroupName/another"}, false},
	} {
		if got := policy.allows(tt.right); got != tt.want {
			t.Errorf("%s is allowed: %t, want %t", tt.right, got, tt.want)
		}
	}
}

// emulatedAccount is moto's account.
const emulatedAccount = "123456789012"

// makeApplicable changes a stack that was made for AWS in what the emulator cannot do without: the provider's settings,
// and a budget without notifications. What protects data is lifted, so that the destroy can be tried; a key pair
// is added, which the shipped files would leave out here.
func makeApplicable(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, "cdk.tf.json")
	tree := readTree(t, path)
	// Unlike in the emulator's own stacks, credentials are validated: what that asks for must be allowed too.
	tree["provider"] = map[string]any{"aws": []any{map[string]any{
		"region": Region, "access_key": "test", "secret_key": "test", "skip_metadata_api_check": "true", "s3_use_path_style": true, "max_retries": 5,
	}}}
	resources := tree["resource"].(map[string]any)
	for kind, named := range resources {
		for _, instance := range named.(map[string]any) {
			resource := instance.(map[string]any)
			if lifecycle, ok := resource["lifecycle"].(map[string]any); ok {
				delete(lifecycle, "prevent_destroy")
			}
			switch kind {
			case "aws_s3_bucket":
				resource["force_destroy"] = true
			case "aws_budgets_budget":
				delete(resource, "notification")
			}
		}
	}
	switch tags := map[string]any{"Project_name": "module02"}; filepath.Base(dir) {
	case "module02-api":
		if resources["aws_key_pair"] != nil {
			break // the project has a key
		}
		resources["aws_key_pair"] = map[string]any{"key": map[string]any{
			"key_name": "module02", "tags": tags,
			"public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3jzVqJ7mCkzJdD1vq6wWcVrQkzJZ8mJv0m1mU5cR0e",
		}}
	}
	text, err := json.MarshalIndent(tree, "", "  ")
	if err == nil {
		err = os.WriteFile(path, text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func readTree(t *testing.T, path string) map[string]any {
	t.Helper()
	var tree map[string]any
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &tree)
	}
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// gate stands before an emulated AWS and lets through what the policy allows.
type gate struct {
	endpoint string
	policy   deployerPolicy

	mu             sync.Mutex
	asked, refused map[string]bool // actions; whole rights
}

func newGate(t *testing.T, root string) *gate {
	t.Helper()
	g := &gate{policy: readDeployerPolicy(t, root, basePolicy), asked: map[string]bool{}, refused: map[string]bool{}}
	moto, err := url.Parse(testMoto(t).Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(moto)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for _, needed := range rightsFor(r, body) {
			if !g.passes(needed) {
				http.Error(w, "the policy does not allow "+needed.String(), http.StatusForbidden)
				return
			}
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	g.endpoint = server.URL
	return g
}

// passes looks a right up, and remembers it.
func (g *gate) passes(needed right) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked[needed.action] = true
	if g.policy.allows(needed) {
		return true
	}
	g.refused[needed.String()] = true
	return false
}

// run makes a stack and removes it.
func (g *gate) run(ctx context.Context, tools *Tools, dir string) error {
	s, err := tools.Stack(dir, StackOptions{Emulator: g.endpoint})
	if err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{s.Init, s.Apply, s.Destroy} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// report names what was refused, whether or not Terraform went on without it.
func (g *gate) report(t *testing.T) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, refused := range slices.Sorted(maps.Keys(g.refused)) {
		t.Errorf("docs/deployer-policy.json does not allow %s", refused)
	}
	if len(g.asked) == 0 {
		t.Error("no call passed the gate")
	}
	t.Logf("%d rights were needed: %s", len(g.asked), strings.Join(slices.Sorted(maps.Keys(g.asked)), " "))
}

// right is what one call needs.
type right struct {
	action, resource string
	context          map[string]string // condition keys
}

func (r right) String() string { return fmt.Sprintf("%s on %s %v", r.action, r.resource, r.context) }

// rightsFor tells what AWS asks of the policy for a call.
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
func rightsFor(r *http.Request, body []byte) []right {
	scope := strings.Split(r.Header.Get("Authorization"), "/")
	if len(scope) < 5 {
		return []right{{action: "an unsigned call", resource: r.URL.Path}}
	}
	region, service := scope[2], scope[3]
	if service == "s3" {
		return []right{s3Right(r)}
	}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return []right{targetRight(service, target[strings.LastIndex(target, ".")+1:], body)}
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return []right{{action: service + ":?", resource: err.Error()}}
	}
	action := form.Get("Action")
	first := right{action: service + ":" + action, resource: formResource(service, action, form), context: map[string]string{
		"aws:RequestedRegion": region,
		// Every resource carries the tag (infra/stack's contract test), which the emulator's gate cannot see.
		"aws:ResourceTag/Project_name": "module02",
		"iam:PolicyARN":                form.Get("PolicyArn"),
	}}
	if action == "CreateTags" && strings.HasPrefix(form.Get("ResourceId.1"), "sg-") {
		// Every security group is tagged when it is made, but for a VPC's default one, which AWS makes.
		delete(first.context, "aws:ResourceTag/Project_name")
		first.resource = "arn:aws:ec2:" + region + ":" + emulatedAccount + ":security-group/" + form.Get("ResourceId.1")
		first.context["aws:RequestTag/Project_name"] = formTag(form, "Project_name")
	}
	return append([]right{first}, dependents(service, action, first.resource, form)...)
}

// formTag is the value that a call gives to a tag.
func formTag(form url.Values, name string) string {
	for i := 1; form.Has(fmt.Sprintf("Tag.%d.Key", i)); i++ {
		if form.Get(fmt.Sprintf("Tag.%d.Key", i)) == name {
			return form.Get(fmt.Sprintf("Tag.%d.Value", i))
		}
	}
	return ""
}

// dependents are the rights that AWS asks for behind a call.
func dependents(service, action, resource string, form url.Values) []right {
	pass := right{
		action: "iam:PassRole", resource: "arn:aws:iam::" + emulatedAccount + ":role/module02_s3FullAccessRole",
		context: map[string]string{"iam:PassedToService": service + ".amazonaws.com"},
	}
	serviceRole := right{
		action: "iam:CreateServiceLinkedRole", resource: "arn:aws:iam::" + emulatedAccount + ":role/aws-service-role/" + service + ".amazonaws.com/x",
		context: map[string]string{"iam:AWSServiceName": service + ".amazonaws.com"},
	}
	run := right{action: "ec2:RunInstances", resource: "*", context: map[string]string{"aws:RequestedRegion": Region}}
	tag := right{action: "ec2:CreateTags", resource: "*", context: map[string]string{"ec2:CreateAction": action}}
	machine := func(r right) right {
		r.context = map[string]string{"iam:PassedToService": "ec2.amazonaws.com"}
		return r
	}
	var more []right
	switch tagged := form.Has("TagSpecification.1.ResourceType") || form.Has("Tags.member.1.Key"); {
	case tagged && service == "ec2":
		more = append(more, tag)
	case tagged && service == "iam" && strings.HasPrefix(action, "Create"):
		more = append(more, right{action: "iam:Tag" + strings.TrimPrefix(action, "Create"), resource: resource})
	case tagged && service == "elasticloadbalancing":
		more = append(more, right{action: service + ":AddTags", resource: resource})
	}
	switch service + ":" + action {
	case "iam:AddRoleToInstanceProfile", "ec2:RunInstances":
		more = append(more, machine(pass))
	case "autoscaling:CreateAutoScalingGroup":
		tag.context = map[string]string{"ec2:CreateAction": "RunInstances"}
		more = append(more, run, tag, machine(pass), serviceRole)
	case "elasticloadbalancing:CreateLoadBalancer":
		more = append(more, serviceRole)
	}
	return more
}

// formResource is what a call of the query protocol is about, "*" where AWS does not limit it or the call does not say.
func formResource(service, action string, form url.Values) string {
	iam := "arn:aws:iam::" + emulatedAccount + ":"
	elb := "arn:aws:elasticloadbalancing:" + Region + ":" + emulatedAccount + ":"
	switch name := form.Get("Name"); {
	case strings.HasPrefix(action, "Describe"):
	case service == "autoscaling":
		group := form.Get("AutoScalingGroupName") + form.Get("Tags.member.1.ResourceId")
		return "arn:aws:autoscaling:" + Region + ":" + emulatedAccount + ":autoScalingGroup:x:autoScalingGroupName/" + group
	case service == "elasticloadbalancing" && action == "CreateLoadBalancer":
		return elb + "loadbalancer/app/" + name + "/x"
	case service == "elasticloadbalancing" && action == "CreateTargetGroup":
		return elb + "targetgroup/" + name + "/x"
	case service == "elasticloadbalancing":
		return cmp.Or(form.Get("ListenerArn"), form.Get("LoadBalancerArn"), form.Get("TargetGroupArn"), form.Get("ResourceArns.member.1"), "*")
	case service == "iam" && form.Has("InstanceProfileName"):
		return iam + "instance-profile/" + form.Get("InstanceProfileName")
	case service == "iam" && form.Has("RoleName"):
		return iam + "role/" + form.Get("RoleName")
	case service == "iam" && form.Has("PolicyName"):
		return iam + "policy/" + form.Get("PolicyName")
	case service == "iam":
		return cmp.Or(form.Get("PolicyArn"), "*")
	}
	return "*"
}

// targetRight is the right for a call of the JSON protocol.
func targetRight(service, operation string, body []byte) right {
	var call struct {
		Name, BudgetName, ResourceARN string
		Budget                        struct{ BudgetName string }
	}
	_ = json.Unmarshal(body, &call) // what is missing is refused
	switch service {
	case "ssm":
		return right{action: "ssm:" + operation, resource: "arn:aws:ssm:" + Region + "::parameter" + call.Name}
	case "budgets":
		resource := cmp.Or(call.ResourceARN, "arn:aws:budgets::"+emulatedAccount+":budget/"+call.BudgetName+call.Budget.BudgetName)
		switch {
		case strings.Contains(operation, "Tag"):
			return right{action: "budgets:" + operation, resource: resource}
		case strings.HasPrefix(operation, "Describe"):
			return right{action: "budgets:ViewBudget", resource: resource}
		default:
			return right{action: "budgets:ModifyBudget", resource: resource}
		}
	}
	return right{action: service + ":" + operation, resource: "*"}
}

// s3Subresources maps what a bucket's query asks for to the part of the action's name behind Get or Put. Deleting a configuration
// needs the right to put it, but for the policy.
var s3Subresources = map[string]string{
	"accelerate": "AccelerateConfiguration", "acl": "BucketAcl", "cors": "BucketCORS", "encryption": "EncryptionConfiguration",
	"lifecycle": "LifecycleConfiguration", "location": "BucketLocation", "logging": "BucketLogging",
	"object-lock": "BucketObjectLockConfiguration", "ownershipControls": "BucketOwnershipControls", "policy": "BucketPolicy",
	"publicAccessBlock": "BucketPublicAccessBlock", "replication": "ReplicationConfiguration", "requestPayment": "BucketRequestPayment",
	"tagging": "BucketTagging", "versioning": "BucketVersioning", "website": "BucketWebsite",
}

// s3Right is the right for a path-style call to S3.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
func s3Right(r *http.Request) right {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	query, verb := r.URL.Query(), map[string]string{"GET": "Get", "HEAD": "Get", "PUT": "Put", "DELETE": "Delete", "POST": "Put"}[r.Method]
	resource := "arn:aws:s3:::" + bucket
	if key != "" {
		action := verb + "Object"
		switch {
		case query.Has("tagging"):
			action += "Tagging"
		case query.Has("versionId"):
			action += "Version"
		}
		return right{action: "s3:" + action, resource: resource + "/" + key}
	}
	for name, suffix := range s3Subresources {
		if query.Has(name) {
			if verb == "Delete" && name != "policy" {
				verb = "Put"
			}
			return right{action: "s3:" + verb + suffix, resource: resource}
		}
	}
	switch {
	case query.Has("versions"):
		return right{action: "s3:ListBucketVersions", resource: resource}
	case query.Has("delete"):
		return right{action: "s3:DeleteObjectVersion", resource: resource + "/x"}
	case verb == "Get":
		return right{action: "s3:ListBucket", resource: resource}
	case verb == "Put":
		return right{action: "s3:CreateBucket", resource: resource}
	}
	return right{action: "s3:DeleteBucket", resource: resource}
}
