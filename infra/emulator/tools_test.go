package emulator

import (
	"path/filepath"
	"testing"
)

func TestAMissingTerraformConfigurationIsNotPassedOn(t *testing.T) {
	t.Parallel()
	there := filepath.Join(touch(t, t.TempDir(), "config.tfrc"), "config.tfrc")
	missing := filepath.Join(t.TempDir(), "missing.tfrc")
	for path, want := range map[string]string{there: there, missing: "", "": ""} {
		if got := terraformEnviron(Environ{"TF_CLI_CONFIG_FILE": path})["TF_CLI_CONFIG_FILE"]; got != want {
			t.Errorf("TF_CLI_CONFIG_FILE=%q becomes %q, want %q", path, got, want)
		}
	}
}

func TestTerraformGetsNothingThatChangesItsPlansFromOutside(t *testing.T) {
	t.Parallel()
	env := terraformEnviron(Environ{"PATH": "/bin", "TF_VAR_region": "x", "TF_CLI_ARGS_plan": "-refresh=false", "TF_WORKSPACE": "w", "TF_LOG": "trace"})
	if len(env) != 3 || env["PATH"] != "/bin" || env["CHECKPOINT_DISABLE"] != "1" || env["GOGC"] == "" {
		t.Errorf("got %v", env)
	}
	if env := terraformEnviron(Environ{"GOGC": "50"}); env["GOGC"] != "50" {
		t.Errorf("somebody's own GOGC becomes %s", env["GOGC"])
	}
}

func TestTheUsersOwnProviderInstallationIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	own, other := filepath.Join(dir, "own"), filepath.Join(dir, "other")
	for path, text := range map[string]string{
		own:                                "disable_checkpoint = true\n  provider_installation {\n}\n",
		other:                              "credentials \"app.terraform.io\" {}\n# provider_installation {}\n",
		filepath.Join(dir, ".terraformrc"): "provider_installation {\n}\n",
		filepath.Join(dir, "h", ".unused"): "",
	} {
		if err := writeFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		env  Environ
		want bool
	}{
		"named file":                        {Environ{"TF_CLI_CONFIG_FILE": own}, true},
		"named file without, over the home": {Environ{"TF_CLI_CONFIG_FILE": other, "HOME": dir}, false},
		"home":                              {Environ{"HOME": dir}, true},
		"home without":                      {Environ{"HOME": filepath.Join(dir, "h")}, false},
	} {
		if got := installsProviders(c.env); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
