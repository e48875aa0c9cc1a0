package stack

import (
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/config"
)

// Inputs are everything that stacks are made of: loaded, validated, built and rendered.
type Inputs struct {
	Environments []Environment
	Account      *config.Account // nil: none
	Target       Target
}

// Environment is an environment with what its api stack is made of.
type Environment struct {
	Config *config.Environment
	API    API
}

// Make makes every stack in app; app.Synth writes them.
func (in Inputs) Make(app cdktf.App) {
	for _, e := range in.Environments {
		storage := NewStorage(app, e.Config, in.Target)
		NewAPI(app, e.Config, in.Target, storage, e.API)
	}
	if in.Account != nil {
		NewAccount(app, in.Account, in.Target)
	}
}
