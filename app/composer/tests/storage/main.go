// Command storage runs the real storage API on a real S3 gateway for the tests
// in Python, on free ports of the loopback interface.
//
// It prints one line of JSON (see ready) once it serves, and ends on SIGTERM or
// when its standard input closes, so that it never outlives its tests. Its
// arguments are settings of the server, NAME=value, over its own.
package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"cloudstorage/app/auth"
	"cloudstorage/app/daemon"
	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/e2e/build"
	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/s3store"
	"cloudstorage/app/s3store/s3file"
	"cloudstorage/app/s3store/s3sign"
	"cloudstorage/app/service"
)

// ready is the line of output.
type ready struct {
	URL string `json:"url"`

	Airflow string `json:"airflow"` // a key as docs/composer.md gives Airflow
	Other   string `json:"other"`   // a key that may do nothing there
	Owner   string `json:"owner"`   // a key that may do everything
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "storage:", err)
		os.Exit(1)
	}
}

func run(settings []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		defer stop()
		_, _ = io.Copy(io.Discard, os.Stdin) // whoever started this has ended, or closed it
	}()

	folder, err := os.MkdirTemp("", "storage-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	g, err := startGateway(folder)
	if err != nil {
		return err
	}
	defer g.stop()
	env := map[string]string{
		"STORAGE_BUCKET": "module02-1", "STORAGE_STATE_BUCKET": "module02-2", "STORAGE_ACCESS": "restricted",
		"STORAGE_ADDRESS": "127.0.0.1:0", "STORAGE_DRAIN_TIMEOUT": "10s",
		"AWS_REGION": g.Region, "AWS_ENDPOINT_URL": g.Endpoint, "AWS_ACCESS_KEY_ID": g.AccessKey, "AWS_SECRET_ACCESS_KEY": g.SecretKey,
	}
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		env[name] = value
	}
	for _, name := range []string{"STORAGE_BUCKET", "STORAGE_STATE_BUCKET"} {
		if err := g.newBucket(env[name]); err != nil {
			return err
		}
	}
	keys := ready{Airflow: auth.NewToken(), Other: auth.NewToken(), Owner: auth.NewToken()}
	if err := know(ctx, env, []auth.Key{
		{ID: "airflow", SHA256: auth.Hash(keys.Airflow), Verbs: []auth.Verb{auth.List, auth.Read, auth.Write}, Prefixes: []string{"landing/", "csv/"}},
		{ID: "other", SHA256: auth.Hash(keys.Other), Verbs: auth.Verbs(), Prefixes: []string{"other/"}},
		{ID: "owner", SHA256: auth.Hash(keys.Owner), Verbs: auth.Verbs(), Prefixes: []string{""}},
	}); err != nil {
		return err
	}

	log, ended := daemontest.NewLog(), make(chan int, 1)
	go func() {
		ended <- daemon.Run(ctx, service.Program(), nil, func(name string) string { return env[name] }, log, log)
	}()
	select {
	case address := <-log.Address:
		keys.URL = "http://" + address
	case code := <-ended:
		return fmt.Errorf("the server ended with %d:\n%s", code, log)
	}
	if err := json.NewEncoder(os.Stdout).Encode(keys); err != nil {
		return err
	}
	if code := <-ended; code != daemon.Done {
		return fmt.Errorf("the server ended with %d:\n%s", code, log)
	}
	return nil
}

// know writes the keyring, as deploying the environment does.
func know(ctx context.Context, env map[string]string, keys []auth.Key) error {
	ring, err := auth.NewKeyring(keys)
	if err != nil {
		return err
	}
	text, err := json.Marshal(ring)
	if err != nil {
		return err
	}
	state, err := s3store.Open(ctx, s3store.Config{
		Bucket: env["STORAGE_STATE_BUCKET"], Region: env["AWS_REGION"], Endpoint: env["AWS_ENDPOINT_URL"],
		AccessKeyID: env["AWS_ACCESS_KEY_ID"], SecretAccessKey: env["AWS_SECRET_ACCESS_KEY"],
	})
	if err != nil {
		return err
	}
	_, err = s3file.Files{Store: s3sign.New(state)}.Put(ctx, object.Key("keyring.json"), strings.NewReader(string(text)), file.PutOptions{Size: int64(len(text))})
	return err
}

// gateway is the program app/e2e/gateway.
type gateway struct {
	Endpoint  string `json:"endpoint"`
	Region    string `json:"region"`
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`

	stdin  io.WriteCloser
	stdout *bufio.Scanner
	cmd    *exec.Cmd
}

// startGateway starts one that outlives every context: the server uses it while
// it drains.
func startGateway(folder string) (*gateway, error) {
	program, err := build.Program("gateway")
	if err != nil {
		return nil, fmt.Errorf("build the gateway: %w", err)
	}
	g := &gateway{cmd: exec.CommandContext(context.Background(), program, folder)}
	g.cmd.Stderr = os.Stderr
	if g.stdin, err = g.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := g.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	g.stdout = bufio.NewScanner(stdout)
	if err := g.cmd.Start(); err != nil {
		return nil, err
	}
	if err := g.read(g); err != nil {
		g.stop()
		return nil, err
	}
	return g, nil
}

func (g *gateway) newBucket(name string) error {
	if _, err := fmt.Fprintln(g.stdin, name); err != nil {
		return err
	}
	var answer struct{ Bucket, Error string }
	if err := g.read(&answer); err != nil {
		return err
	}
	if answer.Bucket != name {
		return fmt.Errorf("create bucket %s: %s", name, answer.Error)
	}
	return nil
}

func (g *gateway) read(v any) error {
	if !g.stdout.Scan() {
		return fmt.Errorf("the gateway ended early: %w", cmp.Or(g.stdout.Err(), io.ErrUnexpectedEOF))
	}
	return json.Unmarshal(g.stdout.Bytes(), v)
}

// stop ends it as the end of its standard input does.
func (g *gateway) stop() {
	_ = g.stdin.Close()
	_ = g.cmd.Wait()
}
