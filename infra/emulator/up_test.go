package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// testLocal is the life of the system on this machine: up, up again, a new build, down.
func testLocal(t *testing.T, root string) {
	o := localOptions(t, root)
	address := fmt.Sprintf("http://127.0.0.1:%d", o.Port)
	copyEnvironments(t, root, o.Environments)

	first := o.up(t)
	if !strings.Contains(first, "serves at "+address) || !strings.Contains(first, "launch_template_id = lt-") {
		t.Errorf("up said:\n%s", first)
	}
	get(t, address+"/healthz", nil)
	upload(t, address, "kept.txt", "data")

	second := o.up(t)
	if strings.Count(second, "no changes") != 2 || !strings.Contains(second, "runs already with this release and these settings") {
		t.Errorf("a second up did not converge:\n%s", second)
	}
	if st, err := ReadStatus(t.Context(), o.Options); err != nil || !st.Up() {
		t.Errorf("status %+v, %v", st, err)
	}

	editFile(t, filepath.Join(o.Environments, "local.yaml"), "allow: [127.0.0.0/8]", "allow: [127.0.0.0/8]\n  url_ttl: 11m")
	before, err := o.places().readState()
	if err != nil {
		t.Fatal(err)
	}
	third := o.up(t)
	if !strings.Contains(third, "its release or its settings changed") || before.Server.Alive() {
		t.Errorf("an up with new settings kept the server:\n%s", third)
	}
	if !before.Emulator.Alive() {
		t.Error("an up with new settings ended the emulated AWS")
	}
	var listed answer
	get(t, address+"/list_files", &listed)
	if string(listed.Content) != `["kept.txt"]` {
		t.Errorf("files after a new build: %s", listed.Content)
	}
	var signed answer
	get(t, address+"/download/kept.txt", &signed)
	if !strings.Contains(string(signed.Content), "X-Amz-Expires=660") {
		t.Errorf("the launch template's setting did not reach the server: %s", signed.Content)
	}

	after, err := o.places().readState()
	if err != nil {
		t.Fatal(err)
	}
	if err := Down(t.Context(), o.Options); err != nil {
		t.Fatal(err)
	}
	if after.Server.Alive() || after.Emulator.Alive() {
		t.Error("processes outlived down")
	}
	if o.places().used() {
		t.Error("files outlived down")
	}
}

func TestAnInterruptedUpLeavesNothingRunning(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs(projectRoot)
	if err != nil {
		t.Fatal(err)
	}
	o := localOptions(t, root)
	copyEnvironments(t, root, o.Environments)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var emulator *Process
	said := &watcher{until: "synthesizing", then: func() {
		if s, err := o.places().readState(); err == nil {
			emulator = s.Emulator
		}
		interrupt()
	}}
	o.Out = said
	err = Up(ctx, o.Options)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want %v\n%s", err, context.Canceled, said)
	}
	if emulator == nil || emulator.Alive() {
		t.Errorf("the emulator (%+v) runs on, or never ran\n%s", emulator, said)
	}
	if o.places().used() {
		t.Error("files are left")
	}
}

func TestUpRefusesAPortInUseBeforeItStartsAnything(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	o := localOptions(t, t.TempDir())
	o.Port = l.Addr().(*net.TCPAddr).Port
	err = Up(t.Context(), o.Options)
	var inUse *PortInUseError
	if !errors.As(err, &inUse) || inUse.Setting != "PORT" {
		t.Errorf("got %v", err)
	}
	if o.places().used() {
		t.Error("files are left")
	}
}

func TestUpRefusesOnePortForTwo(t *testing.T) {
	t.Parallel()
	o := localOptions(t, t.TempDir())
	o.EmulatorPort = o.Port
	err := Up(t.Context(), o.Options)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("PORT and EMULATOR_PORT are both %d", o.Port)) {
		t.Errorf("got %v", err)
	}
	if o.places().used() {
		t.Error("files are left")
	}
}

func TestAnEmulatorThatDiedMeansStartingOver(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs(projectRoot)
	if err != nil {
		t.Fatal(err)
	}
	o := localOptions(t, root)
	var said strings.Builder
	u := &up{Options: o.Options, places: o.places(), Progress: &Progress{Out: &said}}
	server := shell(t, "sleep 60")
	u.state = state{Emulator: &Process{PID: 1 << 30, Started: "long ago"}, Port: 1, Server: &server.Process, Address: "127.0.0.1:1"}
	if err := u.writeState(u.state); err != nil {
		t.Fatal(err)
	}
	touch(t, u.run, "terraform.local-storage.emulator.tfstate", "cdktf.out/manifest.json")
	if u.python, err = FindMoto(t.Context(), u.downloads(), t.Logf); err != nil {
		t.Fatal(err)
	}
	if _, err := u.emulatedAWS(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := Down(t.Context(), o.Options); err != nil {
			t.Error(err)
		}
	}()
	if server.Alive() {
		t.Error("the server of the dead emulator runs on")
	}
	if _, err := os.Stat(filepath.Join(u.run, "terraform.local-storage.emulator.tfstate")); err == nil {
		t.Error("Terraform's state of the dead emulator is still there")
	}
	if !strings.Contains(said.String(), "starting over") {
		t.Errorf("it did not say so: %q", said.String())
	}
	recorded, err := u.readState()
	if err != nil || recorded.Emulator == nil || !recorded.Emulator.Alive() || recorded.Server != nil {
		t.Errorf("recorded %+v, %v", recorded, err)
	}
}

// localTest is a local system of a test's own.
type localTest struct{ Options }

func localOptions(t *testing.T, root string) localTest {
	t.Helper()
	dir := t.TempDir()
	o := localTest{Options{
		Root: root, State: filepath.Join(dir, "state"), Environments: filepath.Join(dir, "environments"), Port: freePort(t),
	}}
	t.Cleanup(func() {
		if err := Down(context.Background(), o.Options); err != nil {
			t.Error(err)
		}
	})
	return o
}

func (o localTest) up(t *testing.T) string {
	t.Helper()
	var said strings.Builder
	o.Out = &said
	if err := Up(t.Context(), o.Options); err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	return said.String()
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// watcher calls then when a text was written.
type watcher struct {
	mu    sync.Mutex
	text  strings.Builder
	until string
	then  func()
}

func (w *watcher) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(text)
	if strings.Contains(string(text), w.until) {
		w.then()
	}
	return len(text), nil
}

func (w *watcher) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// answer is the API's body.
type answer struct {
	Status  int             `json:"status"`
	Message string          `json:"message"`
	Content json.RawMessage `json:"content"`
}

func get(t *testing.T, url string, into *answer) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s %s %v", url, res.Status, body, err)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("GET %s: %s: %v", url, body, err)
	}
}

// upload sends a file as a client does: asks the API for a URL and puts the bytes there.
func upload(t *testing.T, address, key, content string) {
	t.Helper()
	var signed answer
	get(t, address+"/upload/"+key, &signed)
	var url string
	if err := json.Unmarshal(signed.Content, &url); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPut, url, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("PUT %s: %s", url, res.Status)
	}
}
