package main

import (
	"bytes"
	"strings"
	"testing"

	"cloudstorage/app/daemon"
	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/service"
)

// start runs storaged until the test ends.
func start(t testing.TB, env map[string]string) (address string, log *daemontest.Log) {
	t.Helper()
	s := daemontest.Start(t, service.Program(), env)
	return s.Address, s.Log
}

func TestArgumentsAndSettings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name           string
		args           []string
		env            map[string]string
		code           int
		stdout, stderr []string
	}{
		{name: "version", args: []string{"--version"}, code: 0, stdout: []string{"storaged ", " go1."}},
		{name: "help", args: []string{"--help"}, code: 0, stdout: []string{"Usage: storaged", "STORAGE_BUCKET", "AWS_ENDPOINT_URL", "STORAGE_ACCESS"}},
		{name: "unknown flag", args: []string{"--port=1"}, code: 2, stderr: []string{"-port", "storaged --help"}},
		{name: "unexpected argument", args: []string{"serve"}, code: 2, stderr: []string{"storaged --help"}},
		{name: "all wrong settings at once", env: map[string]string{"STORAGE_URL_TTL": "soon", "STORAGE_RATE_LIMIT": "much"}, code: 2,
			stderr: []string{"STORAGE_BUCKET", "AWS_REGION", "STORAGE_URL_TTL", `"soon"`, "STORAGE_ACCESS", "STORAGE_STATE_BUCKET", "STORAGE_RATE_LIMIT", `"much"`}},
		{name: "half of the credentials", env: map[string]string{"STORAGE_BUCKET": "b-1", "STORAGE_STATE_BUCKET": "b-2", "STORAGE_ACCESS": "open",
			"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "A"}, code: 1, stderr: []string{"AWS_SECRET_ACCESS_KEY"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			if code := daemon.Run(t.Context(), service.Program(), tt.args, func(name string) string { return tt.env[name] }, &stdout, &stderr); code != tt.code {
				t.Errorf("exit code %d, want %d: %s", code, tt.code, &stderr)
			}
			for _, part := range tt.stdout {
				if !strings.Contains(stdout.String(), part) {
					t.Errorf("stdout lacks %q: %s", part, &stdout)
				}
			}
			for _, part := range tt.stderr {
				if !strings.Contains(stderr.String(), part) {
					t.Errorf("stderr lacks %q: %s", part, &stderr)
				}
			}
			if (stdout.Len() > 0) == (stderr.Len() > 0) {
				t.Errorf("want output on one side:\nstdout %s\nstderr %s", &stdout, &stderr)
			}
		})
	}
}

func TestAnAddressOfAnotherMachineIsRefused(t *testing.T) {
	t.Parallel()
	env := daemontest.Environ(t, gatewaytest.Start(t), map[string]string{"STORAGE_ADDRESS": "192.0.2.1:1"})
	var stderr bytes.Buffer
	code := daemon.Run(t.Context(), service.Program(), nil, func(name string) string { return env[name] }, &stderr, &stderr)
	if code != daemon.Failed || !strings.Contains(stderr.String(), "listen on 192.0.2.1:1") {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
}

func TestHelpNamesEverySetting(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	daemon.Run(t.Context(), service.Program(), []string{"--help"}, func(string) string { return "" }, &stdout, &stderr)
	asked := map[string]bool{}
	// Load asks for every setting that there is.
	_, _, _ = service.Program().Load(func(name string) string { asked[name] = true; return "" })
	if len(asked) < 20 {
		t.Fatalf("asked for %d settings", len(asked))
	}
	for name := range asked {
		if !strings.Contains(stdout.String(), name) {
			t.Errorf("help lacks %s:\n%s", name, &stdout)
		}
	}
}
