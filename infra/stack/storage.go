package stack

import (
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/config"
	"cloudstorage/infra/storage"
)

// dataKey names the key of the data bucket, where it has one: the api stack finds it by its alias.
const dataKey = "data"

// NewStorage makes "<env>-storage": what must outlive everything else. Nothing in it can be destroyed by accident.
func NewStorage(scope constructs.Construct, e *config.Environment, target Target) cdktf.TerraformStack {
	stack := newStack(scope, environmentBase(e, "storage", target, nil))
	props := storage.Props{Project: e.Project(), UndoDays: e.Storage.UndoDays, Emulated: target.Emulator}
	if e.Storage.LogsBucket != "" || e.Storage.Encryption == config.EncryptionKMS {
		props.AccountID = callerAccount(stack)
	}
	if e.Storage.LogsBucket != "" {
		logs := storage.NewLogs(stack, "logs", logsProps(e, props))
		props.LogsBucket = logs.Name()
		output(stack, "logs_bucket_name", "The bucket with the access logs", logs.Name())
	}
	data := storage.New(stack, "data", dataProps(e, props))
	output(stack, "bucket_name", "The bucket with the users' files", data.Name())
	if e.Release.Delivery == config.Binary {
		props.Resource, props.Name = "releases", e.Storage.ReleasesBucket
		releases := storage.New(stack, "releases", props)
		output(stack, "releases_bucket_name", "The bucket with the server's builds", releases.Name())
	}
	if e.KeepsState() {
		keepState(stack, e, props)
	}
	return stack
}

// dataProps add to what every bucket of an environment has what only the users' files need.
func dataProps(e *config.Environment, p storage.Props) storage.Props {
	p.Resource, p.Name = "bucket", e.Storage.Bucket
	p.ExpireDays, p.MaxURLTTL, p.WebOrigins = e.Storage.ExpireDays, e.API.MaxURLTTL, e.Storage.WebOrigins
	if e.Storage.Encryption == config.EncryptionKMS {
		p.Key = dataKey
	}
	return p
}

func logsProps(e *config.Environment, p storage.Props) storage.LogsProps {
	logs := storage.LogsProps{
		Project: p.Project, Name: e.Storage.LogsBucket, AccountID: p.AccountID, Days: e.Storage.LogsDays,
		Buckets: []string{e.Storage.Bucket}, Balancers: e.Traffic.AccessLogs, Flows: e.Network != nil && e.Network.FlowLogs,
		Emulated: p.Emulated,
	}
	if e.Release.Delivery == config.Binary {
		logs.Buckets = append(logs.Buckets, e.Storage.ReleasesBucket)
	}
	if e.KeepsState() {
		logs.Buckets = append(logs.Buckets, e.Storage.StateBucket)
	}
	return logs
}

// environmentBase is the base of an environment's stack. missing are placeholders that only the caller knows of.
func environmentBase(e *config.Environment, kind string, target Target, missing []string) base {
	return base{
		name: e.Name + "-" + kind, region: e.Region, account: e.AccountID, backend: e.Backend, target: target,
		placeholders: append(texts(e.Placeholders()), missing...),
		initialise:   "make init ENV=" + e.Name,
	}
}
