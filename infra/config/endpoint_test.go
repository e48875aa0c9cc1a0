package config

import "testing"

func TestOnlyALoopbackEndpointIsOnThisMachine(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]bool{
		"": false, "http://127.0.0.1:5555": true, "http://localhost:4566": true, "http://[::1]:1": true, "http://127.9.9.9": true,
		"https://s3.eu-west-1.amazonaws.com": false, "http://10.0.0.1:5000": false, "http://localhost.example.com": false, "%": false,
	} {
		if got := OnThisMachine(endpoint); got != want {
			t.Errorf("%q: %v", endpoint, got)
		}
	}
}
