package stack

import (
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/config"
	"cloudstorage/infra/storage"
)

// NewStorage makes "<env>-storage": what must outlive everything else. Nothing in it can be destroyed by accident.
func NewStorage(scope constructs.Construct, e *config.Environment, target Target) cdktf.TerraformStack {
	stack := newStack(scope, environmentBase(e, "storage", target, nil))
	data := storage.New(stack, "data", storage.Props{
		Project: e.Project(), Resource: "bucket", Name: e.Storage.Bucket,
		UndoDays: e.Storage.UndoDays, Emulated: target.Emulator,
	})
	output(stack, "bucket_name", "The bucket with the users' files", data.Name())
	if e.Release.Delivery == config.Binary {
		releases := storage.New(stack, "releases", storage.Props{
			Project: e.Project(), Resource: "releases", Name: e.Storage.ReleasesBucket,
			UndoDays: e.Storage.UndoDays, Emulated: target.Emulator,
		})
		output(stack, "releases_bucket_name", "The bucket with the server's builds", releases.Name())
	}
	return stack
}

// environmentBase is the base of an environment's stack. missing are placeholders that only the caller knows of.
func environmentBase(e *config.Environment, kind string, target Target, missing []string) base {
	return base{
		name: e.Name + "-" + kind, region: e.Region, account: e.AccountID, backend: e.Backend, target: target,
		placeholders: append(texts(e.Placeholders()), missing...),
		initialise:   "make init ENV=" + e.Name,
	}
}
