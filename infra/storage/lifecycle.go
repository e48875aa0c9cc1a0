package storage

import (
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/s3bucketlifecycleconfiguration"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/s3bucketversioning"
	"github.com/hashicorp/terraform-cdk-go/cdktf"
)

// abandonedUploadDays is how long the parts of an upload that never completed are kept, and paid for.
const abandonedUploadDays = 7

// keepVersions keeps what is replaced or deleted, and says when what goes.
func (b *Bucket) keepVersions(within constructs.Construct, p Props) {
	versioning := s3bucketversioning.NewS3BucketVersioningA(within, jsii.String("versioning"), &s3bucketversioning.S3BucketVersioningAConfig{
		Bucket:                  b.bucket.Id(),
		VersioningConfiguration: &s3bucketversioning.S3BucketVersioningVersioningConfiguration{Status: jsii.String("Enabled")},
	})
	b.ready = append(b.ready, versioning)
	if p.Emulated {
		return
	}
	rules := []*s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationRule{abandonedUploads()}
	if p.UndoDays > 0 {
		rules = append(rules, below(p.ExpirePrefix, undoWindow(p.UndoDays)))
	}
	if p.ExpireDays > 0 {
		rules = append(rules, below(p.ExpirePrefix, expiry(p.ExpireDays)))
	}
	s3bucketlifecycleconfiguration.NewS3BucketLifecycleConfiguration(within, jsii.String("lifecycle"), &s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationConfig{
		Bucket:    b.bucket.Id(),
		Rule:      &rules,
		DependsOn: &[]cdktf.ITerraformDependable{versioning},
	})
}

// rule is a rule for every object of a bucket.
func rule(id string) *s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationRule {
	return &s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationRule{
		Id:     jsii.String(id),
		Status: jsii.String("Enabled"),
		Filter: &[]*s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationRuleFilter{{}},
	}
}

// below limits a rule to objects below a prefix.
func below(prefix string, r *s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationRule) *s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationRule {
	if prefix != "" {
		r.Filter = &[]*s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationRuleFilter{{Prefix: jsii.String(prefix)}}
	}
	return r
}

func abandonedUploads() *s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationRule {
	r := rule("abandoned-uploads")
	r.AbortIncompleteMultipartUpload = &[]*s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload{{
		DaysAfterInitiation: jsii.Number(abandonedUploadDays),
	}}
	return r
}

// undoWindow ends old versions, and delete markers that hide nothing any more.
func undoWindow(days int) *s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationRule {
	r := rule("undo-window")
	r.NoncurrentVersionExpiration = &[]*s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration{{
		NoncurrentDays: jsii.Number(days),
	}}
	r.Expiration = &[]*s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationRuleExpiration{{
		ExpiredObjectDeleteMarker: jsii.Bool(true),
	}}
	return r
}

// expiry is a rule of its own, since S3 takes days and delete markers in one rule for contradictory.
func expiry(days int) *s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationRule {
	r := rule("expiry")
	r.Expiration = &[]*s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationRuleExpiration{{Days: jsii.Number(days)}}
	return r
}
