// Package synth turns environment files into Terraform: it loads and validates them, prepares the releases, renders the
// user-data, makes the stacks and writes them out.
package synth

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/app/settings"
	"cloudstorage/infra/bootstrap"
	"cloudstorage/infra/config"
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
}

// prepared is an environment with all that its stacks need; making it takes no jsii.
type prepared struct {
	environment *config.Environment
	api         stack.API
}

// Prepared is everything that was loaded, validated, built and rendered.
type Prepared struct {
	environments []prepared
	account      *config.Account
	target       stack.Target
}

// Prepare does all that can fail, before the first construct is made.
func Prepare(ctx context.Context, o Options) (*Prepared, error) {
	set, err := config.LoadDir(o.Environments)
	if err != nil {
		return nil, err
	}
	if set, err = set.Only(o.Only); err != nil {
		return nil, err
	}
	p := &Prepared{account: set.Account, target: o.Target}
	for _, e := range set.Environments {
		api, err := o.prepare(ctx, e)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name, err)
		}
		p.environments = append(p.environments, prepared{e, api})
		if err := o.note(e, api); err != nil {
			return nil, err
		}
	}
	if p.account != nil && len(p.account.Placeholders()) > 0 && !o.Target.Emulator {
		_, err = fmt.Fprintf(o.Notes, "account: warning: placeholders that a real account refuses: run `make init ENV=account`\n")
	}
	return p, err
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
		install.Source = &bootstrap.Source{Files: source.Files, GoVersion: source.GoVersion, GoProxy: e.Release.GoProxy}
	}
	api.UserData, err = bootstrap.Render(settings.Settings{Bucket: e.Storage.Bucket, Region: e.Region, URLTTL: e.API.URLTTL}, install)
	return api, err
}

// note says what whoever deploys should know.
func (o Options) note(e *config.Environment, api stack.API) error {
	lines := []string{fmt.Sprintf("user-data %d of %d bytes (%s)", len(api.UserData), bootstrap.Limit, e.Release.Delivery)}
	if e.Public() {
		lines = append(lines, "warning: anyone may list, read, replace and delete files: api.allow has no bounds, as the exercise asks")
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

// Stacks makes every stack in app; app.Synth writes them.
func (p *Prepared) Stacks(app cdktf.App) {
	for _, each := range p.environments {
		storage := stack.NewStorage(app, each.environment, p.target)
		stack.NewAPI(app, each.environment, p.target, storage, each.api)
	}
	if p.account != nil {
		stack.NewAccount(app, p.account, p.target)
	}
}
