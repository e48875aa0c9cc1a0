// Package issuertest gives tests a real OpenID Connect issuer: it builds the
// issuer module beside it, once per content, and starts it.
package issuertest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"cloudstorage/app/e2e/build"
)

// startTimeout is how long the issuer may take to serve on a busy machine.
const startTimeout = 60 * time.Second

// Issuer is a running issuer. It ends with its test.
type Issuer struct {
	URL string `json:"issuer"` // http://127.0.0.1:port

	process *process
}

type process struct {
	mu    sync.Mutex
	stdin io.WriteCloser
	lines <-chan string
	kill  func()
	wait  func() error
}

// Client is who gets tokens, and what these say.
type Client struct {
	ID       string         `json:"id"` // the tokens' subject
	Secret   string         `json:"secret"`
	Audience []string       `json:"audience"`
	Seconds  int            `json:"seconds"` // how long the tokens live
	Claims   map[string]any `json:"claims,omitempty"`
}

var program = sync.OnceValues(func() (string, error) { return build.Program("issuer") })

// Start starts an issuer with no clients.
func Start(t testing.TB) Issuer {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatalf("build the issuer that the tests need: %v", err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), path)
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
		t.Fatalf("start the issuer: %v", err)
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
			t.Errorf("stop the issuer: %v\n%s", err, log)
		}
	})
	i := Issuer{process: p}
	p.read(t, &i)
	return i
}

// Token registers c, or changes it, and returns a token for it by the client
// credentials grant.
func (i Issuer) Token(t testing.TB, c Client) string {
	t.Helper()
	if c.Secret == "" {
		c.Secret = "secret of " + c.ID
	}
	i.process.do(t, map[string]any{"client": c})
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"files"}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, i.URL+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(c.Secret))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var token struct {
		AccessToken string `json:"access_token"`
		Description string `json:"error_description"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&token); err != nil || token.AccessToken == "" {
		t.Fatalf("the issuer gave no token: %s %s, %v", answer.Status, token.Description, err)
	}
	return token.AccessToken
}

// Rotate makes the issuer sign with a new key of the other kind (RSA, ECDSA);
// the one before stays published where keep says so.
func (i Issuer) Rotate(t testing.TB, keep bool) {
	t.Helper()
	what := "drop"
	if keep {
		what = "keep"
	}
	i.process.do(t, map[string]any{"rotate": what})
}

// Stop ends the issuer and returns when it has gone, for tests of its absence.
func (i Issuer) Stop() { _ = i.process.stop() }

// stop may be called twice.
func (p *process) stop() error {
	// Closing its input ends it; the timer is for when it does not.
	timer := time.AfterFunc(startTimeout, p.kill)
	defer timer.Stop()
	_ = p.stdin.Close()
	return p.wait()
}

func (p *process) do(t testing.TB, command map[string]any) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	line, err := json.Marshal(command)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(p.stdin, "%s\n", line); err != nil {
		t.Fatalf("tell the issuer: %v", err)
	}
	var answer struct{ Error string }
	p.read(t, &answer)
	if answer.Error != "" {
		t.Fatalf("the issuer refused %s: %s", line, answer.Error)
	}
}

func (p *process) read(t testing.TB, v any) {
	t.Helper()
	select {
	case line, ok := <-p.lines:
		if !ok {
			t.Fatal("the issuer ended early")
		}
		if err := json.Unmarshal([]byte(line), v); err != nil {
			t.Fatalf("the issuer said %q: %v", line, err)
		}
	case <-time.After(startTimeout):
		p.kill()
		t.Fatalf("the issuer did not answer within %s", startTimeout)
	}
}
