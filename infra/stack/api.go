package stack

import (
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/app/settings"
	"cloudstorage/infra/compute"
	"cloudstorage/infra/config"
	"cloudstorage/infra/identity"
	"cloudstorage/infra/release"
)

// API is what "<env>-api" is made of besides its environment.
type API struct {
	// UserData as bootstrap renders it. Required.
	UserData []byte
	// Binary is the build that the user-data pins; nil for the source delivery.
	Binary *release.Binary
	// PublicKey is the public half of ssh.key, in OpenSSH's format; "" where there is no such key yet.
	PublicKey string
}

// NewAPI makes "<env>-api": everything disposable. It comes after storage, the environment's storage stack.
func NewAPI(scope constructs.Construct, e *config.Environment, target Target, storage cdktf.TerraformStack, api API) cdktf.TerraformStack {
	stack := newStack(scope, environmentBase(e, "api", target, missingKey(e, api.PublicKey)))
	stack.AddDependency(storage)
	logs := newLogs(stack, e)
	role := identity.New(stack, "identity", roleProps(stack, e, logs))
	after := role.Ready()
	if logs != nil {
		after = append(after, logs.Ready())
	}
	if api.Binary != nil {
		after = append(after, publish(stack, e, *api.Binary))
	}
	machine := compute.Machine{
		Project: e.Project(), InstanceType: e.Compute.InstanceType, Architecture: e.Compute.Architecture,
		Image: e.Compute.Image, DetailedMonitoring: e.Compute.DetailedMonitoring,
		ProfileName: role.ProfileName(), UserData: api.UserData, Port: settings.Port, SSH: sshProps(e, api.PublicKey),
	}
	if e.Compute.Kind == config.Instance {
		newInstance(stack, e, machine, after)
	} else {
		newFleet(stack, e, machine, after)
	}
	return stack
}
