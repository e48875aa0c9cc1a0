package storage

import (
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/kmsalias"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/kmskey"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/s3bucketserversideencryptionconfiguration"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/internal/tf"
)

// encrypt encrypts what comes in, with a key of the bucket's own where it has one: a token for the key's ARN is then
// returned, else "".
func (b *Bucket) encrypt(within constructs.Construct, p Props) string {
	if p.Key == "" {
		b.encryptBy(within, &s3bucketserversideencryptionconfiguration.S3BucketServerSideEncryptionConfigurationRuleA{
			ApplyServerSideEncryptionByDefault: &s3bucketserversideencryptionconfiguration.S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA{
				SseAlgorithm: jsii.String("AES256"),
			},
		})
		return ""
	}
	key := b.newKey(within, p)
	b.encryptBy(within, &s3bucketserversideencryptionconfiguration.S3BucketServerSideEncryptionConfigurationRuleA{
		ApplyServerSideEncryptionByDefault: &s3bucketserversideencryptionconfiguration.S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA{
			SseAlgorithm: jsii.String("aws:kms"), KmsMasterKeyId: key.Arn(),
		},
		// One call to KMS serves many objects, so the price of the calls does not grow with the requests.
		BucketKeyEnabled: jsii.Bool(true),
	})
	return *key.Arn()
}

func (b *Bucket) encryptBy(within constructs.Construct, rule *s3bucketserversideencryptionconfiguration.S3BucketServerSideEncryptionConfigurationRuleA) {
	b.ready = append(b.ready, s3bucketserversideencryptionconfiguration.NewS3BucketServerSideEncryptionConfigurationA(within, jsii.String("encryption"), &s3bucketserversideencryptionconfiguration.S3BucketServerSideEncryptionConfigurationAConfig{
		Bucket: b.bucket.Id(),
		Rule:   &[]*s3bucketserversideencryptionconfiguration.S3BucketServerSideEncryptionConfigurationRuleA{rule},
	}))
}

// newKey makes the key. Without it the files cannot be read, so Terraform refuses to destroy it too; if that is lifted,
// KMS still waits the 30 days that it waits at most.
func (b *Bucket) newKey(within constructs.Construct, p Props) kmskey.KmsKey {
	key := kmskey.NewKmsKey(within, jsii.String("key"), &kmskey.KmsKeyConfig{
		Description:          jsii.String("Encrypts the objects of " + p.Name),
		EnableKeyRotation:    jsii.Bool(true),
		DeletionWindowInDays: jsii.Number(30),
		Policy:               tf.JSON(document(keyRights(*p.AccountID, *b.bucket.Region(), p.Name))),
		Tags:                 tf.Tags(p.Project.Tags(p.Key)),
		Lifecycle:            &cdktf.TerraformResourceLifecycle{PreventDestroy: jsii.Bool(true)},
	})
	kmsalias.NewKmsAlias(within, jsii.String("key-alias"), &kmsalias.KmsAliasConfig{
		Name: jsii.String(p.Project.KeyAlias(p.Key)), TargetKeyId: key.KeyId(),
	})
	return key
}

// keyRights let the account's own policies give out two things: keeping the key, and using it through S3 for the one
// bucket. Nobody decrypts with it directly. The policy belongs to the key, so "*" is the key. With a bucket key, the
// encryption context is the bucket's ARN.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
func keyRights(accountID, region, bucket string) []statement {
	allow := func(sid string, condition map[string]map[string]values, actions ...string) statement {
		return statement{Sid: sid, Effect: "Allow", Principal: account(accountID), Action: actions, Resource: values{"*"}, Condition: condition}
	}
	return []statement{
		allow("Keep", nil,
			"kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey", "kms:DisableKeyRotation",
			"kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListGrants", "kms:ListKeyPolicies",
			"kms:ListKeyRotations", "kms:ListResourceTags", "kms:PutKeyPolicy", "kms:RevokeGrant", "kms:RotateKeyOnDemand",
			"kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription",
		),
		allow("UseThroughS3", map[string]map[string]values{"StringEquals": {
			"kms:ViaService":                   {"s3." + region + ".amazonaws.com"},
			"kms:EncryptionContext:aws:s3:arn": {bucketARN(bucket)},
		}}, "kms:Decrypt", "kms:GenerateDataKey"),
	}
}
