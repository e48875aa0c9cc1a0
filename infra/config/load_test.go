package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const environments = "../environments"

func TestTheShippedEnvironmentsAreValidAndSayWhatIsNotYoursYet(t *testing.T) {
	t.Parallel()
	set, err := LoadDir(environments)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"local":    "",
		"module02": "storage.bucket (module02-0000000000)",
		"production": "storage.bucket (cloudstorage-0000000000), storage.releases_bucket (cloudstorage-releases-0000000000), " +
			"storage.state_bucket (cloudstorage-api-state-0000000000), " +
			"storage.logs_bucket (cloudstorage-logs-0000000000), traffic.domain (files.example.com), traffic.hosted_zone (example.com), " +
			"api.allow (203.0.113.0/24), observe.email (you@example.com)",
		"single": "storage.bucket (module02-single-0000000000), api.allow (203.0.113.0/24), ssh.allow (203.0.113.0/24)",
	}
	for _, e := range set.Environments {
		if got := placeholderText(e.Placeholders()); got != want[e.Name] {
			t.Errorf("%s: got %q, want %q", e.Name, got, want[e.Name])
		}
		delete(want, e.Name)
	}
	if len(want) != 0 {
		t.Errorf("not shipped: %v", want)
	}
	if got := placeholderText(set.Account.Placeholders()); got != "state.bucket (module02-state-0000000000), budget.email (you@example.com)" {
		t.Errorf("account: %q", got)
	}
}

func placeholderText(found []Placeholder) string {
	texts := make([]string, len(found))
	for i, p := range found {
		texts[i] = p.String()
	}
	return strings.Join(texts, ", ")
}

func TestMistakesOfAllFilesComeTogether(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.yaml":       strings.Replace(valid, "min: 2", "min: 3", 1),
		"b.yaml":       strings.Replace(valid, "t3.micro", "t4g.micro", 1),
		"account.yaml": "project_name: x\nregion: eu-west-1\nbudget: {limit_usd: 0, email: nobody}\nstate: {bucket: x-1}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := LoadDir(dir)
	for _, want := range []string{"a.yaml:17: compute.min", "b.yaml:16: compute.instance_type", "account.yaml:3: budget.limit_usd", "account.yaml:3: budget.email"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestAnEmptyFolderSaysWhereToRun(t *testing.T) {
	t.Parallel()
	if _, err := LoadDir(t.TempDir()); err == nil || !strings.Contains(err.Error(), "run from the project's root") {
		t.Error(err)
	}
}

func TestOnlyKeepsOneEnvironmentOrTheAccount(t *testing.T) {
	t.Parallel()
	set, err := LoadDir(environments)
	if err != nil {
		t.Fatal(err)
	}
	if one, err := set.Only("single"); err != nil || len(one.Environments) != 1 || one.Account != nil {
		t.Error(one, err)
	}
	if account, err := set.Only(AccountName); err != nil || account.Account == nil || len(account.Environments) != 0 {
		t.Error(account, err)
	}
	if _, err := set.Only("moon"); err == nil || !strings.Contains(err.Error(), "known are local, module02, production, single, account") {
		t.Error(err)
	}
}
