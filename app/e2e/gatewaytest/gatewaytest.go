// Package gatewaytest gives tests a real S3 server that verifies signatures:
// it builds the gateway module beside it, once per content, and starts it.
package gatewaytest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"cloudstorage/app/e2e/build"
)

// startTimeout is how long the gateway may take to serve on a busy machine; it
// takes 20 ms on an idle one.
const startTimeout = 60 * time.Second

// Gateway is a running S3 server. It ends with its test.
type Gateway struct {
	Endpoint  string `json:"endpoint"` // http://127.0.0.1:port, path-style
	Region    string `json:"region"`   // what requests must be signed for
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`

	// The guest's signatures are good, but it may do nothing.
	GuestAccessKey string `json:"guest_access_key"`
	GuestSecretKey string `json:"guest_secret_key"`

	process *process
}

type process struct {
	mu      sync.Mutex
	buckets int
	stdin   io.WriteCloser
	lines   <-chan string
	kill    func()
	wait    func() error
}

// Start starts a gateway with no buckets. A gateway that cannot be built or
// started fails the test: without it nothing would check a signature.
func Start(t testing.TB) Gateway {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatalf("build the S3 gateway that the tests need: %v", err)
	}
	// It outlives t.Context, since servers that use it stop during the cleanup.
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), path, t.TempDir())
	log := &strings.Builder{}
	cmd.Stderr = log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start the S3 gateway: %v", err)
	}
	lines := make(chan string, 1)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	p := &process{
		stdin: stdin,
		lines: lines,
		kill:  func() { _ = cmd.Process.Kill() }, // an error means that it has ended
		wait: sync.OnceValue(func() error {
			for range lines { // cmd.Wait wants the output read to its end
			}
			return cmd.Wait()
		}),
	}
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Errorf("stop the S3 gateway: %v\n%s", err, log)
		}
	})

	g := Gateway{process: p}
	g.process.read(t, &g)
	return g
}

// NewBucket creates an empty bucket and returns its name.
func (g Gateway) NewBucket(t testing.TB) string {
	t.Helper()
	p := g.process
	p.mu.Lock()
	defer p.mu.Unlock()
	p.buckets++
	name := fmt.Sprintf("module02-%08d", p.buckets)
	if _, err := fmt.Fprintln(p.stdin, name); err != nil {
		t.Fatalf("ask the S3 gateway for a bucket: %v", err)
	}
	var answer struct{ Bucket, Error string }
	p.read(t, &answer)
	if answer.Bucket != name {
		t.Fatalf("create bucket %s: %s", name, answer.Error)
	}
	return name
}

// Stop ends the gateway and returns when it has gone, for tests of its absence.
func (g Gateway) Stop() { _ = g.process.stop() }

// stop may be called twice.
func (p *process) stop() error {
	// Closing its input ends it; the timer is for when it does not.
	timer := time.AfterFunc(startTimeout, p.kill)
	defer timer.Stop()
	_ = p.stdin.Close()
	return p.wait()
}

func (p *process) read(t testing.TB, v any) {
	t.Helper()
	select {
	case line, ok := <-p.lines:
		if !ok {
			t.Fatal("the S3 gateway ended early")
		}
		if err := json.Unmarshal([]byte(line), v); err != nil {
			t.Fatalf("the S3 gateway said %q: %v", line, err)
		}
	case <-time.After(startTimeout):
		p.kill()
		t.Fatalf("the S3 gateway did not answer within %s", startTimeout)
	}
}

var program = sync.OnceValues(func() (string, error) { return build.Program("gateway") })
