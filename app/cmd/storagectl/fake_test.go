package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// fake is an API of the exercise's routes alone and its bucket, in memory.
type fake struct {
	*httptest.Server
	mu      sync.Mutex
	objects map[string]string
	refuse  http.HandlerFunc // answers the API's calls where it is set
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{objects: map[string]string{}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) address() string { return strings.TrimPrefix(f.URL, "http://") }

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if key, ok := strings.CutPrefix(r.URL.Path, "/bucket/"); ok {
		f.serveObject(w, r, key)
		return
	}
	if f.refuse != nil {
		f.refuse(w, r)
		return
	}
	for route, did := range map[string]string{"/upload/": "uploaded", "/download/": "downloaded", "/delete/": "deleted"} {
		key, ok := strings.CutPrefix(r.URL.Path, route)
		if !ok {
			continue
		}
		var content any = f.URL + "/bucket/" + url.PathEscape(key) + "?X-Amz-Signature=0123456789abcdef"
		if did == "deleted" {
			delete(f.objects, key)
			content = nil
		}
		answer(w, 200, "Successfully "+did+" file '"+key+"' on s3 bucket 'module02-1'", content)
		return
	}
	if r.URL.Path == "/list_files" {
		names := []string{}
		for name := range f.objects {
			names = append(names, name)
		}
		slices.Sort(names)
		answer(w, 200, "Successfully listed files on s3 bucket 'module02-1'", names)
		return
	}
	if r.URL.Path != "/" {
		answer(w, 404, "there is no such route", nil)
		return
	}
	answer(w, 200, greeting, nil)
}

const greeting = "Successfully connected to module02 upload/download API"

func (f *fake) serveObject(w http.ResponseWriter, r *http.Request, key string) {
	if r.Method == http.MethodPut {
		body, _ := io.ReadAll(r.Body)
		f.objects[key] = string(body)
		return
	}
	body, ok := f.objects[key]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = io.WriteString(w, body)
}

func answer(w http.ResponseWriter, status int, message string, content any) {
	w.WriteHeader(status)
	body := map[string]any{"status": status, "message": message}
	if content != nil {
		body["content"] = content
	}
	_ = json.NewEncoder(w).Encode(body)
}

// outcome is what a run left behind.
type outcome struct {
	code           int
	stdout, stderr string
}

// where is how a test's run differs from a pipe in an empty folder.
type where struct {
	dir      string
	terminal bool
	stdin    string
	key      string
	env      map[string]string
}

func (at where) run(t *testing.T, args ...string) outcome {
	t.Helper()
	if at.dir == "" {
		at.dir = t.TempDir()
	}
	var stdout, stderr bytes.Buffer
	code := program{
		stdin: strings.NewReader(at.stdin), stdout: &stdout, stderr: &stderr, dir: at.dir,
		env: func(name string) string {
			if name == envKey {
				return at.key
			}
			return at.env[name]
		},
		isTerminal: func(any) bool { return at.terminal },
	}.run(t.Context(), args)
	return outcome{code, stdout.String(), stderr.String()}
}

// wantFailure checks an error's exit code and that it is one sentence on
// standard error which says what is expected.
func (o outcome) wantFailure(t *testing.T, code int, says string) {
	t.Helper()
	if o.code != code || o.stdout != "" {
		t.Errorf("exit code %d and stdout %q, want %d and nothing", o.code, o.stdout, code)
	}
	if !strings.HasPrefix(o.stderr, "storagectl: ") || strings.Count(o.stderr, "\n") != 1 || !strings.HasSuffix(o.stderr, "\n") || !strings.Contains(o.stderr, says) {
		t.Errorf("stderr %q, want one sentence that says %q", o.stderr, says)
	}
}

func (o outcome) want(t *testing.T, stdout string) {
	t.Helper()
	if o != (outcome{0, stdout, ""}) {
		t.Errorf("got %+v, want exit code 0, stdout %q and nothing on stderr", o, stdout)
	}
}
