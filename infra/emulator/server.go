package emulator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"cloudstorage/app/settings"
	"cloudstorage/infra/bootstrap"
)

const (
	serverDeadline = 30 * time.Second
	// serverGrace leaves the server its own drain, and a little.
	serverGrace = settings.DefaultDrainTimeout + 5*time.Second
)

// server is what a launch of the fleet's template would run, made ready to run here.
type server struct {
	program string
	environ Environ
	address string
	digest  string // of the program and its environment
}

// fetchServer does what an instance does at boot: takes the settings and the release's address from the
// user-data, fetches the release and checks that it is the one that was pinned.
func fetchServer(ctx context.Context, api API, launchTemplate, address, dir string) (server, error) {
	userData, err := api.UserData(ctx, launchTemplate)
	if err != nil {
		return server{}, err
	}
	files, err := bootstrap.Files(userData)
	if err != nil {
		return server{}, fmt.Errorf("user-data of launch template %s: %w", launchTemplate, err)
	}
	env := Environ(bootstrap.Variables(files[bootstrap.SettingsPath]))
	pointer := bootstrap.Variables(files[bootstrap.ReleasePath])
	bucket, key, want := pointer[bootstrap.EnvBucket], pointer[bootstrap.EnvKey], pointer[bootstrap.EnvSHA256]
	if bucket == "" || key == "" || want == "" {
		return server{}, fmt.Errorf("the user-data names no release in %s: the local environment needs delivery: binary", bootstrap.ReleasePath)
	}
	release, err := api.Object(ctx, bucket, key)
	if err != nil {
		return server{}, err
	}
	sum := sha256.Sum256(release)
	if got := hex.EncodeToString(sum[:]); got != want {
		return server{}, fmt.Errorf("release s3://%s/%s has SHA-256 %s, the user-data pins %s", bucket, key, got, want)
	}
	s := server{program: filepath.Join(dir, "storaged-"+want[:16]), address: address}
	if err := writeFile(s.program, release, 0o755); err != nil {
		return server{}, err
	}
	// Nothing but the settings that the instance would have, and the way to the emulator that an instance would
	// have through its role.
	s.environ = env.With(Environ{
		settings.EnvAddress:     address,
		settings.EnvEndpoint:    api.Endpoint,
		"AWS_ACCESS_KEY_ID":     "test",
		"AWS_SECRET_ACCESS_KEY": "test",
	})
	digest := sha256.Sum256([]byte(want + "\n" + strings.Join(s.environ.Lines(), "\n")))
	s.digest = hex.EncodeToString(digest[:])
	return s, nil
}

// start runs the server and waits until it can reach its bucket.
func (s server) start(ctx context.Context, log string) (*Process, error) {
	r, err := start(command{path: s.program, env: s.environ.Lines(), dir: filepath.Dir(s.program), log: log})
	if err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, serverDeadline)
	defer cancel()
	err = r.until(waiting, func(ctx context.Context) bool {
		return healthy(ctx, "http://"+s.address+settings.ReadyPath)
	})
	if err != nil {
		_ = r.Stop(serverGrace) // the reason to stop is the error to tell
		return nil, fmt.Errorf("waiting for the API at %s: %w\n%s", s.address, err, tail(log, 10))
	}
	return &r.Process, nil
}

// removeOldPrograms removes the releases that earlier runs fetched.
func removeOldPrograms(dir, current string) {
	old, err := filepath.Glob(filepath.Join(dir, "storaged-*"))
	if err != nil {
		return
	}
	for _, path := range slices.DeleteFunc(old, func(p string) bool { return p == current }) {
		_ = os.Remove(path) // a leftover costs disk, nothing else
	}
}

func portOf(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	return port
}
