package transfer_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"cloudstorage/app/client"
	"cloudstorage/app/client/transfer"
	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/object"
	"cloudstorage/app/service"
)

const mib = 1 << 20

// Whatever a transfer started has ended when it returns. This program is also
// the one that the crash tests kill.
func TestMain(m *testing.M) {
	if task := os.Getenv(taskVariable); task != "" {
		os.Exit(runTask(task)) //nolint:forbidigo // as a process of its own, this is its main
	}
	code := m.Run()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections() // the tests' own
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, "FAIL: a goroutine is left:", err)
		code = 1
	}
	os.Exit(code) //nolint:forbidigo // this is the tests' main
}

// system is a whole server in front of a real gateway.
type system struct {
	t       testing.TB
	address string
	client  *client.Client
}

func start(t testing.TB) *system {
	t.Helper()
	return startOn(t, gatewaytest.Start(t), nil)
}

func startOn(t testing.TB, g gatewaytest.Gateway, more map[string]string) *system {
	t.Helper()
	s := daemontest.Start(t, service.Program(), daemontest.Environ(t, g, more))
	return &system{t, s.Address, newClient(t, s.Address)}
}

func newClient(t testing.TB, address string, opts ...client.Option) *client.Client {
	t.Helper()
	c, err := client.New(address, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// content is n bytes that are no others'.
func content(seed uint64, n int) []byte {
	b := make([]byte, n)
	random := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = random.Read(b) // it never fails
	return b
}

func write(t testing.TB, path string, b []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func root(t testing.TB) *os.Root {
	t.Helper()
	r, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// upload uploads files and returns what became of them by key.
func upload(t testing.TB, x *transfer.Transfers, files ...transfer.File) map[object.Key]transfer.Outcome {
	t.Helper()
	all := map[object.Key]transfer.Outcome{}
	x.Upload(t.Context(), slices.Values(files), func(o transfer.Outcome) { all[o.Key] = o })
	if len(all) != len(files) {
		t.Errorf("%d outcomes of %d files", len(all), len(files))
	}
	return all
}

func download(t testing.TB, x *transfer.Transfers, files ...transfer.Remote) map[object.Key]transfer.Outcome {
	t.Helper()
	all := map[object.Key]transfer.Outcome{}
	x.Download(t.Context(), slices.Values(files), func(o transfer.Outcome) { all[o.Key] = o })
	if len(all) != len(files) {
		t.Errorf("%d outcomes of %d files", len(all), len(files))
	}
	return all
}

// stored reads a file past the package under test.
func (s *system) stored(key object.Key) []byte {
	s.t.Helper()
	var b bytes.Buffer
	if _, err := s.client.Get(s.t.Context(), key, "", &b, nil); err != nil {
		s.t.Fatalf("%s: %v", key, err)
	}
	return b.Bytes()
}

func (s *system) put(key object.Key, b []byte) {
	s.t.Helper()
	if _, err := s.client.Put(s.t.Context(), key, bytes.NewReader(b), int64(len(b)), client.PutOptions{}, nil); err != nil {
		s.t.Fatal(err)
	}
}

func same(t testing.TB, what string, got, want []byte) {
	t.Helper()
	if sha256.Sum256(got) != sha256.Sum256(want) {
		t.Errorf("%s: %d bytes that are not the %d wanted", what, len(got), len(want))
	}
}

// hidden fails the test where a download left anything but its file.
func hidden(t testing.TB, dir *os.Root) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir.Name(), ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left %q, %v", left, err)
	}
}

func TestFilesOfAnySizeGoUpAndComeBack(t *testing.T) {
	t.Parallel()
	s := start(t)
	local := t.TempDir()
	var mu sync.Mutex
	at := map[object.Key]int64{}
	x := transfer.New(s.client, transfer.Options{PartSize: 5 * mib, State: t.TempDir(), Progress: func(k object.Key, n, _ int64) {
		mu.Lock()
		defer mu.Unlock()
		at[k] += n
	}})
	sizes := map[string]int{"empty": 0, "a byte": 1, "small": 4096, "a/b/%20+é.txt": 100_000, "one part": 5 * mib, "two parts": 5*mib + 1, "large": 23*mib + 12345}
	var files []transfer.File
	var remotes []transfer.Remote
	dir := root(t)
	contents := map[object.Key][]byte{}
	for name, size := range sizes {
		k := object.Key(name)
		contents[k] = content(uint64(size), size)
		files = append(files, transfer.File{Key: k, Path: write(t, filepath.Join(local, fmt.Sprint(size)), contents[k])})
		known := int64(size)
		if size%2 == 0 {
			known = client.UnknownSize
		}
		remotes = append(remotes, transfer.Remote{Key: k, Size: known, Dir: dir, Name: name})
	}
	for k, o := range upload(t, x, files...) {
		if o.Err != nil || !o.Verified || o.Size != int64(len(contents[k])) || o.Moved != o.Size || at[k] != o.Size {
			t.Errorf("%s: %+v, progress %d", k, o, at[k])
			continue
		}
		same(t, string(k), s.stored(k), contents[k])
	}
	clear(at)
	for k, o := range download(t, x, remotes...) {
		if o.Err != nil || !o.Verified || o.Size != int64(len(contents[k])) || o.Moved != o.Size || at[k] != o.Size {
			t.Errorf("%s: %+v, progress %d", k, o, at[k])
			continue
		}
		got, err := os.ReadFile(filepath.Join(dir.Name(), string(k)))
		if err != nil {
			t.Error(err)
		}
		same(t, string(k), got, contents[k])
	}
	hidden(t, dir)
	if info, err := s.client.Stat(t.Context(), "a/b/%20+é.txt", ""); err != nil || info.Type != "text/plain" {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestManySmallFilesTakeFewCalls(t *testing.T) {
	t.Parallel()
	s := start(t)
	calls := &counting{RoundTripper: &http.Transport{MaxIdleConnsPerHost: 64}}
	t.Cleanup(calls.RoundTripper.(*http.Transport).CloseIdleConnections)
	c := newClient(t, s.address, client.WithTransport(calls))
	calls.api = s.address
	x := transfer.New(c, transfer.Options{})
	local, dir := t.TempDir(), root(t)
	var files []transfer.File
	var remotes []transfer.Remote
	for i := range 1500 {
		k := object.Key(fmt.Sprintf("many/%d/%d", i%10, i))
		files = append(files, transfer.File{Key: k, Path: write(t, filepath.Join(local, fmt.Sprint(i)), content(uint64(i), 100))})
		remotes = append(remotes, transfer.Remote{Key: k, Size: client.UnknownSize, Dir: dir, Name: string(k)})
	}
	for k, o := range upload(t, x, files...) {
		if o.Err != nil {
			t.Fatalf("%s: %v", k, o.Err)
		}
	}
	for k, o := range download(t, x, remotes...) {
		if o.Err != nil || !o.Verified {
			t.Fatalf("%s: %+v", k, o)
		}
	}
	for i := range 1500 {
		got, err := dir.ReadFile(string(remotes[i].Key))
		if err != nil || !bytes.Equal(got, content(uint64(i), 100)) {
			t.Fatalf("%s: %v", remotes[i].Key, err)
		}
	}
	if n := calls.count(); n > 120 {
		t.Errorf("%d calls of the API for 2 × 1,500 files", n)
	}
}

// counting counts the calls of the API.
type counting struct {
	http.RoundTripper
	api string
	mu  sync.Mutex
	n   int
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == c.api {
		c.mu.Lock()
		c.n++
		c.mu.Unlock()
	}
	return c.RoundTripper.RoundTrip(r)
}

func (c *counting) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

func TestEachFileFailsByItself(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.put("there", []byte("content"))
	x := transfer.New(s.client, transfer.Options{})
	local, dir := t.TempDir(), root(t)
	good := write(t, filepath.Join(local, "good"), []byte("good"))
	up := upload(t, x, transfer.File{Key: "missing", Path: filepath.Join(local, "missing")}, transfer.File{Key: "folder", Path: local},
		transfer.File{Key: "a/../b", Path: good}, transfer.File{Key: "there", Path: good, IfNew: true}, transfer.File{Key: "good", Path: good})
	for k, code := range map[object.Key]object.Code{"missing": object.CodeNotFound, "folder": object.CodeInvalid, "a/../b": object.CodeInvalid, "there": object.CodePrecondition, "good": ""} {
		if err := up[k].Err; object.CodeOf(err) != code {
			t.Errorf("upload %s: %v", k, err)
		}
	}
	write(t, filepath.Join(dir.Name(), "taken", "x"), nil)
	down := download(t, x, transfer.Remote{Key: "missing", Size: client.UnknownSize, Dir: dir, Name: "missing"}, transfer.Remote{Key: "there", Size: 7, Dir: dir, Name: "taken"},
		transfer.Remote{Key: "good", Size: 4, Dir: dir, Name: "good"})
	for k, code := range map[object.Key]object.Code{"missing": object.CodeNotFound, "there": object.CodeInvalid, "good": ""} {
		if err := down[k].Err; object.CodeOf(err) != code {
			t.Errorf("download %s: %v", k, err)
		}
	}
	hidden(t, dir)
}

func TestNoNameLeadsOutOfTheFolder(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.put("x", []byte("content"))
	x := transfer.New(s.client, transfer.Options{})
	outside := t.TempDir()
	dir := root(t)
	if err := os.Symlink(outside, filepath.Join(dir.Name(), "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../x", "/x", "a/../../x", "link/x", ".", ""} {
		if o := download(t, x, transfer.Remote{Key: "x", Size: 7, Dir: dir, Name: name})["x"]; o.Err == nil {
			t.Errorf("%q was written", name)
		}
	}
	if left, _ := os.ReadDir(outside); len(left) > 0 {
		t.Errorf("%v is outside", left)
	}
}
