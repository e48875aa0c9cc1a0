package stack

import (
	"crypto/md5"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/s3object"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/app/settings/apisettings"
	"cloudstorage/app/state"
	"cloudstorage/infra/config"
	"cloudstorage/infra/internal/tf"
	"cloudstorage/infra/storage"
)

// stateResource is what the bucket with the API's own state is in names: Terraform's state has "state".
const stateResource = "api-state"

// A revocation is of no use once its link has ended by itself; S3 counts in whole days. What was deleted can be brought
// back for a while, as elsewhere. Whatever else is in the bucket stays, in all its versions: it is small, and without
// the sealing key no link works any more.
const (
	revocationDays     = int(apisettings.LimitMaxLinkTTL/(24*time.Hour)) + 1
	revocationUndoDays = 30
)

// keepState makes the bucket with the API's own state and, where callers need one, writes their keys into it. p is what
// every bucket of the environment has.
func keepState(stack cdktf.TerraformStack, e *config.Environment, p storage.Props) {
	p.Resource, p.Name = stateResource, e.Storage.StateBucket
	p.ExpirePrefix, p.ExpireDays, p.UndoDays = state.RevocationsPrefix, revocationDays, revocationUndoDays
	if e.Storage.Encryption == config.EncryptionKMS {
		p.Key = stateResource
	}
	bucket := storage.New(stack, stateResource, p)
	output(stack, "api_state_bucket_name", "The bucket with the API's own state", bucket.Name())
	if e.API.Access == apisettings.Restricted {
		writeKeyring(stack, e, bucket)
	}
}

// writeKeyring writes who may call with a key. The machines reread it, and nothing of them is made from it: a key that
// comes or goes is one change of this object, in place.
func writeKeyring(stack cdktf.TerraformStack, e *config.Environment, bucket *storage.Bucket) {
	ring, err := e.Keyring()
	if err != nil {
		panic(fmt.Errorf("%s: the keyring was not validated: %w", e.Name, err))
	}
	text, err := json.Marshal(ring)
	if err != nil {
		panic(fmt.Errorf("%s: render the keyring: %w", e.Name, err))
	}
	object := &s3object.S3ObjectConfig{
		Bucket:      bucket.Name(),
		Key:         jsii.String(state.KeyringName),
		Content:     tf.Literal(string(text)),
		ContentType: jsii.String("application/json"),
		Tags:        tf.Tags(e.Project().Tags("keyring")),
		DependsOn:   tf.Dependables(bucket.Ready()),
	}
	if e.Storage.Encryption == config.EncryptionS3 {
		// Terraform does not read the content back: by this it sees a keyring that was changed past it. The ETag of what is
		// encrypted by KMS says nothing of the content.
		// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
		object.Etag = jsii.String(fmt.Sprintf("%x", md5.Sum(text)))
	}
	s3object.NewS3Object(stack, jsii.String("keyring"), object)
}
