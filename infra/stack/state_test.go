package stack_test

import (
	"crypto/md5"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"cloudstorage/app/auth"
	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/stack"
)

// withKeys gives production API keys of those ids.
func withKeys(t *testing.T, prefix string, ids ...string) map[string]template.Template {
	t.Helper()
	lines := "  keys:\n"
	for _, id := range ids {
		lines += fmt.Sprintf("    - {id: %s, sha256: %q, verbs: [read], prefixes: ['%s'], expires: 2030-01-31T00:00:00Z}\n", id, auth.Hash(id), prefix)
	}
	if len(ids) == 0 {
		lines = "  keys: []\n"
	}
	return changed(t, "production", strings.NewReplacer("  keys: []\n", lines))
}

// stateBucketOf is the bucket with the API's own state.
func stateBucketOf(t *testing.T, s template.Template) template.Resource {
	t.Helper()
	for _, bucket := range s.Resources("aws_s3_bucket") {
		if strings.HasSuffix(bucket.Tags()["Name"], "-api-state") {
			return bucket
		}
	}
	t.Fatal("no bucket for the API's own state")
	return template.Resource{}
}

func TestTheServersReadTheKeyringThatTheEnvironmentSays(t *testing.T) {
	s := withKeys(t, "${aws_s3_bucket.x}/%{if}", "backup", "ci")["production-storage"]
	object := s.Only("aws_s3_object")
	object.Wants(map[string]string{
		"bucket": stateBucketOf(t, s).Ref("bucket"), "key": "keyring.json", "content_type": "application/json", "tags.Name": "cloudstorage-keyring",
	})
	// What Terraform makes of its own escapes.
	text := strings.NewReplacer("$${", "${", "%%{", "%{").Replace(object.Get("content").(string))
	ring, err := auth.ParseKeyring([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	keys := ring.Keys()
	if got, want := object.Get("etag"), fmt.Sprintf("%x", md5.Sum([]byte(text))); got != want {
		t.Errorf("ETag %v, want %s: a plan would not see, or always see, a change", got, want)
	}
	if len(keys) != 2 || keys[0].ID != "backup" || keys[1].SHA256 != auth.Hash("ci") || keys[1].Prefixes[0] != "${aws_s3_bucket.x}/%{if}" || keys[1].Expires.Year() != 2030 {
		t.Errorf("%+v", keys)
	}
	for _, kind := range []string{"aws_s3_bucket_versioning", "aws_s3_bucket_server_side_encryption_configuration", "aws_s3_bucket_policy"} {
		for _, each := range s.Resources(kind) {
			if each.Get("bucket") == stateBucketOf(t, s).Ref("id") && !object.DependsOn(each) {
				t.Errorf("the keyring may come before %s", each.Address)
			}
		}
	}
}

// The content of an aws_s3_object is changed in place, and so is what tells whether it was; its bucket and its key are not.
func TestAKeyThatComesOrGoesChangesOneObjectAndNoMachine(t *testing.T) {
	states := []map[string]template.Template{withKeys(t, "a/"), withKeys(t, "a/", "backup"), withKeys(t, "a/", "backup", "ci"), withKeys(t, "a/", "ci")}
	for i, after := range states[1:] {
		before := states[i]
		for name, s := range after {
			was := map[string]string{}
			for _, r := range before[name].All() {
				was[r.Address] = fmt.Sprint(r.Args)
			}
			var different []string
			for _, r := range s.All() {
				if was[r.Address] != fmt.Sprint(r.Args) {
					different = append(different, r.Address)
				}
				delete(was, r.Address)
			}
			if len(was) > 0 || name == "production-api" && len(different) > 0 {
				t.Errorf("%s: gone are %v, different %v", name, slices.Collect(maps.Keys(was)), different)
			}
			if name == "production-storage" && !slices.Equal(different, []string{"aws_s3_object.keyring"}) {
				t.Errorf("different are %v", different)
			}
		}
		a, b := before["production-storage"].Only("aws_s3_object").Args, after["production-storage"].Only("aws_s3_object").Args
		for argument := range b {
			if argument != "content" && argument != "etag" && fmt.Sprint(a[argument]) != fmt.Sprint(b[argument]) {
				t.Errorf("the keyring's %s changed", argument)
			}
		}
	}
}

func TestWithoutKeysNobodyIsLetIn(t *testing.T) {
	if got := withKeys(t, "")["production-storage"].Only("aws_s3_object").Get("content"); got != `{"keys":[]}` {
		t.Errorf("%v", got)
	}
	if got := shipped(t, stack.Target{})["local-storage"].Resources("aws_s3_object"); len(got) != 0 {
		t.Errorf("a keyring that nobody reads: %v", got)
	}
}

func TestRevocationsEndAndTheRestOfTheStateStays(t *testing.T) {
	s := shipped(t, stack.Target{})["production-storage"]
	id := stateBucketOf(t, s).Ref("id")
	rules := s.Resources("aws_s3_bucket_lifecycle_configuration")
	i := slices.IndexFunc(rules, func(r template.Resource) bool { return r.Get("bucket") == id })
	rules[i].Wants(map[string]string{
		"rule.0.id": "abandoned-uploads", "rule.0.expiration": "<nil>", "rule.0.noncurrent_version_expiration": "<nil>",
		"rule.1.filter.prefix": "revoked-links/", "rule.1.noncurrent_version_expiration.noncurrent_days": "30",
		"rule.2.filter.prefix": "revoked-links/", "rule.2.expiration.days": "367",
	})
	if got := len(rules[i].Get("rule").([]any)); got != 3 {
		t.Errorf("%d rules", got)
	}
}

func TestTheAPIsStateIsEncryptedByAKeyOfItsOwnWhereFilesAre(t *testing.T) {
	s := changed(t, "production", strings.NewReplacer("undo_days: 90", "undo_days: 90\n  encryption: kms"))
	s["production-storage"].Only("aws_s3_object").Wants(map[string]string{"etag": "<nil>"})
	var aliases []string
	for _, alias := range s["production-storage"].Resources("aws_kms_alias") {
		aliases = append(aliases, fmt.Sprint(alias.Get("name")))
	}
	slices.Sort(aliases)
	if !slices.Equal(aliases, []string{"alias/cloudstorage-api-state", "alias/cloudstorage-data"}) {
		t.Errorf("keys: %v", aliases)
	}
	used := statements(t, policyOf(s["production-api"]))
	for _, alias := range s["production-api"].Data("aws_kms_alias") {
		sid := map[any]string{"alias/cloudstorage-api-state": "StateKey", "alias/cloudstorage-data": "DataKey"}[alias.Get("name")]
		if used[sid].Resource != alias.Ref("target_key_arn") {
			t.Errorf("%v is used as %v", alias.Get("name"), used[sid])
		}
	}
}
