package emulator

import (
	"strings"
	"testing"
)

func TestTheEmulatedEnvironmentReachesNoAccount(t *testing.T) {
	t.Parallel()
	own := Environ{
		"PATH": "/bin", "AWS_PROFILE": "production", "AWS_SESSION_TOKEN": "secret", "AWS_ACCESS_KEY_ID": "AKIA",
		"AWS_ENDPOINT_URL_S3": "https://s3.example.com", "AWS_REGION": "us-east-1",
	}
	got := own.Emulated("http://127.0.0.1:4566")
	for _, gone := range []string{"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"} {
		if value, there := got[gone]; there {
			t.Errorf("%s=%s is still there", gone, value)
		}
	}
	kept := Environ{
		"PATH": "/bin", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_REGION": "eu-west-1",
		"AWS_ACCESS_KEY_ID": "test", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_CONFIG_FILE": "/dev/null",
	}
	for name, want := range kept {
		if got[name] != want {
			t.Errorf("%s=%s, want %s", name, got[name], want)
		}
	}
	if own["AWS_ACCESS_KEY_ID"] != "AKIA" {
		t.Error("the original was changed")
	}
	if lines := strings.Join(got.Lines(), " "); !strings.HasPrefix(lines, "AWS_ACCESS_KEY_ID=test AWS_CONFIG_FILE=/dev/null") {
		t.Errorf("not sorted NAME=value lines: %s", lines)
	}
}
