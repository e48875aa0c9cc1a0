package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cloudstorage/infra/config"
)

// stateBucket gives the account a state bucket's name of its own and returns it.
func stateBucket(t *testing.T, root string) string {
	t.Helper()
	if code, out := command(t, root, "", "init", "account", "--email", "ops@example.org"); code != 0 {
		t.Fatal(out)
	}
	set, err := config.LoadDir(filepath.Join(root, "infra", "environments"))
	if err != nil {
		t.Fatal(err)
	}
	return set.Account.State.Bucket
}

func TestInitMakesProductionYours(t *testing.T) {
	t.Parallel()
	root := testProject(t)
	bucket := stateBucket(t, root)
	code, out := command(t, root, "files.acme.test\nacme.test\n198.51.100.0/24\nops@acme.test\n", "init", "production")
	if code != 0 {
		t.Fatal(out)
	}
	e := environment(t, root, "production")
	if left := e.Placeholders(); len(left) > 0 {
		t.Errorf("still placeholders: %v\n%s", left, out)
	}
	if e.Backend == nil || e.Backend.Bucket != bucket || !strings.Contains(out, "the state moves to that bucket") {
		t.Errorf("state: %+v\n%s", e.Backend, out)
	}
	if e.Traffic.Domain != "files.acme.test" || e.Traffic.HostedZone != "acme.test" || e.Observe.Email != "ops@acme.test" {
		t.Errorf("%+v %+v", e.Traffic, e.Observe)
	}
	digits := strings.TrimPrefix(e.Storage.Bucket, "cloudstorage-")
	if e.Storage.ReleasesBucket != "cloudstorage-releases-"+digits || e.Storage.LogsBucket != "cloudstorage-logs-"+digits ||
		e.Storage.StateBucket != "cloudstorage-api-state-"+digits {
		t.Errorf("%+v", e.Storage)
	}
	if code, out := command(t, root, "", "init", "production"); code != 0 || !strings.Contains(out, "stays as it is") {
		t.Errorf("a second init: %d %s", code, out)
	}
	if code, out := command(t, root, "", "init", "production", "--state", "local"); code != 1 || !strings.Contains(out, "in S3 already") {
		t.Errorf("the state's place was changed behind its back: %d %s", code, out)
	}
}

func TestInitTakesProductionsFlagsWhereNobodySits(t *testing.T) {
	t.Parallel()
	const certificate = "arn:aws:acm:eu-west-1:210987654321:certificate/01234567-89ab-cdef-0123-456789abcdef"
	for name, tc := range map[string]struct {
		flags                     []string
		domain, zone, certificate string
	}{
		"domain and zone":       {[]string{"--domain", "a.b.acme.test", "--zone", "acme.test"}, "a.b.acme.test", "acme.test", ""},
		"a domain":              {[]string{"--domain", "files.acme.test"}, "files.acme.test", "acme.test", ""},
		"a certificate instead": {[]string{"--certificate", certificate}, "", "", certificate},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := testProject(t)
			code, out := command(t, root, "", append([]string{"init", "production", "--email", "ops@acme.test", "--cidr", "198.51.100.7"}, tc.flags...)...)
			if code != 0 {
				t.Fatal(out)
			}
			e := environment(t, root, "production")
			if e.Traffic.Domain != tc.domain || e.Traffic.HostedZone != tc.zone || e.Traffic.CertificateARN != tc.certificate || len(e.Placeholders()) > 0 {
				t.Errorf("%+v %v", e.Traffic, e.Placeholders())
			}
			if e.Backend != nil || !strings.Contains(out, "its state stays on this machine, since the account has no state bucket yet") {
				t.Errorf("a placeholder became the state's place: %+v\n%s", e.Backend, out)
			}
		})
	}
}

func TestTheStateGoesWhereItIsAskedTo(t *testing.T) {
	t.Parallel()
	root := testProject(t)
	if code, out := command(t, root, "", "init", "module02", "--state", "s3"); code != 1 || !strings.Contains(out, "make init ENV=account") {
		t.Errorf("no bucket yet: %d %s", code, out)
	}
	bucket := stateBucket(t, root)
	if code, out := command(t, root, "", "init", "production", "--state", "local"); code != 0 || environment(t, root, "production").Backend != nil {
		t.Errorf("asked to stay: %d %s", code, out)
	}
	if code, out := command(t, root, "", "init", "module02"); code != 0 || environment(t, root, "module02").Backend != nil {
		t.Errorf("not asked to move: %d %s", code, out)
	}
	// An account of another region.
	account := filepath.Join(root, "infra", "environments", "account.yaml")
	text, err := os.ReadFile(account)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(account, []byte(replaceOnce(t, string(text), "eu-west-1", "eu-central-1")), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, out := command(t, root, "", "init", "module02", "--state", "s3"); code != 0 {
		t.Fatal(out)
	}
	if b := environment(t, root, "module02").Backend; b == nil || b.Bucket != bucket || b.Region != "eu-central-1" {
		t.Errorf("asked to move: %+v", b)
	}
}

func TestInitWritesANewEnvironmentFromAnother(t *testing.T) {
	t.Parallel()
	root := testProject(t)
	bucket := stateBucket(t, root)
	if code, out := command(t, root, "", "init", "production", "--domain", "files.acme.test", "--email", "ops@acme.test", "--cidr", "198.51.100.7"); code != 0 {
		t.Fatal(out)
	}
	before := environment(t, root, "production")
	if code, out := command(t, root, "", "init", "test", "--from", "production"); code != 0 || !strings.Contains(out, "still a placeholder, which AWS deployments refuse: traffic.domain") {
		t.Fatal(code, out)
	}
	e := environment(t, root, "test")
	if e.ProjectName != "cloudstorage-test" || !strings.HasPrefix(e.Storage.LogsBucket, "cloudstorage-test-logs-") {
		t.Errorf("%s %+v", e.ProjectName, e.Storage)
	}
	for _, own := range []string{e.Storage.Bucket, e.Storage.ReleasesBucket, e.Storage.StateBucket, e.Storage.LogsBucket} {
		if strings.HasSuffix(own, strings.TrimPrefix(before.Storage.Bucket, "cloudstorage-")) || strings.HasSuffix(own, "-0000000000") {
			t.Errorf("not a name of its own: %s", own)
		}
	}
	if e.Traffic.Domain == before.Traffic.Domain || e.Backend == nil || e.Backend.Bucket != bucket || join(e.API.Allow) != join(before.API.Allow) {
		t.Errorf("%+v %+v %+v", e.Traffic, e.Backend, e.API)
	}
	text, err := os.ReadFile(filepath.Join(root, "infra", "environments", "test.yaml"))
	if err != nil || !strings.Contains(string(text), "`make init ENV=test`") || strings.Contains(string(text), "ENV=production") {
		t.Errorf("its comments speak of another: %v\n%s", err, text)
	}

	if code, out := command(t, root, "", "init", "stage", "--from", "module02", "--project", "photos"); code != 0 || !strings.Contains(out, "project_name: photos") || environment(t, root, "stage").ProjectName != "photos" {
		t.Error(code, out)
	}
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"there already":      {[]string{"single", "--from", "production"}, "is there already"},
		"from nowhere":       {[]string{"new", "--from", "moon"}, `there is no environment "moon"`},
		"from this machine":  {[]string{"new", "--from", "local"}, "local is no environment of AWS's"},
		"an account":         {[]string{"account", "--from", "production"}, "account is no environment of AWS's"},
		"not a name":         {[]string{"../new", "--from", "production"}, "is not an environment's name"},
		"a project twice":    {[]string{"new", "--from", "production", "--project", "photos"}, `project name "photos" is stage's`},
		"not a project":      {[]string{"new", "--from", "production", "--project", "Photos"}, "choose one with PROJECT="},
		"without from":       {[]string{"new"}, "FROM=<one of them> writes a new one"},
		"a zone alone":       {[]string{"production", "--zone", "acme.test"}, "a zone is given and no domain in it"},
		"two names":          {[]string{"production", "--domain", "a.acme.test", "--certificate", "arn"}, "none of the others can be"},
		"another state":      {[]string{"production", "--state", "gone"}, `state "gone" is neither s3 nor local`},
		"an unfitting zone":  {[]string{"production", "--domain", "a.acme.test", "--zone", "acme.example"}, "is not inside hosted_zone"},
		"not a certificate":  {[]string{"production", "--certificate", "arn"}, "is not the ARN of a certificate"},
		"HTTPS for module02": {[]string{"module02", "--domain", "a.acme.test"}, "api.direct"},
	} {
		if code, out := command(t, root, "", append([]string{"init"}, tc.args...)...); code != 1 || !strings.Contains(out, tc.want) {
			t.Errorf("%s: exit code %d, want %q in %q", name, code, tc.want, out)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "infra", "environments", "new.yaml")); err == nil {
		t.Error("a refused environment was written")
	}
}
