// Command gateway is a real S3 server for tests: versitygw over a folder, on a
// free port of the loopback interface, with signatures verified. It is a module
// of its own so that its dependencies stay out of the product's.
//
// It prints one line of JSON (see ready) once it serves, and stops on SIGTERM
// or when its standard input closes, so that it never outlives its test; it
// stops at once, as an outage does. Each line that it reads is the name of a
// bucket to create; it answers with a line of JSON that names the bucket or an
// error. Buckets are versioned, as the product's are.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3api"
	"github.com/versity/versitygw/s3api/middlewares"
)

// region is what requests must be signed for.
const region = "eu-west-1"

// maxCopy is S3's own limit; the backend takes zero for "no copies at all".
const maxCopy = 5 << 30

// ready is the first line of output.
type ready struct {
	Endpoint  string `json:"endpoint"`
	Region    string `json:"region"`
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`

	// The guest may sign in and do nothing else.
	GuestAccessKey string `json:"guest_access_key"`
	GuestSecretKey string `json:"guest_secret_key"`
}

// created answers a line of input.
type created struct {
	Bucket string `json:"bucket,omitempty"`
	Error  string `json:"error,omitempty"`
}

func main() {
	if len(os.Args) < 2 || len(os.Args) > 3 {
		fmt.Fprintln(os.Stderr, "usage: gateway FOLDER [DOMAIN]")
		os.Exit(2)
	}
	// With a domain, a bucket is also the host BUCKET.DOMAIN, as on AWS.
	var options []s3api.Option
	if len(os.Args) == 3 {
		options = append(options, s3api.WithHostStyle(os.Args[2]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The backend greets on standard output, which is for what tests read.
	stdout := os.Stdout
	os.Stdout = os.Stderr
	if err := run(ctx, os.Args[1], options, os.Stdin, stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gateway:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, folder string, options []s3api.Option, stdin io.Reader, stdout io.Writer) error {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	dirs := map[string]string{}
	for _, name := range []string{"objects", "versions", "metadata", "accounts"} {
		dirs[name] = filepath.Join(folder, name)
		if err := os.MkdirAll(dirs[name], 0o700); err != nil {
			return err
		}
	}
	// Metadata beside the objects, not in extended attributes, which not every
	// temporary folder has. (The option SideCarDir only prints the folder.)
	sidecar, err := meta.NewSideCar(dirs["metadata"])
	if err != nil {
		return err
	}
	backend, err := posix.New(dirs["objects"], metadata{sidecar}, posix.PosixOpts{CopyObjectThreshold: maxCopy, VersioningDir: dirs["versions"]})
	if err != nil {
		return err
	}
	defer backend.Shutdown()

	root := auth.Account{Access: "root", Secret: rand.Text(), Role: auth.RoleAdmin}
	guest := auth.Account{Access: "guest", Secret: rand.Text(), Role: auth.RoleUser}
	accounts, err := auth.NewInternal(root, dirs["accounts"])
	if err != nil {
		return err
	}
	if err := accounts.CreateAccount(guest); err != nil {
		return err
	}

	stopped := make(chan error, 1)
	address, err := listen(func(onListen func()) (*s3api.S3ApiServer, error) {
		return s3api.New(backend, middlewares.RootUserConfig{Access: root.Access, Secret: root.Secret}, region, accounts, nil, nil, nil, nil,
			append(options, s3api.WithQuiet(), s3api.WithKeepAlive(), s3api.WithOnListen(onListen), s3api.WithConcurrencyLimiter(4096, 4096))...)
	}, stopped)
	if err != nil {
		return err
	}
	out := json.NewEncoder(stdout)
	if err := out.Encode(ready{"http://" + address, region, root.Access, root.Secret, guest.Access, guest.Secret}); err != nil {
		return err
	}

	closed := make(chan error, 1)
	go func() { closed <- createBuckets(ctx, backend, root, stdin, out) }()
	select {
	case err := <-stopped:
		return fmt.Errorf("serve: %w", err)
	case err := <-closed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// listen serves on a free port and returns when it does. The gateway takes a
// port but does not tell which one it got for 0, so a port is chosen here; if
// another process takes it in between, the next one is tried.
func listen(newServer func(onListen func()) (*s3api.S3ApiServer, error), stopped chan error) (string, error) {
	var errs []error
	for range 10 {
		probe, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		address := probe.Addr().String()
		if err := probe.Close(); err != nil {
			return "", err
		}
		serving := make(chan struct{})
		server, err := newServer(func() { close(serving) })
		if err != nil {
			return "", err
		}
		failed := make(chan error, 1)
		go func() { failed <- server.ServeMultiPort([]string{address}) }()
		select {
		case <-serving:
			go func() { stopped <- <-failed }()
			return address, nil
		case err := <-failed:
			errs = append(errs, err)
		}
	}
	return "", errors.Join(errs...)
}

func createBuckets(ctx context.Context, backend *posix.Posix, owner auth.Account, stdin io.Reader, out *json.Encoder) error {
	acl, err := json.Marshal(auth.ACL{Owner: owner.Access})
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(stdin)
	for lines.Scan() {
		answer := created{Bucket: lines.Text()}
		err := backend.CreateBucket(ctx, &s3.CreateBucketInput{
			Bucket:                    aws.String(lines.Text()),
			ObjectOwnership:           types.ObjectOwnershipBucketOwnerEnforced,
			CreateBucketConfiguration: &types.CreateBucketConfiguration{},
		}, acl)
		if err == nil {
			err = backend.PutBucketVersioning(ctx, lines.Text(), types.BucketVersioningStatusEnabled)
		}
		if err != nil {
			answer = created{Error: err.Error()}
		}
		if err := out.Encode(answer); err != nil {
			return err
		}
	}
	return lines.Err()
}
