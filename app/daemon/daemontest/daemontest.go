// Package daemontest runs a server's program in a test, as a process would run
// it.
package daemontest

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"sync"
	"testing"
	"time"

	"cloudstorage/app/daemon"
	"cloudstorage/app/e2e/gatewaytest"
)

// StartTimeout is for a busy machine.
const StartTimeout = 60 * time.Second

// Log collects what a program writes, and tells when it says that it listens or
// drains.
type Log struct {
	Address  chan string
	Draining chan struct{}

	mu   sync.Mutex
	text bytes.Buffer
	read int // how much of text has been read as lines
}

// NewLog returns an empty log.
func NewLog() *Log {
	return &Log{Address: make(chan string, 1), Draining: make(chan struct{}, 1)}
}

// Write takes any part of a line, as a pipe does.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.text.Write(p)
	for {
		line, _, whole := bytes.Cut(l.text.Bytes()[l.read:], []byte("\n"))
		if !whole {
			return n, err
		}
		l.read += len(line) + 1
		var record struct{ Msg, Address string }
		if json.Unmarshal(line, &record) != nil {
			continue
		}
		switch record.Msg {
		case "listening":
			l.Address <- record.Address
		case "draining":
			l.Draining <- struct{}{}
		}
	}
}

// String returns what was written.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Environ are the settings of a server on a free port, in front of new buckets
// of g, that anyone may call; more goes over them.
func Environ(t testing.TB, g gatewaytest.Gateway, more map[string]string) map[string]string {
	t.Helper()
	env := map[string]string{
		"STORAGE_BUCKET": g.NewBucket(t), "STORAGE_STATE_BUCKET": g.NewBucket(t), "STORAGE_ACCESS": "open",
		"STORAGE_ADDRESS": "127.0.0.1:0", "STORAGE_DRAIN_TIMEOUT": "10s",
		"AWS_REGION": g.Region, "AWS_ENDPOINT_URL": g.Endpoint, "AWS_ACCESS_KEY_ID": g.AccessKey, "AWS_SECRET_ACCESS_KEY": g.SecretKey,
	}
	maps.Copy(env, more)
	return env
}

// Server is a program that runs in this process.
type Server struct {
	Address string
	Log     *Log
	Stop    func() // tells it to stop, as a signal does; may be called twice
	ended   chan struct{}
	code    int
}

// Wait returns the exit code when the program has ended.
func (s *Server) Wait() int {
	<-s.ended
	return s.code
}

// Start runs a program until the test ends, and checks that it ends well.
func Start(t testing.TB, p daemon.Program, env map[string]string) *Server {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	s := &Server{Log: NewLog(), Stop: stop, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		s.code = daemon.Run(ctx, p, nil, func(name string) string { return env[name] }, s.Log, s.Log)
	}()
	t.Cleanup(func() {
		stop()
		if code := s.Wait(); code != daemon.Done {
			t.Errorf("exit code %d:\n%s", code, s.Log)
		}
	})
	select {
	case s.Address = <-s.Log.Address:
	case <-s.ended:
		t.Fatalf("ended with %d:\n%s", s.code, s.Log)
	case <-time.After(StartTimeout):
		t.Fatalf("did not listen:\n%s", s.Log)
	}
	return s
}
