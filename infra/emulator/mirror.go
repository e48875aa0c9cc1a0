package emulator

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

const (
	providerAddress = "registry.terraform.io/hashicorp/aws"
	minProvider     = "5.100" // the stacks ask for ~> 5.100: below 6
	providerBefore  = "6"
)

// ErrNoMirror says that neither the registry nor a mirror has the provider.
var ErrNoMirror = errors.New("no provider mirror")

// mirrorPlaces are the folders that may hold provider mirrors, best first: Terraform's implied mirror folders, the
// plugin cache, and the folders of /opt.
func mirrorPlaces(env Environ, goos string) []string {
	var places []string
	add := func(base string, below ...string) {
		if base != "" {
			places = append(places, filepath.Join(append([]string{base}, below...)...))
		}
	}
	home := env["HOME"]
	if home != "" {
		add(home, ".terraform.d", "plugins")
	}
	if goos == "darwin" {
		if home != "" {
			add(home, "Library", "Application Support", "io.terraform", "plugins")
		}
		add("/Library", "Application Support", "io.terraform", "plugins")
	} else {
		if data := env["XDG_DATA_HOME"]; data != "" {
			add(data, "terraform", "plugins")
		} else if home != "" {
			add(home, ".local", "share", "terraform", "plugins")
		}
		dirs := env["XDG_DATA_DIRS"]
		if dirs == "" {
			dirs = "/usr/local/share:/usr/share"
		}
		for _, dir := range filepath.SplitList(dirs) {
			add(dir, "terraform", "plugins")
		}
	}
	add(env["TF_PLUGIN_CACHE_DIR"])
	if opt, err := filepath.Glob("/opt/*"); err == nil {
		places = append(places, opt...)
	}
	return places
}

// findMirror returns the first place that holds a usable version of the provider for this machine, and that version.
func findMirror(places []string, platform string) (dir, version string, err error) {
	var unusable []string
	for _, place := range places {
		found := providerVersions(filepath.Join(place, filepath.FromSlash(providerAddress)), platform)
		fits := slices.DeleteFunc(slices.Clone(found), func(v string) bool {
			return !atLeast(v, minProvider) || atLeast(v, providerBefore)
		})
		if len(fits) > 0 {
			return place, slices.MaxFunc(fits, compareVersions), nil
		}
		for _, v := range found {
			unusable = append(unusable, v+" in "+place)
		}
	}
	if len(unusable) > 0 {
		return "", "", fmt.Errorf("%w holds hashicorp/aws %s or later below %s (found: %s)",
			ErrNoMirror, minProvider, providerBefore, strings.Join(unusable, ", "))
	}
	return "", "", fmt.Errorf("%w holds hashicorp/aws %s or later for %s", ErrNoMirror, minProvider, platform)
}

func compareVersions(a, b string) int {
	switch {
	case !atLeast(a, b):
		return -1
	case !atLeast(b, a):
		return 1
	}
	return 0
}

// providerVersions lists the versions of a provider that a mirror holds for a platform, unpacked
// (<version>/<platform>/) or packed (terraform-provider-aws_<version>_<platform>.zip).
func providerVersions(dir, platform string) []string {
	var versions []string
	if unpacked, err := filepath.Glob(filepath.Join(dir, "*", platform)); err == nil {
		for _, path := range unpacked {
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				versions = append(versions, filepath.Base(filepath.Dir(path)))
			}
		}
	}
	const prefix = "terraform-provider-aws_"
	suffix := "_" + platform + ".zip"
	if packed, err := filepath.Glob(filepath.Join(dir, prefix+"*"+suffix)); err == nil {
		for _, path := range packed {
			versions = append(versions, strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), prefix), suffix))
		}
	}
	return versions
}

// platform is this machine as Terraform names it.
func platform() string { return runtime.GOOS + "_" + runtime.GOARCH }
