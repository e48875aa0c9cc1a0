//go:build linux

package lab

import (
	"strings"
	"testing"

	"cloudstorage/infra/bootstrap"
)

type settings struct{}

func (settings) Environ() []string { return []string{"A=1"} }

func TestAnotherDigestIsAllThatChanges(t *testing.T) {
	t.Parallel()
	digest := strings.Repeat("a1", 32)
	data, err := bootstrap.Render(settings{}, bootstrap.Release{Binary: &bootstrap.Binary{Region: "eu-west-1", Bucket: "b-1", Key: "storaged/" + digest, SHA256: digest}})
	if err != nil {
		t.Fatal(err)
	}
	i := instance{UserData: data}
	if err := pinAnother(&i); err != nil {
		t.Fatal(err)
	}
	text := string(i.UserData)
	if strings.Contains(text, bootstrap.EnvSHA256+"="+digest) || !strings.Contains(text, "storaged/"+digest) {
		t.Errorf("the user-data is now %s", text)
	}
}
