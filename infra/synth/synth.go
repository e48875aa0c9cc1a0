// Package synth prepares all that stacks are made of: it loads and validates the environment files, prepares the releases
// and renders the user-data. Whatever can fail, fails here, before the first construct.
package synth

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"cloudstorage/app/settings/apisettings"
	"cloudstorage/infra/bootstrap"
	"cloudstorage/infra/config"
	"cloudstorage/infra/cost"
	"cloudstorage/infra/egress"
	"cloudstorage/infra/release"
	"cloudstorage/infra/sshkey"
	"cloudstorage/infra/stack"
)

// Releases prepares what machines install. release.Builder is the real one.
type Releases interface {
	Source(ctx context.Context) (release.Source, error)
	Binary(ctx context.Context, architecture string) (release.Binary, error)
}

// Options say what to synthesize, and from what.
type Options struct {
	Environments string       // the folder of the environment files
	Only         string       // one environment, or "account"; "" is all of them
	Root         string       // the project's folder, where private keys are
	Releases     Releases     // prepares the programs
	Target       stack.Target // what will be applied to
	Notes        io.Writer    // one line a fact or warning
	Valid        func()       // called once the files hold no mistake, before releases are prepared; nil is nothing
}

// Prepare does all that comes before the first construct.
func Prepare(ctx context.Context, o Options) (stack.Inputs, error) {
	set, err := config.LoadDir(o.Environments)
	if err != nil {
		return stack.Inputs{}, err
	}
	if set, err = set.Only(o.Only); err != nil {
		return stack.Inputs{}, err
	}
	prices, err := cost.Load()
	if err != nil {
		return stack.Inputs{}, err
	}
	if o.Valid != nil {
		o.Valid()
	}
	in := stack.Inputs{Account: set.Account, Target: o.Target}
	for _, e := range set.Environments {
		api, err := o.prepare(ctx, e)
		if err != nil {
			return stack.Inputs{}, fmt.Errorf("%s: %w", e.Name, err)
		}
		in.Environments = append(in.Environments, stack.Environment{Config: e, API: api})
		if err := o.note(e, api, prices); err != nil {
			return stack.Inputs{}, err
		}
	}
	if in.Account != nil && len(in.Account.Placeholders()) > 0 && !o.Target.Emulator {
		_, err = fmt.Fprintf(o.Notes, "account: warning: placeholders that a real account refuses: run `make init ENV=account`\n")
	}
	return in, err
}

func (o Options) prepare(ctx context.Context, e *config.Environment) (stack.API, error) {
	var api stack.API
	var err error
	if e.SSH != nil {
		if api.PublicKey, err = sshkey.Public(filepath.Join(o.Root, e.SSH.Key)); err != nil {
			return stack.API{}, err
		}
	}
	var install bootstrap.Release
	if e.Release.Delivery == config.Binary {
		binary, err := o.Releases.Binary(ctx, e.Compute.Architecture)
		if err != nil {
			return stack.API{}, err
		}
		api.Binary = &binary
		install.Binary = &bootstrap.Binary{Region: e.Region, Bucket: e.Storage.ReleasesBucket, Key: binary.Key(), SHA256: binary.SHA256}
	} else {
		source, err := o.Releases.Source(ctx)
		if err != nil {
			return stack.API{}, err
		}
		install.Source = &bootstrap.Source{Files: source.Files, GoVersion: source.GoVersion, GoProxy: e.Release.GoProxy, Sum: source.Sum}
	}
	if e.Observe != nil {
		install.Logs = &bootstrap.Logs{Group: e.Project().LogGroup("machines"), Region: e.Region}
	}
	api.UserData, err = bootstrap.Render(Settings(e), install)
	return api, err
}

// note says what whoever deploys should know.
func (o Options) note(e *config.Environment, api stack.API, prices cost.Prices) error {
	lines := []string{fmt.Sprintf("user-data %d of %d bytes (%s)", len(api.UserData), bootstrap.Limit, e.Release.Delivery)}
	if !o.Target.Emulator {
		lines = append(lines, egress.Note(e, prices))
	}
	if e.Public() {
		lines = append(lines, "warning: anyone may list, read, replace and delete files: api.allow has no bounds")
	}
	if e.API.Access == apisettings.Restricted && len(e.API.Keys) == 0 && e.API.OIDC == nil {
		lines = append(lines, "warning: nobody may call: `storagectl key new` makes a key and prints its lines for api.keys")
	}
	if !o.Target.Emulator {
		if len(e.Placeholders()) > 0 {
			lines = append(lines, "warning: placeholders that a real account refuses: run `make init ENV="+e.Name+"`")
		}
		if e.SSH != nil && api.PublicKey == "" {
			lines = append(lines, "warning: "+e.SSH.Key+" does not exist, which a real account refuses: run `make key`")
		}
	}
	var text strings.Builder
	for _, line := range lines {
		text.WriteString(e.Name + ": " + line + "\n")
	}
	_, err := io.WriteString(o.Notes, text.String())
	return err
}
