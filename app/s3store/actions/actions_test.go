package actions_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cloudstorage/app/s3store/actions"
)

// The exercise gives the API full access to S3; the product gives it this.
func TestAllIsTheLeastThatTheAPINeeds(t *testing.T) {
	t.Parallel()
	want := []actions.Action{
		{Name: "s3:ListBucket", On: actions.Bucket},
		{Name: "s3:ListBucketVersions", On: actions.Bucket},
		{Name: "s3:GetObject", On: actions.Objects},
		{Name: "s3:GetObjectVersion", On: actions.Objects},
		{Name: "s3:PutObject", On: actions.Objects},
		{Name: "s3:DeleteObject", On: actions.Objects},
		{Name: "s3:AbortMultipartUpload", On: actions.Objects},
		{Name: "s3:ListMultipartUploadParts", On: actions.Objects},
	}
	if diff := cmp.Diff(want, actions.All()); diff != "" {
		t.Error(diff)
	}
	for _, action := range actions.Baked() {
		if !slices.Contains(want, action) {
			t.Errorf("the baked server's %v is not among all", action)
		}
	}
	if n := len(actions.Baked()); n != 5 {
		t.Errorf("the baked server needs 5 actions: %d are declared", n)
	}
}
