package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"cloudstorage/app/daemon"
	"cloudstorage/app/e2e/gatewaytest"
)

// startTimeout is for a busy machine.
const startTimeout = 60 * time.Second

// output collects what the program writes, and tells when its log says that it
// listens or drains.
type output struct {
	mu       sync.Mutex
	text     bytes.Buffer
	read     int // how much of text has been read as lines
	address  chan string
	draining chan struct{}
}

func newOutput() *output {
	return &output{address: make(chan string, 1), draining: make(chan struct{}, 1)}
}

// Write takes any part of a line, as a pipe does.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.text.Write(p)
	for {
		line, _, whole := bytes.Cut(o.text.Bytes()[o.read:], []byte("\n"))
		if !whole {
			return n, err
		}
		o.read += len(line) + 1
		var record struct{ Msg, Address string }
		if json.Unmarshal(line, &record) != nil {
			continue
		}
		switch record.Msg {
		case "listening":
			o.address <- record.Address
		case "draining":
			o.draining <- struct{}{}
		}
	}
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// environ are the settings of a server on a free port, in front of g.
func environ(t testing.TB, g gatewaytest.Gateway) map[string]string {
	return map[string]string{
		"STORAGE_BUCKET": g.NewBucket(t), "STORAGE_ADDRESS": "127.0.0.1:0", "STORAGE_DRAIN_TIMEOUT": "10s",
		"AWS_REGION": g.Region, "AWS_ENDPOINT_URL": g.Endpoint, "AWS_ACCESS_KEY_ID": g.AccessKey, "AWS_SECRET_ACCESS_KEY": g.SecretKey,
	}
}

// start runs the whole program in this process until the test ends, and checks
// that it ends well.
func start(t testing.TB, env map[string]string) (address string, log *output) {
	t.Helper()
	return startWith(t, routes, env)
}

// startWith does so with the routes of another program.
func startWith(t testing.TB, routes daemon.Routes, env map[string]string) (address string, log *output) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	log = newOutput()
	ended := make(chan int, 1)
	go func() { ended <- daemon.Run(ctx, routes, nil, func(name string) string { return env[name] }, log, log) }()
	t.Cleanup(func() {
		stop()
		if code := <-ended; code != daemon.Done {
			t.Errorf("exit code %d:\n%s", code, log)
		}
	})
	select {
	case address = <-log.address:
	case code := <-ended:
		ended <- code
		t.Fatalf("ended with %d:\n%s", code, log)
	case <-time.After(startTimeout):
		t.Fatalf("did not listen:\n%s", log)
	}
	return address, log
}

func TestArgumentsAndSettings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name           string
		args           []string
		env            map[string]string
		code           int
		stdout, stderr []string
	}{
		{name: "version", args: []string{"--version"}, code: 0, stdout: []string{"storaged ", " go1."}},
		{name: "help", args: []string{"--help"}, code: 0, stdout: []string{"Usage: storaged", "STORAGE_BUCKET", "AWS_ENDPOINT_URL"}},
		{name: "unknown flag", args: []string{"--port=1"}, code: 2, stderr: []string{"-port", "storaged --help"}},
		{name: "unexpected argument", args: []string{"serve"}, code: 2, stderr: []string{"storaged --help"}},
		{name: "all wrong settings at once", env: map[string]string{"STORAGE_URL_TTL": "soon"}, code: 2,
			stderr: []string{"STORAGE_BUCKET", "AWS_REGION", "STORAGE_URL_TTL", `"soon"`}},
		{name: "half of the credentials", env: map[string]string{"STORAGE_BUCKET": "b-1", "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "A"}, code: 1,
			stderr: []string{"AWS_SECRET_ACCESS_KEY"}},
		{name: "an address of another machine", env: map[string]string{"STORAGE_BUCKET": "b-1", "AWS_REGION": "eu-west-1",
			"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s", "STORAGE_ADDRESS": "192.0.2.1:1"}, code: 1, stderr: []string{"listen on 192.0.2.1:1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			if code := daemon.Run(t.Context(), routes, tt.args, func(name string) string { return tt.env[name] }, &stdout, &stderr); code != tt.code {
				t.Errorf("exit code %d, want %d: %s", code, tt.code, &stderr)
			}
			for _, part := range tt.stdout {
				if !strings.Contains(stdout.String(), part) {
					t.Errorf("stdout lacks %q: %s", part, &stdout)
				}
			}
			for _, part := range tt.stderr {
				if !strings.Contains(stderr.String(), part) {
					t.Errorf("stderr lacks %q: %s", part, &stderr)
				}
			}
			if (stdout.Len() > 0) == (stderr.Len() > 0) {
				t.Errorf("want output on one side:\nstdout %s\nstderr %s", &stdout, &stderr)
			}
		})
	}
}
