package client_test

import (
	"strings"
	"testing"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

func TestParseAddressTakesWhatPeopleType(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"0.0.0.0":                    "http://127.0.0.1:5000",
		"0.0.0.0:8080":               "http://127.0.0.1:8080",
		"http://0.0.0.0:8080":        "http://127.0.0.1:8080",
		"::":                         "http://[::1]:5000",
		"[::]:80":                    "http://[::1]:80",
		"::ffff:0.0.0.0":             "http://127.0.0.1:5000",
		"10.0.0.7":                   "http://10.0.0.7:5000",
		"10.0.0.7:80":                "http://10.0.0.7:80",
		"localhost":                  "http://localhost:5000",
		"api.example.com":            "http://api.example.com:5000",
		"api.example.com.":           "http://api.example.com.:5000",
		"api.example.com:443":        "http://api.example.com:443",
		"my_host-1":                  "http://my_host-1:5000",
		"bücher.example":             "http://b%C3%BCcher.example:5000",
		"::1":                        "http://[::1]:5000",
		"[::1]":                      "http://[::1]:5000",
		"[::1]:80":                   "http://[::1]:80",
		"2001:db8::10":               "http://[2001:db8::10]:5000",
		"fe80::1%eth0":               "http://[fe80::1%25eth0]:5000",
		"http://10.0.0.7":            "http://10.0.0.7",
		"HTTP://10.0.0.7:80/":        "http://10.0.0.7:80",
		"http://10.0.0.7:":           "http://10.0.0.7",
		"https://a.example":          "https://a.example",
		"https://a.example/":         "https://a.example",
		"https://a.example/b/":       "https://a.example/b",
		"https://a.example/%2Fb%20c": "https://a.example/%2Fb%20c",
		"http://[::1]":               "http://[::1]",
		"http://[::1]:5000/storage":  "http://[::1]:5000/storage",
		"module02-lb-1234567890.eu-west-1.elb.amazonaws.com": "http://module02-lb-1234567890.eu-west-1.elb.amazonaws.com:5000",
	} {
		got, err := client.ParseAddress(" " + in + "\n") // as a pasted line has it
		if err != nil || got.String() != want {
			t.Errorf("ParseAddress(%q) = %v, %v; want %s", in, got, err, want)
		}
	}
}

func TestParseAddressRefusesAndSaysWhy(t *testing.T) {
	t.Parallel()
	for in, reason := range map[string]string{
		"":                        "empty",
		"  ":                      "empty",
		":5000":                   "no host",
		"http://":                 "no host",
		"host:":                   "port",
		"host:0":                  "port",
		"host:65536":              "port",
		"host:http":               "port",
		"http://host:99999":       "port",
		"1.2.3":                   "no IPv4",
		"999.1.1.1":               "no IPv4",
		"1::2::3":                 "no IPv6",
		"[::1":                    "host:port",
		"[1.2.3.4]":               "brackets",
		"[host]:80":               "brackets",
		"[::1]x":                  "host:port",
		"a..b":                    "parts",
		strings.Repeat("a", 64):   "parts",
		strings.Repeat("a.", 130): "260 bytes",
		"two words":               "' '",
		`"api.example.com"`:       `'"'`,
		"host/path":               "http://",
		"host?x":                  "'?'",
		"ftp://host":              "scheme",
		"http://user:secret@host": "user name",
		"http://host?x=1":         "query",
		"http://host#x":           "fragment",
		"http://ho st":            "URL",
		"http://::1:5000":         "",
		"http://host\x00":         "URL",
	} {
		got, err := client.ParseAddress(in)
		if err == nil {
			t.Errorf("ParseAddress(%q) = %s, want an error", in, got)
			continue
		}
		if object.CodeOf(err) != object.CodeInvalid || !strings.Contains(err.Error(), reason) || strings.Contains(err.Error(), "secret") {
			t.Errorf("ParseAddress(%q): %q (%s), want it to name %q", in, err, object.CodeOf(err), reason)
		}
	}
}
