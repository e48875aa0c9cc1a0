package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"

	"cloudstorage/infra/emulator"
)

// protectedStack is the least that a protected load balancer can be in.
const protectedStack = `{
	"terraform": {"required_providers": {"aws": {"source": "aws", "version": "~> 5.100"}}, "backend": {"local": {"path": "../../../terraform.x-api.tfstate"}}},
	"provider": {"aws": [{"region": "eu-west-1"}]},
	"resource": {
		"aws_vpc": {"net": {"cidr_block": "10.0.0.0/16"}},
		"aws_subnet": {
			"a": {"vpc_id": "${aws_vpc.net.id}", "cidr_block": "10.0.1.0/24", "availability_zone": "eu-west-1a"},
			"b": {"vpc_id": "${aws_vpc.net.id}", "cidr_block": "10.0.2.0/24", "availability_zone": "eu-west-1b"}
		},
		"aws_lb": {"alb": {
			"name": "x-alb", "subnets": ["${aws_subnet.a.id}", "${aws_subnet.b.id}"], "enable_deletion_protection": true,
			"drop_invalid_header_fields": true, "tags": {"Name": "x-alb"}
		}}
	}
}`

// AWS refuses to delete a protected load balancer, and so does the emulator here: Terraform alone stops at it, a
// destroy that was confirmed does not, even where the environment's file has changed since the deploy.
func TestDestroyLiftsTheDeletionProtection(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("applies with the real Terraform, which takes a minute")
	}
	d, said := protectedDeployment(t)
	s, err := d.stack(t.Context(), "x-api")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if err := s.Destroy(t.Context()); err == nil || !strings.Contains(said.String(), "OperationNotPermitted") {
		t.Fatalf("nothing protects the load balancer: %v\n%s", err, said)
	}
	d.write(t, strings.Replace(protectedStack, "10.0.2.0/24", "10.0.3.0/24", 1))
	said.Reset()
	if err := d.destroyAPI(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	for _, want := range []string{"x-alb is protected from deletion: that is lifted first", "0 added, 1 changed, 0 destroyed", "4 destroyed"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("it did not say %q:\n%s", want, said)
		}
	}
	if strings.Contains(said.String(), "Redundant ignore_changes") {
		t.Errorf("Terraform warns of what is ignored for nothing:\n%s", said)
	}
	if left, err := filepath.Glob(filepath.Join(d.outdir(), "stacks", "*.unprotect")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	// A second time there is nothing left to lift.
	if err := d.destroyAPI(t.Context()); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}

// protectedDeployment is an environment x with a protected load balancer, on an emulator of its own.
func protectedDeployment(t *testing.T) (protected, *bytes.Buffer) {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	tools, err := emulator.FindTools(t.Context(), root, filepath.Join(root, ".cache"), t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	moto := startMoto(t, root)
	var said bytes.Buffer
	d := protected{&deployment{
		project: &project{root: t.TempDir(), console: console{out: &said, err: &said}}, environment: "x", endpoint: moto.Endpoint(), tools: tools,
	}}
	d.write(t, protectedStack)
	return d, &said
}

type protected struct{ *deployment }

func (d protected) write(t *testing.T, stack string) {
	t.Helper()
	dir := emulator.StackDir(d.outdir(), "x-api")
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "cdk.tf.json"), []byte(stack), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestOnlyTheProtectionChangesInTheCopy(t *testing.T) {
	t.Parallel()
	text, err := unprotected([]byte(protectedStack), &tfjson.StateResource{
		Address: "aws_lb.alb", Type: "aws_lb", Name: "alb",
		AttributeValues: map[string]any{"enable_deletion_protection": true, "name": "x-alb", "subnets": []any{"subnet-1"}, "arn": "arn:1", "idle_timeout": 60},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Terraform, Provider, Data, Output any
		Resource                          map[string]map[string]map[string]any
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.Terraform == nil || got.Provider == nil || got.Data != nil || got.Output != nil || len(got.Resource) != 1 {
		t.Errorf("%s", text)
	}
	want := "map[enable_deletion_protection:false lifecycle:map[ignore_changes:[idle_timeout name subnets]] subnets:[subnet-1]]"
	if balancer := fmt.Sprint(got.Resource["aws_lb"]["alb"]); balancer != want {
		t.Errorf("got  %s\nwant %s", balancer, want)
	}
}

func TestADeployWaitsOnlyForANameThatIsKnown(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		outputs  map[string]string
		endpoint string
		want     string
	}{
		"account":          {map[string]string{"budget_name": "b"}, "", ""},
		"certificate only": {map[string]string{"load_balancer_dns_name": "x-alb-1.elb.amazonaws.com"}, "", "Lead one of them to x-alb-1.elb.amazonaws.com"},
		"emulator":         {map[string]string{"api_url": "https://files.example.org"}, "http://127.0.0.1:1", "Not waiting for https://files.example.org"},
	} {
		var said bytes.Buffer
		d := &deployment{project: &project{console: console{out: &said}}, endpoint: tc.endpoint}
		if err := d.waitHealthy(t.Context(), tc.outputs); err != nil || !strings.Contains(said.String(), tc.want) || tc.want == "" && said.Len() > 0 {
			t.Errorf("%s: %v, %q", name, err, &said)
		}
	}
}
