package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/e2e/toxictest"
)

// lines are the ways from the real program to the real server, and from both to
// the real storage.
type lines struct{ api, storage toxictest.Proxy }

// failing is a user whose network does what a test says.
func failing(t *testing.T, storagectl, storaged string, more ...string) (user, lines) {
	t.Helper()
	g := gatewaytest.Start(t)
	bucket := g.NewBucket(t)
	storage := toxictest.Start(t, g.Endpoint)
	g.Endpoint = storage.URL
	api := toxictest.Start(t, "http://"+serve(t, storaged, g, bucket, more...))
	return user{program: storagectl, dir: t.TempDir(), address: api.URL}, lines{api, storage}
}

// fill writes what a user moves: a large file, small ones, an empty one.
func (u user) fill(t *testing.T) {
	t.Helper()
	for name, size := range map[string]int64{"large": 12<<20 + 7, "small": 3000, "empty": 0, "deep/er/file": 70_000} {
		path := filepath.Join(u.dir, "there", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		randomFile(t, path, size)
	}
}

// same compares what was sent with what came back.
func (u user) same(t *testing.T) {
	t.Helper()
	there := os.DirFS(filepath.Join(u.dir, "there"))
	back := filepath.Join(u.dir, "back", "there")
	err := fs.WalkDir(there, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if digest(t, filepath.Join(u.dir, "there", name)) != digest(t, filepath.Join(back, name)) {
			t.Errorf("%s came back as other bytes", name)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(back, ".*")); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}

func (u user) mustRun(t *testing.T, args ...string) outcome {
	t.Helper()
	got := u.run(t, append([]string{"--stall-timeout", "2s"}, args...)...)
	if got.code != exitDone {
		t.Fatalf("%q: %+v", args, got)
	}
	return got
}

func TestEveryCommandGetsOverANetworkThatFails(t *testing.T) {
	t.Parallel()
	storagectl, storaged := programs(t)
	half := func(kind, stream string, attributes map[string]int) toxictest.Toxic {
		return toxictest.Toxic{Type: kind, Stream: stream, Attributes: attributes, Toxicity: 0.4}
	}
	for name, tt := range map[string]struct {
		api, storage []toxictest.Toxic
		more         []string
	}{
		"calls are reset":              {api: []toxictest.Toxic{half("reset_peer", "downstream", map[string]int{"timeout": 0})}},
		"calls hang":                   {api: []toxictest.Toxic{half("timeout", "downstream", map[string]int{"timeout": 0})}},
		"answers of the API are cut":   {api: []toxictest.Toxic{half("limit_data", "downstream", map[string]int{"bytes": 300})}},
		"transfers are reset":          {storage: []toxictest.Toxic{half("reset_peer", "downstream", map[string]int{"timeout": 20})}},
		"answers are cut after 3 MiB":  {storage: []toxictest.Toxic{half("limit_data", "downstream", map[string]int{"bytes": 3 << 20})}},
		"requests are cut after 3 MiB": {storage: []toxictest.Toxic{half("limit_data", "upstream", map[string]int{"bytes": 3 << 20})}},
		"answers trickle, a byte a s":  {storage: []toxictest.Toxic{half("slicer", "downstream", map[string]int{"average_size": 1, "delay": 1_000_000})}},
		"transfers hang":               {storage: []toxictest.Toxic{half("timeout", "upstream", map[string]int{"timeout": 0})}},
		"latency and URLs of a second": {storage: []toxictest.Toxic{{Type: "latency", Stream: "downstream", Attributes: map[string]int{"latency": 100, "jitter": 50}}}, more: []string{"STORAGE_URL_TTL=1s"}},
		"all of it, a little":          {api: []toxictest.Toxic{{Type: "reset_peer", Stream: "downstream", Attributes: map[string]int{"timeout": 0}, Toxicity: 0.2}}, storage: []toxictest.Toxic{{Type: "limit_data", Stream: "downstream", Attributes: map[string]int{"bytes": 5 << 20}, Toxicity: 0.2}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, on := failing(t, storagectl, storaged, tt.more...)
			u.fill(t)
			on.api.Add(t, tt.api...)
			on.storage.Add(t, tt.storage...)
			u.mustRun(t, "put", "-r", "there", "--part-size", "5MiB")
			u.mustRun(t, "get", "-r", "there", "--to", "back/")
			u.same(t)
			if got := u.mustRun(t, "ls", "-r"); got.stdout != "there/deep/er/file\nthere/empty\nthere/large\nthere/small\n" {
				t.Errorf("listed %q", got.stdout)
			}
			want, err := os.ReadFile(filepath.Join(u.dir, "there", "large"))
			if err != nil {
				t.Fatal(err)
			}
			if got := u.mustRun(t, "cat", "there/large"); got.stdout != string(want) {
				t.Errorf("cat wrote %d bytes that are not the %d wanted", len(got.stdout), len(want))
			}
		})
	}
}

// storms answers in the API's and the storage's place, as a balancer or S3 does
// that has too much to do: of each request the first times.
func storms(t *testing.T, server string, status int) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(u)
		r.Out.Host = r.In.Host // which is signed
	}}
	var mu sync.Mutex
	seen := map[string]int{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Method + r.URL.Path + r.URL.Query().Get("partNumber") + r.Header.Get("Range")
		mu.Lock()
		seen[id]++
		n := seen[id]
		mu.Unlock()
		if n > 2 || r.Header.Get("Authorization") != "" { // of the server itself
			proxy.ServeHTTP(w, r)
			return
		}
		if n == 1 {
			w.Header().Set("Retry-After", "1")
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(func() { s.Close(); transport.CloseIdleConnections() })
	return s.URL
}

func TestEveryCommandGetsOverStorms(t *testing.T) {
	t.Parallel()
	storagectl, storaged := programs(t)
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			g := gatewaytest.Start(t)
			bucket := g.NewBucket(t)
			g.Endpoint = storms(t, g.Endpoint, status)
			u := user{program: storagectl, dir: t.TempDir(), address: storms(t, "http://"+serve(t, storaged, g, bucket), status)}
			u.fill(t)
			u.mustRun(t, "put", "-r", "there", "--part-size", "5MiB")
			u.mustRun(t, "get", "-r", "there", "--to", "back/")
			u.same(t)
			u.mustRun(t, "rm", "-r", "there", "--yes")
		})
	}
}

// start runs the program and returns what ends it, which returns its outcome.
func (u user) start(t *testing.T, args ...string) (end func(os.Signal) outcome) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), u.program, append([]string{"--ip", u.address}, args...)...)
	cmd.Dir = u.dir
	cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+u.dir)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func(s os.Signal) outcome {
		if s != nil {
			_ = cmd.Process.Signal(s) // it may have ended
		}
		_ = cmd.Wait() // the exit code tells
		return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
	}
}

// waitFor looks until something is so.
func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.NewTimer(startTimeout)
	defer late.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatalf("waited for %s in vain", what)
		}
	}
}

func TestALostNetworkIsGotOverAndAnEndedOneGoneOnFrom(t *testing.T) {
	t.Parallel()
	storagectl, storaged := programs(t)
	u, on := failing(t, storagectl, storaged)
	u.fill(t)
	source := filepath.Join(u.dir, "there", "large")
	u.mustRun(t, "put", source, "--to", "large", "--part-size", "5MiB")
	slowly := toxictest.Toxic{Type: "bandwidth", Stream: "downstream", Attributes: map[string]int{"rate": 4000}}
	journal, saved := filepath.Join(u.dir, ".large.part.journal"), filepath.Join(u.dir, "large")
	arrived := func() bool {
		text, err := os.ReadFile(journal)
		return err == nil && strings.Count(strings.TrimSpace(string(text)), "\n") > 0
	}

	// It comes back while the program waits.
	on.storage.Add(t, slowly)
	end := u.start(t, "get", "large", "--part-size", "5MiB")
	waitFor(t, "a range", arrived)
	on.storage.Cut(t)
	on.api.Cut(t)
	on.storage.Heal(t)
	on.api.Heal(t)
	if got := end(nil); got.code != exitDone || digest(t, saved) != digest(t, source) {
		t.Fatalf("%+v", got)
	}
	if err := os.Remove(saved); err != nil {
		t.Fatal(err)
	}

	// Somebody loses patience, and says the same again.
	on.storage.Add(t, slowly)
	end = u.start(t, "get", "large", "--part-size", "5MiB")
	waitFor(t, "a range", arrived)
	on.storage.Cut(t)
	if got := end(os.Interrupt); got.code != exitFailed || got.stderr != "storagectl: cancelled\n" {
		t.Errorf("%+v", got)
	}
	if _, err := os.Stat(saved); err == nil {
		t.Error("there is half a file")
	}
	on.storage.Heal(t)
	u.mustRun(t, "get", "large", "--part-size", "5MiB")
	if digest(t, saved) != digest(t, source) {
		t.Error("other bytes came back")
	}
	if left, _ := filepath.Glob(filepath.Join(u.dir, ".large*")); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}

func TestWhereNothingListensTheWayOutIsSaid(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(nil)
	address := gone.URL
	gone.Close()
	where{}.run(t, "--ip", address, "ls").wantFailure(t, exitFailed, "is it running? Start it with 'make up', or name another address with --ip")
}
