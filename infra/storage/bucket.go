// Package storage makes buckets that keep what they are given: private, encrypted, versioned and never destroyed by
// accident.
package storage

import (
	"errors"
	"fmt"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/s3bucket"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/s3bucketlifecycleconfiguration"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/s3bucketownershipcontrols"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/s3bucketpolicy"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/s3bucketpublicaccessblock"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/s3bucketserversideencryptionconfiguration"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/s3bucketversioning"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/internal/tf"
	"cloudstorage/infra/naming"
)

// Props are what a bucket needs.
type Props struct {
	// Project tags the bucket. Required.
	Project naming.Project
	// Resource is what the bucket is in its Name tag, such as "bucket". Required.
	Resource string
	// Name is the bucket's own, globally unique name. Required.
	Name string
	// UndoDays keeps replaced and deleted versions for that many days. Default 0: forever.
	UndoDays int
	// Emulated leaves out what an emulator lacks: it cannot evaluate the condition of the policy that denies
	// requests without TLS 1.2, and it never runs lifecycle rules, for which the provider would wait a minute.
	// Default false.
	Emulated bool
}

// Validate reports what no bucket could be made of.
func (p Props) Validate() error {
	var errs []error
	if p.Resource == "" {
		errs = append(errs, errors.New("storage: Resource is empty: say what the bucket is, such as \"bucket\""))
	}
	if err := p.Project.BucketName(p.Name); err != nil {
		errs = append(errs, fmt.Errorf("storage: Name: %w", err))
	}
	if p.UndoDays < 0 {
		errs = append(errs, errors.New("storage: UndoDays is below 0: give days, or 0 for forever"))
	}
	return errors.Join(errs...)
}

// abandonedUploadDays is how long the parts of an upload that never completed are kept, and paid for.
const abandonedUploadDays = 7

// Bucket is a bucket and all that guards it.
type Bucket struct{ bucket s3bucket.S3Bucket }

// New makes the bucket. Terraform refuses to destroy it: `make purge` is the way that asks first.
// It panics where Validate would have said why.
func New(scope constructs.Construct, id string, p Props) *Bucket {
	if err := p.Validate(); err != nil {
		panic(err)
	}
	within := constructs.NewConstruct(scope, jsii.String(id))
	b := &Bucket{bucket: s3bucket.NewS3Bucket(within, jsii.String("bucket"), &s3bucket.S3BucketConfig{
		Bucket:    jsii.String(p.Name),
		Tags:      tf.Tags(p.Project.Tags(p.Resource)),
		Lifecycle: &cdktf.TerraformResourceLifecycle{PreventDestroy: jsii.Bool(true)},
	})}
	b.keepPrivate(within, p)
	b.keepVersions(within, p)
	return b
}

func (b *Bucket) keepPrivate(within constructs.Construct, p Props) {
	block := s3bucketpublicaccessblock.NewS3BucketPublicAccessBlock(within, jsii.String("public-access"), &s3bucketpublicaccessblock.S3BucketPublicAccessBlockConfig{
		Bucket:                b.bucket.Id(),
		BlockPublicAcls:       jsii.Bool(true),
		BlockPublicPolicy:     jsii.Bool(true),
		IgnorePublicAcls:      jsii.Bool(true),
		RestrictPublicBuckets: jsii.Bool(true),
	})
	s3bucketownershipcontrols.NewS3BucketOwnershipControls(within, jsii.String("ownership"), &s3bucketownershipcontrols.S3BucketOwnershipControlsConfig{
		Bucket: b.bucket.Id(),
		Rule:   &s3bucketownershipcontrols.S3BucketOwnershipControlsRule{ObjectOwnership: jsii.String("BucketOwnerEnforced")},
	})
	s3bucketserversideencryptionconfiguration.NewS3BucketServerSideEncryptionConfigurationA(within, jsii.String("encryption"), &s3bucketserversideencryptionconfiguration.S3BucketServerSideEncryptionConfigurationAConfig{
		Bucket: b.bucket.Id(),
		Rule: &[]*s3bucketserversideencryptionconfiguration.S3BucketServerSideEncryptionConfigurationRuleA{{
			ApplyServerSideEncryptionByDefault: &s3bucketserversideencryptionconfiguration.S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA{
				SseAlgorithm: jsii.String("AES256"),
			},
		}},
	})
	if p.Emulated {
		return
	}
	s3bucketpolicy.NewS3BucketPolicy(within, jsii.String("policy"), &s3bucketpolicy.S3BucketPolicyConfig{
		Bucket: b.bucket.Id(),
		Policy: tf.JSON(tlsOnly(p.Name)),
		// A policy and the access block change the same configuration: S3 refuses both at once.
		DependsOn: &[]cdktf.ITerraformDependable{block},
	})
}

func (b *Bucket) keepVersions(within constructs.Construct, p Props) {
	versioning := s3bucketversioning.NewS3BucketVersioningA(within, jsii.String("versioning"), &s3bucketversioning.S3BucketVersioningAConfig{
		Bucket:                  b.bucket.Id(),
		VersioningConfiguration: &s3bucketversioning.S3BucketVersioningVersioningConfiguration{Status: jsii.String("Enabled")},
	})
	if p.Emulated {
		return
	}
	rules := []*s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationRule{{
		Id:     jsii.String("abandoned-uploads"),
		Status: jsii.String("Enabled"),
		Filter: &[]*s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationRuleFilter{{}},
		AbortIncompleteMultipartUpload: &[]*s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload{{
			DaysAfterInitiation: jsii.Number(abandonedUploadDays),
		}},
	}}
	if p.UndoDays > 0 {
		rules = append(rules, &s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationRule{
			Id:     jsii.String("undo-window"),
			Status: jsii.String("Enabled"),
			Filter: &[]*s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationRuleFilter{{}},
			NoncurrentVersionExpiration: &[]*s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration{{
				NoncurrentDays: jsii.Number(p.UndoDays),
			}},
			Expiration: &[]*s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationRuleExpiration{{
				ExpiredObjectDeleteMarker: jsii.Bool(true),
			}},
		})
	}
	s3bucketlifecycleconfiguration.NewS3BucketLifecycleConfiguration(within, jsii.String("lifecycle"), &s3bucketlifecycleconfiguration.S3BucketLifecycleConfigurationConfig{
		Bucket:    b.bucket.Id(),
		Rule:      &rules,
		DependsOn: &[]cdktf.ITerraformDependable{versioning},
	})
}

// Name is a token for the bucket's name.
func (b *Bucket) Name() *string { return b.bucket.Bucket() }
