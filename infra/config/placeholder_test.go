package config

import (
	"strings"
	"testing"
)

func TestShippedValuesArePlaceholdersWhereverTheyStand(t *testing.T) {
	t.Parallel()
	parse := func(c change) string {
		e, err := Parse("m", "m.yaml", []byte(c.apply(t, private)))
		if err != nil {
			t.Fatal(err)
		}
		return placeholderText(e.Placeholders())
	}
	if got := parse(nil); got != "" {
		t.Errorf("yours already, and called placeholders: %s", got)
	}
	if got, want := parse(change{"files-state-42", "files-state-0000000000"}), "backend.bucket (files-state-0000000000)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := parse(change{"domain: files.example.org\n  hosted_zone: example.org", "domain: example.com\n  hosted_zone: example.com"}),
		"traffic.domain (example.com), traffic.hosted_zone (example.com)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	arn := strings.Replace(certificate, "210987654321", "123456789012", 1)
	got := parse(change{
		"  domain: files.example.org\n  hosted_zone: example.org\n", "  certificate_arn: " + arn + "\n",
		"account_id: \"210987654321\"\n", "",
	})
	if want := "traffic.certificate_arn (" + arn + ")"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
