package emulator

import (
	"net"
	"net/http"
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
