package emulator

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// touch makes empty files below dir; a name that ends in / is a folder.
func touch(t *testing.T, dir string, names ...string) string {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTheFirstMirrorThatFitsIsTaken(t *testing.T) {
	t.Parallel()
	const aws = "registry.terraform.io/hashicorp/aws/"
	empty := touch(t, t.TempDir(), "registry.terraform.io/hashicorp/random/3.6.0/linux_amd64/")
	old := touch(t, t.TempDir(), aws+"4.67.0/linux_amd64/")
	next := touch(t, t.TempDir(), aws+"6.2.0/linux_amd64/")
	arm := touch(t, t.TempDir(), aws+"5.100.0/linux_arm64/")
	unpacked := touch(t, t.TempDir(), aws+"5.99.1/linux_amd64/", aws+"5.100.0/linux_amd64/", aws+"5.100.2/linux_amd64/")
	packed := touch(t, t.TempDir(), aws+"terraform-provider-aws_5.100.0_linux_amd64.zip", aws+"5.100.0.json")

	for name, c := range map[string]struct {
		places        []string
		dir, version  string
		unusable      string
		platformAsked string
	}{
		"unpacked, newest that fits": {places: []string{empty, unpacked, packed}, dir: unpacked, version: "5.100.2"},
		"packed":                     {places: []string{filepath.Join(empty, "missing"), packed}, dir: packed, version: "5.100.0"},
		"another machine's":          {places: []string{arm}},
		"too old and too new":        {places: []string{old, next}, unusable: "4.67.0"},
		"too old, then one that fits": {
			places: []string{old, unpacked}, dir: unpacked, version: "5.100.2",
		},
		"none": {places: nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, version, err := findMirror(c.places, "linux_amd64")
			if dir != c.dir || version != c.version || (err == nil) != (c.dir != "") {
				t.Fatalf("got %q %q %v, want %q %q", dir, version, err, c.dir, c.version)
			}
			if err != nil && (!errors.Is(err, ErrNoMirror) || !strings.Contains(err.Error(), c.unusable)) {
				t.Errorf("%v: want ErrNoMirror that names %q", err, c.unusable)
			}
		})
	}
}

func TestMirrorsAreLookedForWhereTerraformLooks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env  Environ
		goos string
		want []string
	}{
		"linux": {
			Environ{"HOME": "/home/a", "TF_PLUGIN_CACHE_DIR": "/var/cache/tf"}, "linux",
			[]string{"/home/a/.terraform.d/plugins", "/home/a/.local/share/terraform/plugins", "/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins", "/var/cache/tf"},
		},
		"linux, XDG": {
			Environ{"HOME": "/home/a", "XDG_DATA_HOME": "/data", "XDG_DATA_DIRS": "/x:/y"}, "linux",
			[]string{"/home/a/.terraform.d/plugins", "/data/terraform/plugins", "/x/terraform/plugins", "/y/terraform/plugins"},
		},
		"macOS": {
			Environ{"HOME": "/Users/a"}, "darwin",
			[]string{"/Users/a/.terraform.d/plugins", "/Users/a/Library/Application Support/io.terraform/plugins", "/Library/Application Support/io.terraform/plugins"},
		},
	} {
		got := slices.DeleteFunc(mirrorPlaces(c.env, c.goos), func(p string) bool { return strings.HasPrefix(p, "/opt/") })
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestTheMirrorConfigurationIsReplacedAsAWhole(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a", "mirror.tfrc")
	for _, mirror := range []string{"/opt/one", "/opt/it's \"two\""} {
		if err := writeMirrorConfig(path, mirror); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`path    = "/opt/it's \"two\""`, `include = ["registry.terraform.io/hashicorp/aws"]`, `exclude = ["registry.terraform.io/hashicorp/aws"]`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
