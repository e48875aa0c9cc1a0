package stack

import (
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/s3object"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/config"
	"cloudstorage/infra/internal/tf"
	"cloudstorage/infra/release"
)

// publish uploads the build. Its key is its content's digest, so a new build is a new object; the old one goes only
// after the fleet that boots from it.
func publish(stack cdktf.TerraformStack, e *config.Environment, binary release.Binary) cdktf.ITerraformDependable {
	asset := cdktf.NewTerraformAsset(stack, jsii.String("build"), &cdktf.TerraformAssetConfig{
		Path: jsii.String(binary.Path), Type: cdktf.AssetType_FILE, AssetHash: jsii.String(binary.SHA256),
	})
	return s3object.NewS3Object(stack, jsii.String("release"), &s3object.S3ObjectConfig{
		Bucket:    jsii.String(e.Storage.ReleasesBucket),
		Key:       jsii.String(binary.Key()),
		Source:    asset.Path(),
		Tags:      tf.Tags(e.Project().Tags("release")),
		Lifecycle: tf.ReplaceBeforeDestroy(),
	})
}
