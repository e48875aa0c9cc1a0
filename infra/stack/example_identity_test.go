package stack_test

import (
	"testing"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/app/s3store/actions"
	"cloudstorage/infra/identity"
	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/naming"
)

// example:
// NewWorker is the role of machines that run the store on one bucket, and tell what they do in one log group.
func NewWorker(scope constructs.Construct, project naming.Project, bucket string, logGroupARN *string) *identity.Role {
	return identity.New(scope, "worker", identity.Props{
		Project: project, Bucket: bucket, Actions: actions.All(), LogGroupARN: logGroupARN, SessionManager: true,
		PermissionsBoundary: "arn:aws:iam::111122223333:policy/machines",
	})
}

// end of example

func TestTheIdentityPageShowsWhatIsTested(t *testing.T) {
	showsExample(t, "docs/constructs/identity.md", "example_identity_test.go")
	s := template.One(t, func(stack cdktf.TerraformStack) {
		NewWorker(stack, naming.MustProject("demo"), "demo-1", jsii.String("arn:aws:logs:eu-west-1:111122223333:log-group:/demo/api"))
	})
	if got := len(s.Resources("aws_iam_policy")); got != 3 {
		t.Errorf("%d policies, want one each for files, shells and logs", got)
	}
	s.Only("aws_iam_role").Wants(map[string]string{"name": "demo_s3FullAccessRole", "permissions_boundary": "arn:aws:iam::111122223333:policy/machines"})
}
