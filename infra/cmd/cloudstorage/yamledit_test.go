package main

import "testing"

const sample = `# what it is
project_name: module02

storage:
  bucket: module02-0000000000 # yours after init
  undo_days: 30

ssh:
  key: module02.pem
  allow: [203.0.113.0/24]

api:
  # who may call
  allow:
    - 203.0.113.0/24
    - 10.0.0.0/8

  url_ttl: 10m
`

func TestOneValueChangesAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		section, key, value string
		old, new            string
	}{
		"a scalar keeps its comment": {
			"storage", "bucket", "module02-1234567890",
			"  bucket: module02-0000000000 # yours after init\n", "  bucket: module02-1234567890 # yours after init\n",
		},
		"a list on one line": {"ssh", "allow", "[198.51.100.7/32]", "  allow: [203.0.113.0/24]\n", "  allow: [198.51.100.7/32]\n"},
		"a list of lines": {
			"api", "allow", "[198.51.100.7/32]",
			"  allow:\n    - 203.0.113.0/24\n    - 10.0.0.0/8\n", "  allow: [198.51.100.7/32]\n",
		},
	} {
		got, err := setValue(sample, c.section, c.key, c.value)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want := replaceOnce(t, sample, c.old, c.new); got != want {
			t.Errorf("%s: got\n%s", name, got)
		}
	}
}

func TestAKeyThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	for _, path := range [][2]string{{"storage", "releases_bucket"}, {"nothing", "bucket"}, {"api", "bucket"}} {
		if _, err := setValue(sample, path[0], path[1], "x"); err == nil {
			t.Errorf("%s.%s was set", path[0], path[1])
		}
	}
}

func TestWhatIsNotThereIsAddedOrRemoved(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		section, key, value string
		old, new            string
	}{
		"a key that is there": {"storage", "undo_days", "7", "undo_days: 30", "undo_days: 7"},
		"a key":               {"api", "direct", "true", "api:\n", "api:\n  direct: true\n"},
		"a section":           {"backend", "bucket", "b-1", "project_name: module02\n", "project_name: module02\n\nbackend:\n  bucket: b-1\n"},
		"a key of the file":   {"", "project_name", "photos", "project_name: module02", "project_name: photos"},
	} {
		got, err := putValue(sample, c.section, c.key, c.value)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want := replaceOnce(t, sample, c.old, c.new); got != want {
			t.Errorf("%s: got\n%s", name, got)
		}
	}
	if _, err := putValue("backend: {region: x}\n", "backend", "bucket", "b-1"); err == nil {
		t.Error("a key was added below a section that is written on one line")
	}
	if got, want := removeKey(sample, "api", "allow"), replaceOnce(t, sample, "  allow:\n    - 203.0.113.0/24\n    - 10.0.0.0/8\n", ""); got != want {
		t.Errorf("removed: got\n%s", got)
	}
	if got := removeKey(sample, "api", "nothing"); got != sample {
		t.Errorf("removed what is not there: got\n%s", got)
	}
}
