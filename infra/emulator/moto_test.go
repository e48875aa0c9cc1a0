package emulator

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// projectRoot is this project's root, seen from this package.
const projectRoot = "../.."

// testMoto starts an emulated AWS for one test.
func testMoto(t *testing.T) *Moto {
	t.Helper()
	python, err := FindMoto(t.Context(), filepath.Join(projectRoot, ".cache", "emulator"), t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	m, err := StartMoto(t.Context(), MotoOptions{Python: python, Log: filepath.Join(t.TempDir(), "moto.log")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Stop(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func TestMotoServesOnAFreePortUntilItIsStopped(t *testing.T) {
	t.Parallel()
	one, two := testMoto(t), testMoto(t)
	if one.Port == two.Port || one.Port == 0 {
		t.Fatalf("ports %d and %d", one.Port, two.Port)
	}
	api := API{one.Endpoint()}
	const here = "<CreateBucketConfiguration><LocationConstraint>" + Region + "</LocationConstraint></CreateBucketConfiguration>"
	if _, err := api.call(t.Context(), "s3", http.MethodPut, "/files", "", here); err != nil {
		t.Fatal(err)
	}
	if _, err := api.Object(t.Context(), "files", "a b/ü?"); err == nil || !strings.Contains(err.Error(), "NoSuchKey") {
		t.Errorf("a missing object: %v, want NoSuchKey", err)
	}
	if _, err := (API{two.Endpoint()}).Object(t.Context(), "files", "a"); err == nil || !strings.Contains(err.Error(), "NoSuchBucket") {
		t.Errorf("a bucket of the other account: %v, want NoSuchBucket", err)
	}
	if err := one.Stop(); err != nil {
		t.Fatal(err)
	}
	if one.answers(t.Context()) {
		t.Error("it answers after Stop")
	}
}

func TestListingVersionsCopiesNoContent(t *testing.T) {
	t.Parallel()
	m := testMoto(t)
	api := API{m.Endpoint()}
	for _, r := range []struct{ method, path, body string }{
		{http.MethodPut, "/files", "<CreateBucketConfiguration><LocationConstraint>" + Region + "</LocationConstraint></CreateBucketConfiguration>"},
		{http.MethodPut, "/files?versioning", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"},
		{http.MethodPut, "/files/large", strings.Repeat("x", 17<<20)}, // more than moto keeps in memory
		{http.MethodPut, "/files/large", "small"},
	} {
		if _, err := api.call(t.Context(), "s3", r.method, r.path, "", r.body); err != nil {
			t.Fatal(err)
		}
	}
	contents := openAndDeleted(t, m)
	for range 3 {
		list, err := api.call(t.Context(), "s3", http.MethodGet, "/files?versions", "", "")
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"<Size>17825792</Size>", "<Size>5</Size>"} {
			if !strings.Contains(string(list), want) || strings.Count(string(list), "<IsLatest>true</IsLatest>") != 1 {
				t.Errorf("the list has no %s, or not one newest version:\n%s", want, list)
			}
		}
	}
	if got := openAndDeleted(t, m); got != contents {
		t.Errorf("moto has %d files of content, and had %d before versions were listed", got, contents)
	}
	if got, err := api.Object(t.Context(), "files", "large"); err != nil || string(got) != "small" {
		t.Errorf("then the file has %d bytes, %v", len(got), err)
	}
}

// openAndDeleted counts the files without a name that moto keeps large content in.
func openAndDeleted(t *testing.T, m *Moto) int {
	t.Helper()
	folder := fmt.Sprintf("/proc/%d/fd", m.PID)
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Skip("open files are counted where there is /proc: ", err)
	}
	var n int
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(folder, e.Name())); err == nil && strings.HasSuffix(to, "(deleted)") {
			n++
		}
	}
	return n
}

func TestAGivenPortThatIsTakenIsTheError(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	port := l.Addr().(*net.TCPAddr).Port
	_, err = StartMoto(t.Context(), MotoOptions{Python: "/bin/false", Port: port, Log: filepath.Join(t.TempDir(), "log")})
	if err == nil || !strings.Contains(err.Error(), "EMULATOR_PORT") {
		t.Errorf("got %v", err)
	}
}

func TestAnEmulatorThatEndsAtOnceShowsItsLastWords(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "python3")
	if err := writeFile(program, []byte("#!/bin/sh\necho no module named flask >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := StartMoto(t.Context(), MotoOptions{Python: program, Log: filepath.Join(t.TempDir(), "log")})
	if err == nil || !strings.Contains(err.Error(), "no module named flask") {
		t.Errorf("got %v", err)
	}
}
