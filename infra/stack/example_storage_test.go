package stack_test

import (
	"testing"
	"time"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/naming"
	"cloudstorage/infra/storage"
)

// example:
// NewUploads is a bucket that a web site uploads to: files go after a month, links after an hour, and every request is
// written down.
func NewUploads(scope constructs.Construct, project naming.Project, accountID *string) *storage.Bucket {
	logs := storage.NewLogs(scope, "logs", storage.LogsProps{
		Project: project, Name: project.Name("logs-8302961457"), AccountID: accountID, Days: 90,
		Buckets: []string{project.Name("uploads-8302961457")},
	})
	return storage.New(scope, "uploads", storage.Props{
		Project: project, Resource: "uploads", Name: project.Name("uploads-8302961457"),
		ExpireDays: 30, UndoDays: 7, MaxURLTTL: time.Hour, LogsBucket: logs.Name(),
		WebOrigins: []string{"https://files.example.org"},
		Key:        "uploads", AccountID: accountID,
	})
}

// end of example

func TestTheStoragePageShowsWhatIsTested(t *testing.T) {
	showsExample(t, "docs/constructs/storage.md", "example_storage_test.go")
	s := template.One(t, func(stack cdktf.TerraformStack) { NewUploads(stack, naming.MustProject("demo"), accountID) })
	if got := len(s.Resources("aws_s3_bucket")); got != 2 {
		t.Fatalf("%d buckets", got)
	}
	s.Only("aws_s3_bucket_logging").Wants(map[string]string{"target_prefix": "s3/demo-uploads-8302961457/"})
	s.Only("aws_kms_alias").Wants(map[string]string{"name": "alias/demo-uploads"})
	s.Only("aws_s3_bucket_cors_configuration").Wants(map[string]string{"cors_rule.allowed_origins": "[https://files.example.org]"})
}
