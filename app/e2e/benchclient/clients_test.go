package benchclient

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"cloudstorage/app/e2e/build"
	"cloudstorage/app/e2e/gatewaytest"
)

// subject is a client that is measured: the command line of each thing that it
// does. Keys and prefixes are those of the bucket.
type subject struct {
	name    string
	environ []string
	up      func(path, key string) []string
	down    func(key, path string) []string
	upAll   func(folder, prefix string) []string // files as prefix/…
	downAll func(prefix, folder string) []string // files as folder/…
	list    func(prefix string) []string         // key, size and time of each
}

// ours is the program as it is released, which calls the API. put and get keep
// the last segment of what they move.
func ours(b *testing.B, dir, address string) subject {
	b.Helper()
	program := filepath.Join(dir, "storagectl")
	if _, err := measure(b.Context(), []string{"CGO_ENABLED=0"}, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "cloudstorage/app/cmd/storagectl"); err != nil {
		b.Fatal(err)
	}
	return subject{
		name:    "storagectl",
		environ: []string{"STORAGE_URL=" + address, "XDG_CONFIG_HOME=" + filepath.Join(dir, "config"), "XDG_STATE_HOME=" + filepath.Join(dir, "state")},
		up:      func(path, key string) []string { return []string{program, "put", path, "--to", key} },
		down:    func(key, path string) []string { return []string{program, "get", key, "--to", path} },
		upAll: func(folder, prefix string) []string {
			return []string{program, "put", "-r", folder, "--to", filepath.Dir(prefix) + "/"}
		},
		downAll: func(prefix, folder string) []string {
			return []string{program, "get", "-r", prefix, "--to", filepath.Dir(folder) + "/"}
		},
		list: func(prefix string) []string { return []string{program, "ls", "-r", "-l", prefix} },
	}
}

// rivals are the others, which talk to the storage itself, with its credentials.
// rclone is left out where it is not installed.
func rivals(b *testing.B, g gatewaytest.Gateway, bucket string) []subject {
	b.Helper()
	credentials := []string{
		"AWS_ACCESS_KEY_ID=" + g.AccessKey, "AWS_SECRET_ACCESS_KEY=" + g.SecretKey, "AWS_REGION=" + g.Region, "AWS_DEFAULT_REGION=" + g.Region,
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull, "AWS_EC2_METADATA_DISABLED=true",
	}
	s5cmd, err := build.Program("s5cmd")
	if err != nil {
		b.Fatal(err)
	}
	at := "s3://" + bucket + "/"
	s5 := func(args ...string) []string {
		return append([]string{s5cmd, "--endpoint-url", g.Endpoint, "--log", "error"}, args...)
	}
	cli := awsCLI(b)
	aws := func(args ...string) []string {
		return append([]string{cli, "--endpoint-url", g.Endpoint, "s3"}, args...)
	}
	all := []subject{{
		name: "s5cmd", environ: credentials,
		up:      func(path, key string) []string { return s5("cp", path, at+key) },
		down:    func(key, path string) []string { return s5("cp", at+key, path) },
		upAll:   func(folder, prefix string) []string { return s5("cp", folder+"/", at+prefix+"/") },
		downAll: func(prefix, folder string) []string { return s5("cp", at+prefix+"/*", folder+"/") },
		list: func(prefix string) []string {
			return []string{s5cmd, "--endpoint-url", g.Endpoint, "ls", at + prefix + "*"}
		},
	}, {
		name: "aws", environ: credentials,
		up:   func(path, key string) []string { return aws("cp", "--only-show-errors", path, at+key) },
		down: func(key, path string) []string { return aws("cp", "--only-show-errors", at+key, path) },
		upAll: func(folder, prefix string) []string {
			return aws("cp", "--only-show-errors", "--recursive", folder, at+prefix)
		},
		downAll: func(prefix, folder string) []string {
			return aws("cp", "--only-show-errors", "--recursive", at+prefix, folder)
		},
		list: func(prefix string) []string { return aws("ls", "--recursive", at+prefix) },
	}}
	rclone, err := exec.LookPath("rclone")
	if err != nil {
		fmt.Fprintln(os.Stdout, "rclone is not installed, and left out")
		return all
	}
	remote := "gateway:" + bucket + "/"
	settings := []string{
		"RCLONE_CONFIG=" + os.DevNull, "RCLONE_CONFIG_GATEWAY_TYPE=s3", "RCLONE_CONFIG_GATEWAY_PROVIDER=Other", "RCLONE_CONFIG_GATEWAY_ENDPOINT=" + g.Endpoint,
		"RCLONE_CONFIG_GATEWAY_ACCESS_KEY_ID=" + g.AccessKey, "RCLONE_CONFIG_GATEWAY_SECRET_ACCESS_KEY=" + g.SecretKey, "RCLONE_CONFIG_GATEWAY_REGION=" + g.Region,
		"RCLONE_CONFIG_GATEWAY_NO_CHECK_BUCKET=true", "AWS_CA_BUNDLE=", // which it cannot have: the gateway speaks http
	}
	return append(all, subject{
		name: "rclone", environ: settings,
		up:      func(path, key string) []string { return []string{rclone, "copyto", path, remote + key} },
		down:    func(key, path string) []string { return []string{rclone, "copyto", remote + key, path} },
		upAll:   func(folder, prefix string) []string { return []string{rclone, "copy", folder, remote + prefix} },
		downAll: func(prefix, folder string) []string { return []string{rclone, "copy", remote + prefix, folder} },
		list:    func(prefix string) []string { return []string{rclone, "lsl", remote + prefix} },
	})
}

// awsCLI installs the AWS CLI, pinned, into the project's cache.
func awsCLI(b *testing.B) string {
	b.Helper()
	venv, err := filepath.Abs("../../../.cache/benchclient/venv")
	if err != nil {
		b.Fatal(err)
	}
	bin := filepath.Join(venv, "bin")
	for _, args := range [][]string{{"python3", "-m", "venv", venv}, {filepath.Join(bin, "python"), "-m", "pip", "install", "--quiet", "-r", "requirements.txt"}} {
		if _, err := measure(b.Context(), nil, args[0], args[1:]...); err != nil {
			b.Fatal(err)
		}
	}
	return filepath.Join(bin, "aws")
}
