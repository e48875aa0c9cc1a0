package config

import (
	"slices"
	"testing"
)

func TestStorageMistakes(t *testing.T) {
	t.Parallel()
	mistakes(t, private, cases{
		"state among the data":       {change{"files-state-42", "files-42"}, []string{`backend.bucket: "files-42" is one of storage's buckets`}},
		"negative expiry":            {change{"expire_days: 7", "expire_days: -7"}, []string{"storage.expire_days: -7 is below 0"}},
		"expiry that frees nothing":  {change{"undo_days: 90", "undo_days: 0"}, []string{"storage.expire_days: 7 would free nothing: undo_days is 0"}},
		"unknown encryption":         {change{"kms", "rot13"}, []string{`storage.encryption: "rot13" is none of s3, kms`}},
		"no encryption":              {change{"kms", `""`}, []string{`storage.encryption: "" is none of s3, kms`}},
		"no origins":                 {change{`["https://files.example.org", "https://example.org:8443", "http://localhost:3000"]`, "[]"}, []string{"storage.web_origins: names no web site"}},
		"logs of another project":    {change{"files-logs-42", "other-logs-42"}, []string{`storage.logs_bucket: "other-logs-42" does not start with "files-"`}},
		"logs among the data":        {change{"files-logs-42", "files-42"}, []string{`storage.logs_bucket: "files-42" is the data bucket too`}},
		"logs among the releases":    {change{"files-logs-42", "files-releases-42"}, []string{`storage.logs_bucket: "files-releases-42" is the releases bucket too`}},
		"logs among the API's state": {change{"files-logs-42", "files-api-state-42"}, []string{`storage.logs_bucket: "files-api-state-42" is the state bucket too`}},
		"no bucket for the state":    {change{"  state_bucket: files-api-state-42\n", ""}, []string{"storage.state_bucket: missing: the API keeps its own state there"}},
		"state of another project":   {change{"files-api-state-42", "other-api-state-42"}, []string{`storage.state_bucket: "other-api-state-42" does not start with "files-"`}},
		"the API's state as data":    {change{"files-api-state-42", "files-42"}, []string{`storage.state_bucket: "files-42" is the data bucket too`}},
		"state among the releases":   {change{"files-api-state-42", "files-releases-42"}, []string{`storage.state_bucket: "files-releases-42" is the releases bucket too`}},
		"both kinds of state":        {change{"files-api-state-42", "files-state-42"}, []string{`backend.bucket: "files-state-42" is one of storage's buckets`}},
		"logs kept for no day":       {change{"logs_days: 30\nnetwork", "logs_days: 0\nnetwork"}, []string{"storage.logs_days: 0 is below 1"}},
		"logs without a bucket": {change{"  logs_bucket: files-logs-42\n", ""}, []string{
			"storage.logs_days: 30 days of nothing", "network.flow_logs: true, and there is no bucket", "traffic.access_logs: true, and there is no bucket",
		}},
	})
}

func TestAWebOriginIsWhatBrowsersSend(t *testing.T) {
	t.Parallel()
	tests := cases{"one twice": {change{"https://example.org:8443", "https://files.example.org"}, []string{`storage.web_origins[1]: "https://files.example.org" is listed twice`}}}
	for origin, want := range map[string]string{
		"*":                        "would let the pages of sites that you don't know",
		"https://*.example.org":    "would let the pages of sites that you don't know",
		"http://example.org":       "is not encrypted: write https://",
		"http://localhost":         "is not an origin",
		"https://example.org/":     "is not an origin",
		"https://example.org/app":  "is not an origin",
		"https://me@example.org":   "is not an origin",
		"https://Files.example":    "is not an origin",
		"https://":                 "is not an origin",
		"files.example.org":        "is not an origin",
		"https://example.org:443":  "names the port that browsers leave out",
		"https://example.org?a=b":  "is not an origin",
		"https://example.org#frag": "is not an origin",
	} {
		tests[origin] = struct {
			change change
			want   []string
		}{slices.Clone(change{"https://example.org:8443", origin}), []string{`storage.web_origins[1]: "` + origin + `" ` + want}}
	}
	mistakes(t, private, tests)
}
