package stack_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/aws/jsii-runtime-go"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/app/s3store/actions"
	"cloudstorage/infra/budget"
	"cloudstorage/infra/compute"
	"cloudstorage/infra/identity"
	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/naming"
	"cloudstorage/infra/network"
	"cloudstorage/infra/storage"
)

// Constructs never import each other: each is made here alone, from plain ids. The tests of all of them share this
// package because every test program that loads the provider pays seconds for it.

var (
	project = naming.MustProject("demo")
	vpcID   = jsii.String("vpc-1")
	block   = netip.MustParsePrefix("10.0.0.0/16")
	blocks  = []netip.Prefix{block}
	world   = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
)

func machine() compute.Machine {
	return compute.Machine{
		Project: project, InstanceType: "t4g.micro", Architecture: "arm64", ProfileName: jsii.String("profile"),
		UserData: []byte("#!/bin/sh\n"), VPCID: vpcID, Port: 5000,
	}
}

func TestAFleetTakesRequestsFromItsBalancerOnly(t *testing.T) {
	s := template.One(t, func(stack cdktf.TerraformStack) {
		compute.NewFleet(stack, "compute", compute.FleetProps{
			Machine: machine(), Min: 1, Max: 3, SubnetIDs: *jsii.Strings("subnet-a"),
			BalancerSecurityGroupID: jsii.String("sg-balancer"), TargetGroupARN: jsii.String("arn:target"),
		})
	})
	s.Only("aws_vpc_security_group_ingress_rule").Wants(map[string]string{"referenced_security_group_id": "sg-balancer", "from_port": "5000", "cidr_ipv4": "<nil>"})
	s.Only("aws_launch_template").Wants(map[string]string{"key_name": "<nil>", "block_device_mappings.ebs.encrypted": "true", "user_data": "IyEvYmluL3NoCg=="})
	if got := s.Data("aws_ssm_parameter")[0].Get("name"); !strings.HasSuffix(got.(string), "-arm64") {
		t.Errorf("image: %v", got)
	}
}

func TestAnInstanceWithoutAKeyHasNone(t *testing.T) {
	s := template.One(t, func(stack cdktf.TerraformStack) {
		m := machine()
		m.SSH = &compute.SSH{Name: "demo", Allow: world[:1]}
		compute.NewInstance(stack, "compute", compute.InstanceProps{Machine: m})
	})
	s.Only("aws_instance").Wants(map[string]string{"key_name": "<nil>", "root_block_device.encrypted": "true"})
	if len(s.Resources("aws_key_pair")) != 0 {
		t.Error("a key pair without a key")
	}
}

func TestASilentBudgetTellsNobody(t *testing.T) {
	s := template.One(t, func(stack cdktf.TerraformStack) {
		budget.New(stack, "budget", budget.Props{Project: project, LimitUSD: 5, Email: "a@example.com", Silent: true})
	})
	s.Only("aws_budgets_budget").Wants(map[string]string{"limit_amount": "5", "notification": "<nil>", "name": "demo-budget"})
}

func TestSessionManagerIsAPolicyOfItsOwn(t *testing.T) {
	s := template.One(t, func(stack cdktf.TerraformStack) {
		identity.New(stack, "identity", identity.Props{Project: project, Bucket: "demo-1", Actions: actions.All(), SessionManager: true})
	})
	if got := len(s.Resources("aws_iam_role_policy_attachment")); got != 2 {
		t.Errorf("%d attachments", got)
	}
	var shells string
	for _, policy := range s.Resources("aws_iam_policy") {
		if policy.Get("name") == "demo_sessionManagerPolicy" {
			shells = policy.Get("policy").(string)
		}
	}
	if !strings.Contains(shells, `"ssmmessages:OpenDataChannel"`) || strings.Contains(shells, "s3:") || strings.Contains(shells, "GetParameter") {
		t.Errorf("the policy for shells is %s", shells)
	}
}

func TestWithAnUndoWindowOldVersionsGo(t *testing.T) {
	s := template.One(t, func(stack cdktf.TerraformStack) {
		storage.New(stack, "data", storage.Props{Project: project, Resource: "bucket", Name: "demo-1", UndoDays: 9})
	})
	s.Only("aws_s3_bucket_lifecycle_configuration").Wants(map[string]string{"rule.1.noncurrent_version_expiration.noncurrent_days": "9"})
	policy := s.Only("aws_s3_bucket_policy")
	wantsDependency(t, policy, s.Only("aws_s3_bucket_public_access_block"))
	for _, part := range []string{`"aws:SecureTransport":"false"`, `"s3:TlsVersion":"1.2"`, `"Effect":"Deny"`} {
		if !strings.Contains(policy.Get("policy").(string), part) {
			t.Errorf("no %s in %v", part, policy.Get("policy"))
		}
	}
}

func TestConstructsRefuseWhatAWSWouldRefuseLate(t *testing.T) {
	fleet := func(change func(*compute.FleetProps)) error {
		p := compute.FleetProps{Machine: machine(), Min: 1, Max: 1, SubnetIDs: *jsii.Strings("a"), BalancerSecurityGroupID: vpcID, TargetGroupARN: vpcID}
		change(&p)
		return p.Validate()
	}
	for _, tc := range []struct {
		name, want string
		err        error
	}{
		{"bucket of another project", "does not start with", storage.Props{Project: project, Resource: "b", Name: "other-1"}.Validate()},
		{"bucket without a role", "Resource is empty", storage.Props{Project: project, Name: "demo-1"}.Validate()},
		{"negative undo", "below 0", storage.Props{Project: project, Resource: "b", Name: "demo-1", UndoDays: -1}.Validate()},
		{"role without a bucket", "Bucket is empty", identity.Props{Project: project}.Validate()},
		{"role that reaches its release", "its own release", identity.Props{Project: project, Bucket: "a", ReleasesBucket: "a", ReleasesPrefix: "p/"}.Validate()},
		{"release without a prefix", "go together", identity.Props{Project: project, Bucket: "a", ReleasesBucket: "b"}.Validate()},
		{"budget without a subscriber", "needs a subscriber", budget.Props{Project: project, LimitUSD: 1}.Validate()},
		{"budget of nothing", "below 1", budget.Props{Project: project, Email: "a@b.c"}.Validate()},
		{"min above max", "1 ≤ min ≤ max", fleet(func(p *compute.FleetProps) { p.Min = 2 })},
		{"fleet nowhere", "SubnetIDs", fleet(func(p *compute.FleetProps) { p.SubnetIDs = nil })},
		{"user-data too large", "EC2 takes 1 to 16384", fleet(func(p *compute.FleetProps) { p.UserData = make([]byte, 16385) })},
		{"no user-data", "EC2 takes 1 to 16384", fleet(func(p *compute.FleetProps) { p.UserData = nil })},
		{"key in another format", "OpenSSH", fleet(func(p *compute.FleetProps) { p.SSH = &compute.SSH{Name: "k", PublicKey: "-----BEGIN", Allow: world} })},
		{"machine without a role", "required", compute.InstanceProps{Machine: compute.Machine{UserData: []byte("x"), Port: 1}}.Validate()},
	} {
		if tc.err == nil || !strings.Contains(tc.err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", tc.name, tc.err, tc.want)
		}
	}
}

func TestAConstructPanicsWithItsValidationsError(t *testing.T) {
	defer func() {
		if err, ok := recover().(error); !ok || !strings.Contains(err.Error(), "Subnets is empty") {
			t.Errorf("recovered %v", err)
		}
	}()
	template.One(t, func(stack cdktf.TerraformStack) {
		network.New(stack, "n", network.Props{Project: project, CIDR: block})
	})
}
