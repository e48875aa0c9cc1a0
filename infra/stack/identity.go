package stack

import (
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/dataawskmsalias"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/app/s3store/actions"
	"cloudstorage/app/state"
	"cloudstorage/infra/config"
	"cloudstorage/infra/identity"
	"cloudstorage/infra/observe"
	"cloudstorage/infra/release"
)

// roleProps are those of the machines' role. logs is the group that they ship to, nil where they do not.
func roleProps(stack cdktf.TerraformStack, e *config.Environment, logs *observe.Logs) identity.Props {
	p := identity.Props{
		Project: e.Project(), Bucket: e.Storage.Bucket, Actions: storeActions(e), Region: e.Region,
		SessionManager: e.Compute.SessionManager, PermissionsBoundary: e.Compute.PermissionsBoundary,
	}
	if logs != nil {
		p.LogGroupARN = logs.ARN()
	}
	if e.Storage.Encryption == config.EncryptionKMS {
		p.KMSKeyARN = keyOf(stack, e, dataKey)
	}
	if e.Release.Delivery == config.Binary {
		p.ReleasesBucket, p.ReleasesPrefix = e.Storage.ReleasesBucket, release.Prefix
	}
	if e.KeepsState() {
		p.State = &identity.State{Bucket: e.Storage.StateBucket}
		if e.Release.Delivery == config.Binary {
			p.State.Writes = []string{state.SealingKeyName, state.RevocationsPrefix + "*"}
		}
		if e.Storage.Encryption == config.EncryptionKMS {
			p.State.KMSKeyARN = keyOf(stack, e, stateResource)
		}
	}
	return p
}

// keyOf is a token for the ARN of a key of the storage stack, found by its name: docs/adr/0001-three-stacks.md.
func keyOf(stack cdktf.TerraformStack, e *config.Environment, name string) *string {
	return dataawskmsalias.NewDataAwsKmsAlias(stack, jsii.String(name+"-key"), &dataawskmsalias.DataAwsKmsAliasConfig{
		Name: jsii.String(e.Project().KeyAlias(name)),
	}).TargetKeyArn()
}

// storeActions are what the server that is delivered calls on the data bucket: the one that is built from source calls
// less.
func storeActions(e *config.Environment) []actions.Action {
	if e.Release.Delivery == config.Source {
		return actions.Baked()
	}
	return actions.All()
}
