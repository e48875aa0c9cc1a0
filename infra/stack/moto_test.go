package stack_test

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"cloudstorage/infra/emulator"
	"cloudstorage/infra/stack"
)

func startMoto(t *testing.T) string {
	t.Helper()
	cache, err := filepath.Abs(filepath.Join("..", "..", ".cache"))
	if err != nil {
		t.Fatal(err)
	}
	python, err := emulator.FindMoto(t.Context(), filepath.Join(cache, "emulator"), t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	moto, err := emulator.StartMoto(t.Context(), emulator.MotoOptions{Python: python, Log: filepath.Join(t.TempDir(), "moto.log")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := moto.Stop(); err != nil {
			t.Error(err)
		}
	})
	return moto.Endpoint()
}

// assume makes a role with a policy and returns credentials for it, as the instance metadata would.
func assume(t *testing.T, endpoint, name, trust, policy string) aws.Credentials {
	t.Helper()
	query(t, endpoint, "iam", url.Values{"Action": {"CreateRole"}, "RoleName": {name}, "AssumeRolePolicyDocument": {trust}})
	query(t, endpoint, "iam", url.Values{"Action": {"PutRolePolicy"}, "RoleName": {name}, "PolicyName": {name}, "PolicyDocument": {policy}})
	var answer struct {
		AccessKeyID     string `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
		SecretAccessKey string `xml:"AssumeRoleResult>Credentials>SecretAccessKey"`
		SessionToken    string `xml:"AssumeRoleResult>Credentials>SessionToken"`
	}
	body := query(t, endpoint, "sts", url.Values{
		"Action": {"AssumeRole"}, "RoleSessionName": {"i-test"}, "RoleArn": {"arn:aws:iam::" + stack.EmulatorAccount + ":role/" + name},
	})
	if err := xml.Unmarshal(body, &answer); err != nil || answer.SessionToken == "" {
		t.Fatalf("assume role: %v\n%s", err, body)
	}
	return aws.Credentials{AccessKeyID: answer.AccessKeyID, SecretAccessKey: answer.SecretAccessKey, SessionToken: answer.SessionToken}
}

// enforce turns the emulator's IAM on: from now on every call is checked.
func enforce(t *testing.T, endpoint string) {
	t.Helper()
	post(t, endpoint+"/moto-api/reset-auth", "", nil, "0")
}

func query(t *testing.T, endpoint, service string, values url.Values) []byte {
	t.Helper()
	scope := http.Header{"Authorization": {"AWS4-HMAC-SHA256 Credential=test/20000101/us-east-1/" + service + "/aws4_request, SignedHeaders=host, Signature=0"}}
	return post(t, endpoint+"/", "application/x-www-form-urlencoded", scope, values.Encode())
}

func post(t *testing.T, address, contentType string, header http.Header, body string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		request.Header = header
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v\n%s", address, response.Status, err, answer)
	}
	return answer
}
