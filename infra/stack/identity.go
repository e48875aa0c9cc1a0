package stack

import (
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/dataawskmsalias"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/app/s3store/actions"
	"cloudstorage/infra/config"
	"cloudstorage/infra/identity"
	"cloudstorage/infra/observe"
	"cloudstorage/infra/release"
)

// roleProps are those of the machines' role. logs is the group that they ship to, nil where they do not.
func roleProps(stack cdktf.TerraformStack, e *config.Environment, logs *observe.Logs) identity.Props {
	p := identity.Props{
		Project: e.Project(), Bucket: e.Storage.Bucket, Actions: storeActions(), Region: e.Region,
		SessionManager: e.Compute.SessionManager, PermissionsBoundary: e.Compute.PermissionsBoundary,
	}
	if logs != nil {
		p.LogGroupARN = logs.ARN()
	}
	if e.Storage.Encryption == config.EncryptionKMS {
		// The storage stack's key, found by its name: docs/adr/0001-three-stacks.md.
		p.KMSKeyARN = dataawskmsalias.NewDataAwsKmsAlias(stack, jsii.String("data-key"), &dataawskmsalias.DataAwsKmsAliasConfig{
			Name: jsii.String(e.Project().KeyAlias(dataKey)),
		}).TargetKeyArn()
	}
	if e.Release.Delivery == config.Binary {
		p.ReleasesBucket, p.ReleasesPrefix = e.Storage.ReleasesBucket, release.Prefix
	}
	return p
}

// storeActions are what the servers of both deliveries call on the data bucket: the exercise's routes are all that they
// answer. The packages below s3store call more, and no server uses them yet.
func storeActions() []actions.Action { return actions.Exercise() }
