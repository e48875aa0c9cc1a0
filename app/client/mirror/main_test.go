package mirror_test

import (
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"cloudstorage/app/client"
	"cloudstorage/app/client/mirror"
	"cloudstorage/app/client/transfer"
	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/object"
	"cloudstorage/app/service"
)

// Whatever a sync started has ended when it returns.
func TestMain(m *testing.M) {
	code := m.Run()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections() // the tests' own
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, "FAIL: a goroutine is left:", err)
		code = 1
	}
	os.Exit(code) //nolint:forbidigo // this is the tests' main
}

// bucket is a whole server in front of a real gateway, and a client of it.
type bucket struct {
	t *testing.T
	*client.Client
}

func newBucket(t *testing.T, opts ...client.Option) bucket {
	t.Helper()
	s := daemontest.Start(t, service.Program(), daemontest.Environ(t, gatewaytest.Start(t), nil))
	return bucket{t, newClient(t, s.Address, opts...)}
}

func newClient(t *testing.T, address string, opts ...client.Option) *client.Client {
	t.Helper()
	c, err := client.New(address, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func (b bucket) put(key object.Key, content string) {
	b.t.Helper()
	r := strings.NewReader(content)
	if _, err := b.Put(b.t.Context(), key, r, r.Size(), client.PutOptions{}, nil); err != nil {
		b.t.Fatal(err)
	}
}

// holds are the files below a prefix, with their content.
func (b bucket) holds(prefix string) map[string]string {
	b.t.Helper()
	all := map[string]string{}
	for e, err := range b.Files(b.t.Context(), client.FilesOptions{Prefix: prefix}) {
		if err != nil {
			b.t.Fatal(err)
		}
		var content strings.Builder
		if _, err := b.Get(b.t.Context(), e.Key, "", &content, nil); err != nil {
			b.t.Fatal(err)
		}
		all[strings.TrimPrefix(string(e.Key), prefix)] = content.String()
	}
	return all
}

// outcome is what a sync did.
type outcome struct {
	mirror.Sum
	done   map[string]string // by name: the reason of a transfer, or "deleted", or an error
	failed error
}

func (b bucket) sync(o mirror.Options) outcome {
	b.t.Helper()
	got := outcome{done: map[string]string{}}
	o.Client, o.Transfers = b.Client, transfer.New(b.Client, transfer.Options{})
	report := o.Report
	o.Report = func(r mirror.Result) {
		if report != nil {
			report(r)
		}
		switch {
		case r.Err != nil:
			got.done[r.Name()] = r.Err.Error()
		case r.Verb == mirror.Delete:
			got.done[r.Name()] = "deleted"
		default:
			got.done[r.Name()] = string(r.Reason)
		}
	}
	got.Sum, got.failed = mirror.Run(b.t.Context(), o)
	return got
}

// want checks what a sync did, and that nothing failed.
func (o outcome) want(t *testing.T, same int, done map[string]string) {
	t.Helper()
	if o.failed != nil || o.Same != same || !maps.Equal(o.done, done) {
		t.Errorf("the same: %d, done: %q, %v; want %d, %q", o.Same, o.done, o.failed, same, done)
	}
}

func write(t *testing.T, dir string, all map[string]string) {
	t.Helper()
	for name, content := range all {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// read are the files below a folder, with their content; a link's is where it
// leads.
func read(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if e.Type()&fs.ModeSymlink != 0 {
			to, err := os.Readlink(path)
			all[filepath.ToSlash(rel)] = "-> " + to
			return err
		}
		content, err := os.ReadFile(path)
		all[filepath.ToSlash(rel)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func wantFiles(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Errorf("%s holds %q, want %q", what, got, want)
	}
}

func folders(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && path != dir {
			all = append(all, e.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func filter(t *testing.T, exclude ...string) mirror.Filter {
	t.Helper()
	f, err := mirror.NewFilter(nil, exclude)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
