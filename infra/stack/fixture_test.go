package stack_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/bootstrap"
	"cloudstorage/infra/config"
	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/release"
	"cloudstorage/infra/stack"
	"cloudstorage/infra/synth"
)

// publicKey is the public half of a key that was made for these tests and thrown away.
const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3jzVqJ7mCkzJdD1vq6wWcVrQkzJZ8mJv0m1mU5cR0e"

// fixtureAPI is what an environment's API would be made of, with a release that never changes.
func fixtureAPI(t testing.TB, e *config.Environment) stack.API {
	t.Helper()
	api := stack.API{}
	if e.SSH != nil {
		api.PublicKey = publicKey
	}
	var install bootstrap.Release
	if e.Release.Delivery == config.Binary {
		file := filepath.Join(t.TempDir(), release.Name)
		if err := os.WriteFile(file, []byte("fixture"), 0o600); err != nil {
			t.Fatal(err)
		}
		api.Binary = &release.Binary{Path: file, SHA256: strings.Repeat("0a", 32), Size: 7}
		install.Binary = &bootstrap.Binary{Region: e.Region, Bucket: e.Storage.ReleasesBucket, Key: api.Binary.Key(), SHA256: api.Binary.SHA256}
	} else {
		install.Source = &bootstrap.Source{GoVersion: "1.25.0", Files: map[string]string{"go.mod": "module fixture\n"}}
	}
	if e.Observe != nil {
		install.Logs = &bootstrap.Logs{Group: e.Project().LogGroup("machines"), Region: e.Region}
	}
	userData, err := bootstrap.Render(synth.Settings(e), install)
	if err != nil {
		t.Fatal(err)
	}
	api.UserData = userData
	return api
}

// shipped synthesizes the environments that the project ships.
func shipped(t testing.TB, target stack.Target) map[string]template.Template {
	t.Helper()
	set, err := config.LoadDir(filepath.Join("..", "environments"))
	if err != nil {
		t.Fatal(err)
	}
	return template.Synth(t, func(app cdktf.App) {
		for _, e := range set.Environments {
			storage := stack.NewStorage(app, e, target)
			stack.NewAPI(app, e, target, storage, fixtureAPI(t, e))
		}
		stack.NewAccount(app, set.Account, target)
	})
}

// changed synthesizes a shipped environment after a change of its text.
func changed(t testing.TB, name string, change *strings.Replacer) map[string]template.Template {
	t.Helper()
	file := filepath.Join("..", "environments", name+".yaml")
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	e, err := config.Parse(name, file, []byte(change.Replace(string(source))))
	if err != nil {
		t.Fatal(err)
	}
	return template.Synth(t, func(app cdktf.App) {
		storage := stack.NewStorage(app, e, stack.Target{})
		stack.NewAPI(app, e, stack.Target{}, storage, fixtureAPI(t, e))
	})
}
