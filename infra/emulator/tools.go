package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	tfexec "github.com/hashicorp/terraform-exec/tfexec"
)

const (
	minTerraform    = "1.10"   // the first whose S3 backend locks without a table
	pinnedTerraform = "1.11.4" // installed where none is found
	registryURL     = "https://registry.terraform.io/.well-known/terraform.json"
	registryTimeout = 3 * time.Second
)

// Tools are a Terraform program and what it needs in its environment to find the AWS provider.
type Tools struct {
	Terraform string // path of the program
	Version   string
	Mirror    string // folder that the provider comes from; "": wherever Terraform finds it (the registry)

	env   Environ
	cache string
}

// FindTools finds terraform of at least version 1.10 on PATH, or installs a pinned one below cache; and where the
// registry cannot be reached, a mirror that holds the provider. project is the project's root folder.
func FindTools(ctx context.Context, project, cache string, note Note) (*Tools, error) {
	t := &Tools{cache: cache, env: terraformEnviron(OwnEnviron())}
	var err error
	if t.Terraform, t.Version, err = findTerraform(ctx, project, cache, t.env, note); err != nil {
		return nil, err
	}
	if err := t.findProvider(ctx, note); err != nil {
		return nil, err
	}
	return t, nil
}

// Environ is what a Terraform that is run by hand needs in its environment.
func (t *Tools) Environ() Environ { return t.env.With(nil) }

// terraformEnviron is what a child Terraform gets: nothing that would change its output or its plan from outside.
func terraformEnviron(own Environ) Environ {
	env := Environ(tfexec.CleanEnv(own))
	// Terraform warns, on every command, about a configuration file that is not there.
	if path := env["TF_CLI_CONFIG_FILE"]; path != "" {
		if _, err := os.Stat(path); err != nil {
			delete(env, "TF_CLI_CONFIG_FILE")
		}
	}
	env["CHECKPOINT_DISABLE"] = "1"
	// Terraform and the provider run for seconds, of which collecting garbage took a third; it costs a fifth more memory.
	if env["GOGC"] == "" {
		env["GOGC"] = "400"
	}
	return env
}

func findTerraform(ctx context.Context, project, cache string, env Environ, note Note) (path, version string, err error) {
	if path, err := exec.LookPath("terraform"); err == nil {
		version, err := terraformVersion(ctx, path, env)
		switch {
		case err != nil:
			note("terraform on PATH does not run (%v): using %s of its own", err, pinnedTerraform)
		case !atLeast(version, minTerraform):
			note("terraform %s on PATH is older than %s: using %s of its own", version, minTerraform, pinnedTerraform)
		default:
			return path, version, nil
		}
	}
	dir := filepath.Join(cache, "terraform", pinnedTerraform)
	path = filepath.Join(dir, "terraform")
	if version, err := terraformVersion(ctx, path, env); err == nil {
		return path, version, nil
	}
	unlock, err := lock(ctx, filepath.Join(cache, "terraform", "install.lock"))
	if err != nil {
		return "", "", err
	}
	defer unlock()
	note("installing terraform %s, once", pinnedTerraform)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", "", fmt.Errorf("installing terraform: %w", err)
	}
	// The installer (it checks HashiCorp's signature) is a tool in a module of its own, so that the product does
	// not carry its dependencies.
	err = quietly(ctx, "go", "-C", filepath.Join(project, "infra", "emulator", "tools"), "tool", "hc-install",
		"install", "-version", pinnedTerraform, "-path", dir, "terraform")
	if err != nil {
		return "", "", fmt.Errorf("terraform %s or later is not on PATH and installing %s failed: install it from https://developer.hashicorp.com/terraform/install: %w",
			minTerraform, pinnedTerraform, err)
	}
	version, err = terraformVersion(ctx, path, env)
	return path, version, err
}

func terraformVersion(ctx context.Context, path string, env Environ) (string, error) {
	cmd := exec.CommandContext(ctx, path, "version", "-json")
	cmd.Env = env.Lines()
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("asking %s for its version: %w", path, err)
	}
	var answer struct {
		Version string `json:"terraform_version"`
	}
	if err := json.Unmarshal(out, &answer); err != nil || answer.Version == "" {
		return "", fmt.Errorf("asking %s for its version: it said %q", path, out)
	}
	return answer.Version, nil
}

// findProvider sets the environment so that `terraform init` finds the provider.
func (t *Tools) findProvider(ctx context.Context, note Note) error {
	if installsProviders(t.env) {
		return nil // the user's own configuration says where providers come from
	}
	if reachable(ctx, registryURL) {
		// One download for all stacks. Without the second setting Terraform ignores the cache unless a lock file
		// knows the checksum already; the stacks' lock files are not kept.
		if t.env["TF_PLUGIN_CACHE_DIR"] == "" {
			dir := filepath.Join(t.cache, "terraform", "plugins")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return fmt.Errorf("making the provider cache: %w", err)
			}
			t.env["TF_PLUGIN_CACHE_DIR"] = dir
			t.env["TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"] = "1"
		}
		return nil
	}
	mirror, version, err := findMirror(mirrorPlaces(t.env, runtime.GOOS), platform())
	if err != nil {
		return fmt.Errorf("registry.terraform.io cannot be reached and %w: connect to the internet, or on a machine that is connected run "+
			"`terraform providers mirror <folder>` in cdktf.out/stacks/local-api and copy the folder to ~/.terraform.d/plugins here", err)
	}
	config := filepath.Join(t.cache, "terraform", "mirror.tfrc")
	if err := writeMirrorConfig(config, mirror); err != nil {
		return err
	}
	t.Mirror = mirror
	t.env["TF_CLI_CONFIG_FILE"] = config
	// Init links an unpacked provider straight from the mirror; a plugin cache would only be one more link.
	delete(t.env, "TF_PLUGIN_CACHE_DIR")
	note("registry.terraform.io cannot be reached: AWS provider %s comes from the mirror in %s", version, mirror)
	return nil
}

// installsProviders tells whether the user's Terraform configuration names the places that providers come from.
func installsProviders(env Environ) bool {
	paths := []string{env["TF_CLI_CONFIG_FILE"]}
	if paths[0] == "" {
		paths = []string{filepath.Join(env["HOME"], ".terraformrc")}
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(strings.TrimSpace(line), "provider_installation") {
				return true
			}
		}
	}
	return false
}

func reachable(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, registryTimeout)
	defer cancel()
	return healthy(ctx, url)
}

// writeMirrorConfig writes the Terraform configuration that takes the provider from a mirror and everything else
// from where it comes. It is replaced as a whole, since other commands may be reading it.
func writeMirrorConfig(path, mirror string) error {
	quoted, err := json.Marshal(mirror)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	text := fmt.Sprintf(`provider_installation {
  filesystem_mirror {
    path    = %s
    include = [%q]
  }
  direct {
    exclude = [%q]
  }
}
`, quoted, providerAddress, providerAddress)
	return writeFile(path, []byte(text), 0o644)
}

// writeFile replaces a file as a whole.
func writeFile(path string, content []byte, mode os.FileMode) error {
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*"); err == nil {
			_, err = f.Write(content)
			err = errors.Join(err, f.Chmod(mode), f.Close())
			if err == nil {
				err = os.Rename(f.Name(), path)
			}
			if err != nil {
				_ = os.Remove(f.Name())
			}
		}
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
