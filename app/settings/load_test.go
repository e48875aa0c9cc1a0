package settings_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cloudstorage/app/settings"
)

// environ reads NAME=value lines, as a process does.
func environ(lines ...string) func(string) string {
	values := map[string]string{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, "=")
		values[name] = value
	}
	return func(name string) string { return values[name] }
}

var required = []string{"STORAGE_BUCKET=module02-20240101", "AWS_REGION=eu-west-1"}

func TestLoadFillsInTheDefaults(t *testing.T) {
	t.Parallel()
	got, err := settings.Load(environ(required...))
	if err != nil {
		t.Fatal(err)
	}
	want := settings.Settings{
		Bucket: "module02-20240101", Region: "eu-west-1", Address: ":5000",
		URLTTL: 600 * time.Second, MaxURLTTL: 168 * time.Hour, LogLevel: slog.LevelInfo, DrainTimeout: 25 * time.Second,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLoadReadsBackWhatEnvironWrites(t *testing.T) {
	t.Parallel()
	for _, want := range []settings.Settings{
		{Bucket: "b-1", Region: "eu-west-1", Address: ":5000", URLTTL: 10 * time.Minute, MaxURLTTL: time.Hour, DrainTimeout: 25 * time.Second},
		{Bucket: "a.b.c", Region: "us-gov-west-1", Address: "[::1]:0", URLTTL: 168 * time.Hour, MaxURLTTL: 168 * time.Hour, DrainTimeout: time.Second,
			LogLevel: slog.LevelDebug, Endpoint: "http://127.0.0.1:9000"},
	} {
		lines := want.Environ()
		got, err := settings.Load(environ(lines...))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v: %s", lines, diff)
		}
	}
}

func TestEnvironIsSortedAndLeavesOutZeroFields(t *testing.T) {
	t.Parallel()
	if got := (settings.Settings{}).Environ(); len(got) != 0 {
		t.Errorf("Environ of the zero value = %q, want none", got)
	}
	got := settings.Settings{Bucket: "bbb", Region: "r", Address: ":1", URLTTL: time.Second, MaxURLTTL: time.Minute, LogLevel: slog.LevelWarn,
		DrainTimeout: time.Minute, Endpoint: "https://x"}.Environ()
	want := []string{"AWS_ENDPOINT_URL=https://x", "AWS_REGION=r", "STORAGE_ADDRESS=:1", "STORAGE_BUCKET=bbb",
		"STORAGE_DRAIN_TIMEOUT=1m0s", "STORAGE_LOG_LEVEL=WARN", "STORAGE_MAX_URL_TTL=1m0s", "STORAGE_URL_TTL=1s"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLoadRefusesEachBadValue(t *testing.T) {
	t.Parallel()
	tests := []struct{ line, wayOut string }{
		{"STORAGE_BUCKET=", "name of the S3 bucket"},
		{"STORAGE_BUCKET=ab", "3 to 63"},
		{"STORAGE_BUCKET=Upper-Case", "lower-case"},
		{"STORAGE_BUCKET=a/b", "lower-case"},
		{"AWS_REGION=", "such as eu-west-1"},
		{"AWS_REGION=eu west", "such as eu-west-1"},
		{"STORAGE_ADDRESS=5000", "port"},
		{"STORAGE_ADDRESS=:65536", "port"},
		{"STORAGE_ADDRESS=:http", "port"},
		{"STORAGE_ADDRESS=example.com:80", "IP address"},
		{"STORAGE_URL_TTL=600", "10m0s"},
		{"STORAGE_URL_TTL=0s", "from 1s"},
		{"STORAGE_URL_TTL=1500ms", "whole seconds"},
		{"STORAGE_URL_TTL=169h", "168h"},
		{"STORAGE_MAX_URL_TTL=200h", "168h"},
		{"STORAGE_MAX_URL_TTL=9m", "STORAGE_URL_TTL=\"10m0s\""},
		{"STORAGE_DRAIN_TIMEOUT=-1s", "from 1s"},
		{"STORAGE_DRAIN_TIMEOUT=1h", "5m0s"},
		{"STORAGE_LOG_LEVEL=loud", "debug, info"},
		{"AWS_ENDPOINT_URL=127.0.0.1:9000", "http://"},
		{"AWS_ENDPOINT_URL=ftp://x", "http://"},
		{"AWS_ENDPOINT_URL=http://x/path", "nothing after it"},
		{"AWS_ENDPOINT_URL=http://u:p@x", "nothing after it"},
		{"AWS_ENDPOINT_URL=http://:9000", "host"},
	}
	for _, tt := range tests {
		t.Run(tt.line, func(t *testing.T) {
			t.Parallel()
			_, err := settings.Load(environ(append(required[:2:2], tt.line)...))
			if err == nil {
				t.Fatal("accepted")
			}
			name, value, _ := strings.Cut(tt.line, "=")
			for _, part := range []string{name, value, tt.wayOut} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not name %q", err, part)
				}
			}
			if strings.Count(err.Error(), "\n") != 0 {
				t.Errorf("more than one error: %v", err)
			}
		})
	}
}

func TestLoadReportsAllErrorsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := settings.Load(environ("STORAGE_ADDRESS=x", "STORAGE_URL_TTL=x", "STORAGE_LOG_LEVEL=x", "STORAGE_DRAIN_TIMEOUT=x", "AWS_ENDPOINT_URL=x"))
	if err == nil {
		t.Fatal("accepted")
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 7 {
		t.Errorf("%d errors, want 7:\n%v", len(lines), err)
	}
}
