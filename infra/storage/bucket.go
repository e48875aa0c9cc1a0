// Package storage makes buckets that keep what they are given: private, encrypted, versioned and never destroyed by
// accident; and the bucket that keeps the logs about them.
package storage

import (
	"errors"
	"fmt"
	"time"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/s3bucket"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/s3bucketlogging"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/s3bucketownershipcontrols"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/s3bucketpolicy"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/s3bucketpublicaccessblock"
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
	// ExpireDays deletes every object that many days after it was written; UndoDays later it is gone. Default 0: never.
	ExpireDays int
	// ExpirePrefix limits UndoDays and ExpireDays to objects below it: all others, and their versions, are kept forever.
	// Default "": all objects.
	ExpirePrefix string
	// MaxURLTTL is the age at which presigned URLs are refused, whoever signed them, in whole milliseconds up to
	// MaxURLTTL. Default 0: the 7 days that S3 allows.
	MaxURLTTL time.Duration
	// Key is the name of a KMS key of the bucket's own, such as "data": its alias is "alias/<project_name>-<Key>".
	// Default "": keys that S3 manages.
	Key string
	// AccountID is the account that the bucket is in, whose policies say who uses the key. Required with Key.
	AccountID *string
	// WebOrigins are web sites, such as https://files.example.org, whose pages may use presigned URLs. Default: none.
	WebOrigins []string
	// LogsBucket is the bucket, made by NewLogs, that gets a line for each request, below AccessLogsPrefix. Default: none.
	LogsBucket *string
	// Emulated leaves out what an emulator lacks: it cannot evaluate the conditions under which the policy denies
	// requests, and it never runs lifecycle rules, for which the provider would wait a minute. Default false.
	Emulated bool
}

// MaxURLTTL is how long S3 accepts a presigned URL.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
const MaxURLTTL = 7 * 24 * time.Hour

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
	if p.ExpireDays < 0 {
		errs = append(errs, errors.New("storage: ExpireDays is below 0: give days, or 0 for never"))
	}
	if p.ExpireDays > 0 && p.UndoDays == 0 {
		errs = append(errs, fmt.Errorf("storage: ExpireDays is %d and UndoDays is 0: what expires would be kept, and paid for, forever as an old version; set UndoDays", p.ExpireDays))
	}
	if p.ExpirePrefix != "" && p.UndoDays == 0 {
		errs = append(errs, fmt.Errorf("storage: ExpirePrefix is %q and nothing ends: set UndoDays, and ExpireDays, or remove it", p.ExpirePrefix))
	}
	if p.MaxURLTTL < 0 || p.MaxURLTTL > MaxURLTTL || p.MaxURLTTL%time.Millisecond != 0 {
		errs = append(errs, fmt.Errorf("storage: MaxURLTTL is %s: give whole milliseconds up to %s, or 0 for S3's own limit", p.MaxURLTTL, MaxURLTTL))
	}
	if p.Key != "" && p.AccountID == nil {
		errs = append(errs, fmt.Errorf("storage: AccountID is missing: the key %q would belong to nobody", p.Key))
	}
	for _, origin := range p.WebOrigins {
		if err := webOrigin(origin); err != nil {
			errs = append(errs, fmt.Errorf("storage: WebOrigins: %w", err))
		}
	}
	return errors.Join(errs...)
}

// Bucket is a bucket and all that guards it.
type Bucket struct {
	bucket s3bucket.S3Bucket
	ready  []cdktf.ITerraformDependable
}

// New makes the bucket. Terraform refuses to destroy it: `make purge` is the way that asks first.
// It panics where Validate would have said why.
func New(scope constructs.Construct, id string, p Props) *Bucket {
	if err := p.Validate(); err != nil {
		panic(err)
	}
	within := constructs.NewConstruct(scope, jsii.String(id))
	b := newBucket(within, p)
	key := b.encrypt(within, p)
	b.admit(within, p.Emulated, nil, refusals(p, key))
	if len(p.WebOrigins) > 0 {
		b.openTo(within, p.WebOrigins)
	}
	if p.LogsBucket != nil {
		s3bucketlogging.NewS3BucketLoggingA(within, jsii.String("access-logs"), &s3bucketlogging.S3BucketLoggingAConfig{
			Bucket:       b.bucket.Id(),
			TargetBucket: p.LogsBucket,
			TargetPrefix: jsii.String(AccessLogsPrefix(p.Name)),
		})
	}
	return b
}

// newBucket makes a bucket that is private and versioned, without encryption and policy.
func newBucket(within constructs.Construct, p Props) *Bucket {
	b := &Bucket{bucket: s3bucket.NewS3Bucket(within, jsii.String("bucket"), &s3bucket.S3BucketConfig{
		Bucket:    jsii.String(p.Name),
		Tags:      tf.Tags(p.Project.Tags(p.Resource)),
		Lifecycle: &cdktf.TerraformResourceLifecycle{PreventDestroy: jsii.Bool(true)},
	})}
	s3bucketownershipcontrols.NewS3BucketOwnershipControls(within, jsii.String("ownership"), &s3bucketownershipcontrols.S3BucketOwnershipControlsConfig{
		Bucket: b.bucket.Id(),
		Rule:   &s3bucketownershipcontrols.S3BucketOwnershipControlsRule{ObjectOwnership: jsii.String("BucketOwnerEnforced")},
	})
	b.keepVersions(within, p)
	return b
}

// admit blocks public access and makes the policy: whom it lets in, and what it denies everybody. It returns the
// policy, nil where nothing is left of it on an emulator.
func (b *Bucket) admit(within constructs.Construct, emulated bool, allowed, denied []statement) s3bucketpolicy.S3BucketPolicy {
	block := s3bucketpublicaccessblock.NewS3BucketPublicAccessBlock(within, jsii.String("public-access"), &s3bucketpublicaccessblock.S3BucketPublicAccessBlockConfig{
		Bucket:                b.bucket.Id(),
		BlockPublicAcls:       jsii.Bool(true),
		BlockPublicPolicy:     jsii.Bool(true),
		IgnorePublicAcls:      jsii.Bool(true),
		RestrictPublicBuckets: jsii.Bool(true),
	})
	statements := allowed
	if !emulated {
		statements = append(statements, denied...)
	}
	b.ready = append(b.ready, block)
	if len(statements) == 0 {
		return nil
	}
	policy := s3bucketpolicy.NewS3BucketPolicy(within, jsii.String("policy"), &s3bucketpolicy.S3BucketPolicyConfig{
		Bucket: b.bucket.Id(),
		Policy: tf.JSON(document(statements)),
		// A policy and the access block change the same configuration: S3 refuses both at once.
		DependsOn: &[]cdktf.ITerraformDependable{block},
	})
	b.ready = append(b.ready, policy)
	return policy
}

// Name is a token for the bucket's name.
func (b *Bucket) Name() *string { return b.bucket.Bucket() }

// Ready is what must be there before the first object, so that it is kept like all others: versioning, encryption and
// the policy.
func (b *Bucket) Ready() []cdktf.ITerraformDependable { return b.ready }
