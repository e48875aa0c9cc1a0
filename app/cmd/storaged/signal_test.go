package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/seal"
	"cloudstorage/app/web/webtest"
)

// hangingS3 has a sealing key and the time, accepts other requests and answers them
// only when told; asked gets a value for each.
func hangingS3(t *testing.T) (endpoint string, asked <-chan struct{}, answer chan<- struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	got, release := make(chan struct{}, 16), make(chan struct{})
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/state-1/") {
			_, _ = io.WriteString(w, base64.StdEncoding.EncodeToString(make([]byte, seal.KeyBytes)))
			return
		}
		if r.Method == http.MethodHead {
			return // the time, which is asked for beside all requests
		}
		got <- struct{}{}
		select {
		case <-release:
			_, _ = io.WriteString(w, `<ListBucketResult><Contents><Key>late</Key></Contents></ListBucketResult>`)
		case <-r.Context().Done():
		}
	})}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-served })
	return "http://" + l.Addr().String(), got, release
}

// program is the real binary, as a process.
type program struct {
	*exec.Cmd
	log     *daemontest.Log
	address string
	ended   chan error
}

func startProgram(t *testing.T, binary, endpoint string) *program {
	t.Helper()
	p := &program{Cmd: exec.Command(binary), log: daemontest.NewLog(), ended: make(chan error, 1)}
	p.Env = append(os.Environ(), "STORAGE_BUCKET=module02-1", "STORAGE_STATE_BUCKET=state-1", "STORAGE_ACCESS=open", "AWS_REGION=eu-west-1", "AWS_ENDPOINT_URL="+endpoint,
		"STORAGE_ADDRESS=127.0.0.1:0", "STORAGE_DRAIN_TIMEOUT=1m", "AWS_ACCESS_KEY_ID=A", "AWS_SECRET_ACCESS_KEY=s")
	p.Stderr = p.log
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.ended <- p.Wait() }()
	t.Cleanup(func() { _ = p.Process.Kill() }) // an error means that it has ended
	select {
	case p.address = <-p.log.Address:
	case err := <-p.ended:
		t.Fatalf("ended: %v\n%s", err, p.log)
	case <-time.After(daemontest.StartTimeout):
		t.Fatalf("did not listen:\n%s", p.log)
	}
	return p
}

// slowList asks for the list, which hangs in S3.
func (p *program) slowList(t *testing.T, asked <-chan struct{}) net.Conn {
	t.Helper()
	conn := webtest.Dial(t, p.address)
	if _, err := io.WriteString(conn, "GET /list_files HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-asked
	return conn
}

func (p *program) signal(t *testing.T) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// awaitDrain returns once the log says that the server drains.
func (p *program) awaitDrain(t *testing.T) {
	t.Helper()
	select {
	case <-p.log.Draining:
	case <-time.After(daemontest.StartTimeout):
		t.Fatalf("did not drain:\n%s", p.log)
	}
}

func TestSignals(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "storaged")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}

	t.Run("the first finishes what is in flight and exits 0", func(t *testing.T) {
		t.Parallel()
		endpoint, asked, release := hangingS3(t)
		p := startProgram(t, binary, endpoint)
		conn := p.slowList(t, asked)
		p.signal(t)
		p.awaitDrain(t)
		close(release)
		if answer := webtest.Read(t, conn, "GET"); answer.Status != http.StatusOK || !strings.Contains(answer.Body, `["late"]`) {
			t.Errorf("the request in flight: %s", answer.Raw)
		}
		if err := <-p.ended; err != nil {
			t.Errorf("ended: %v\n%s", err, p.log)
		}
	})

	t.Run("the second kills at once", func(t *testing.T) {
		t.Parallel()
		endpoint, asked, _ := hangingS3(t)
		p := startProgram(t, binary, endpoint)
		conn := p.slowList(t, asked)
		p.signal(t)
		p.awaitDrain(t)
		p.signal(t)
		err := <-p.ended
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
			t.Errorf("ended: %v, want killed by SIGTERM\n%s", err, p.log)
		}
		if rest, _ := io.ReadAll(conn); len(bytes.TrimSpace(rest)) != 0 {
			t.Errorf("the request in flight was answered: %q", rest)
		}
	})
}
