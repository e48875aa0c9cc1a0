package stack_test

import (
	"fmt"
	"testing"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/s3bucketintelligenttieringconfiguration"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/naming"
	"cloudstorage/infra/storage"
)

// The README shows what is between the two lines below; TestTheReadmeShowsWhatIsTested holds it to the letter.

// example:
// NewArchive is a bucket as ours are, whose unread files move to cheaper storage by themselves.
func NewArchive(scope constructs.Construct, id string, project naming.Project, name string) *storage.Bucket {
	bucket := storage.New(scope, id, storage.Props{Project: project, Resource: "archive", Name: name, UndoDays: 90})
	s3bucketintelligenttieringconfiguration.NewS3BucketIntelligentTieringConfiguration(scope, jsii.String(id+"-tiering"), &s3bucketintelligenttieringconfiguration.S3BucketIntelligentTieringConfigurationConfig{
		Bucket: bucket.Name(), Name: jsii.String(project.Name("archive")),
		Tiering: &[]*s3bucketintelligenttieringconfiguration.S3BucketIntelligentTieringConfigurationTiering{{
			AccessTier: jsii.String("ARCHIVE_ACCESS"), Days: jsii.Number(90),
		}},
	})
	return bucket
}

// end of example

func TestAConstructIsExtendedByAFunctionAroundIt(t *testing.T) {
	s := template.One(t, func(stack cdktf.TerraformStack) {
		NewArchive(stack, "archive", naming.MustProject("demo"), "demo-archive-1")
	})
	bucket := s.Only("aws_s3_bucket")
	s.Only("aws_s3_bucket_intelligent_tiering_configuration").Wants(map[string]string{"bucket": bucket.Ref("bucket"), "tiering.days": "90"})
	if got := fmt.Sprint(bucket.Tags()["Name"]); got != "demo-archive" {
		t.Error(got)
	}
}
