package stack_test

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"cloudstorage/app/object"
	"cloudstorage/app/s3store"
	"cloudstorage/infra/emulator"
	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/stack"
)

// The instance role's own policy, as synthesized, enforced by the emulator's IAM: the store may do what it does, a
// machine may read its release, and nothing else is allowed. The emulator does not check presigned URLs, so reading
// and writing are asked for directly.
func TestTheRoleIsAllowedItsWorkAndDeniedTheRest(t *testing.T) {
	const bucket, releases, region = "local-1000000001", "local-releases-1000000001", "eu-west-1"
	ctx := t.Context()
	endpoint := startMoto(t)
	root := client(endpoint, region, aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"})
	for _, name := range []string{bucket, releases, "another-1"} {
		must(t, func() error { _, err := root.CreateBucket(ctx, createBucket(name, region)); return err })
		for _, key := range []string{"a", "storaged/build", "elsewhere/build"} {
			must(t, func() error { return put(ctx, root, name, key) })
		}
	}
	role := assume(t, endpoint, shipped(t, stack.Target{})["local-api"])
	enforce(t, endpoint)

	store, err := s3store.Open(ctx, s3store.Config{
		Bucket: bucket, Region: region, Endpoint: endpoint,
		AccessKeyID: role.AccessKeyID, SecretAccessKey: role.SecretAccessKey, SessionToken: role.SessionToken,
	})
	if err != nil {
		t.Fatal(err)
	}
	s := client(endpoint, region, role)
	allowed := map[string]func() error{
		"the store's readiness": func() error { return store.Ready(ctx) },
		"the store's list":      func() error { _, err := store.List(ctx, object.ListOptions{}); return err },
		"reading a file":        func() error { return get(ctx, s, bucket, "a") },
		"writing a file":        func() error { return put(ctx, s, bucket, "b") },
		"the store's delete":    func() error { return store.Delete(ctx, "storaged/build") },
		"reading its own build": func() error { return get(ctx, s, releases, "storaged/build") },
	}
	for name, call := range allowed {
		if err := call(); err != nil {
			t.Errorf("%s is refused: %v", name, err)
		}
	}
	denied := map[string]func() error{
		"listing releases":              func() error { return list(ctx, s, releases) },
		"replacing a build":             func() error { return put(ctx, s, releases, "storaged/build") },
		"deleting a build":              func() error { return remove(ctx, s, releases, "storaged/build") },
		"reading elsewhere in releases": func() error { return get(ctx, s, releases, "elsewhere/build") },
		"listing another bucket":        func() error { return list(ctx, s, "another-1") },
		"reading another bucket":        func() error { return get(ctx, s, "another-1", "a") },
		"writing to another bucket":     func() error { return put(ctx, s, "another-1", "b") },
		"listing buckets":               func() error { _, err := s.ListBuckets(ctx, nil); return err },
		"deleting the bucket": func() error {
			_, err := s.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: aws.String(bucket)})
			return err
		},
		"changing the bucket's policy": func() error {
			_, err := s.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String(bucket), Policy: aws.String("{}")})
			return err
		},
		"turning versioning off": func() error { return suspendVersions(ctx, s, bucket) },
		"listing versions": func() error {
			_, err := s.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: aws.String(bucket)})
			return err
		},
		"reading the bucket's lifecycle": func() error {
			_, err := s.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: aws.String(bucket)})
			return err
		},
	}
	for name, call := range denied {
		if code := errorCode(call()); code != "AccessDenied" {
			t.Errorf("%s answers %q, want AccessDenied", name, code)
		}
	}
}

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

// assume makes the stack's role with its policy and returns credentials for it, as the instance metadata would.
func assume(t *testing.T, endpoint string, api template.Template) aws.Credentials {
	t.Helper()
	role, policy := api.Only("aws_iam_role"), api.Only("aws_iam_policy")
	query(t, endpoint, "iam", url.Values{
		"Action": {"CreateRole"}, "RoleName": {fmt.Sprint(role.Get("name"))}, "AssumeRolePolicyDocument": {fmt.Sprint(role.Get("assume_role_policy"))},
	})
	query(t, endpoint, "iam", url.Values{
		"Action": {"PutRolePolicy"}, "RoleName": {fmt.Sprint(role.Get("name"))}, "PolicyName": {fmt.Sprint(policy.Get("name"))},
		"PolicyDocument": {fmt.Sprint(policy.Get("policy"))},
	})
	var answer struct {
		AccessKeyID     string `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
		SecretAccessKey string `xml:"AssumeRoleResult>Credentials>SecretAccessKey"`
		SessionToken    string `xml:"AssumeRoleResult>Credentials>SessionToken"`
	}
	body := query(t, endpoint, "sts", url.Values{
		"Action": {"AssumeRole"}, "RoleSessionName": {"i-test"},
		"RoleArn": {"arn:aws:iam::" + stack.EmulatorAccount + ":role/" + fmt.Sprint(role.Get("name"))},
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

func client(endpoint, region string, c aws.Credentials) *s3.Client {
	return s3.New(s3.Options{
		Region: region, BaseEndpoint: aws.String(endpoint), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken),
	})
}

func createBucket(name, region string) *s3.CreateBucketInput {
	return &s3.CreateBucketInput{Bucket: aws.String(name), CreateBucketConfiguration: &types.CreateBucketConfiguration{
		LocationConstraint: types.BucketLocationConstraint(region),
	}}
}

func suspendVersions(ctx context.Context, c *s3.Client, bucket string) error {
	_, err := c.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: aws.String(bucket), VersioningConfiguration: &types.VersioningConfiguration{
		Status: types.BucketVersioningStatusSuspended,
	}})
	return err
}

func list(ctx context.Context, c *s3.Client, bucket string) error {
	_, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	return err
}

func get(ctx context.Context, c *s3.Client, bucket, key string) error {
	answer, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

func put(ctx context.Context, c *s3.Client, bucket, key string) error {
	_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), Body: strings.NewReader("x")})
	return err
}

func remove(ctx context.Context, c *s3.Client, bucket, key string) error {
	_, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
	return err
}

func must(t *testing.T, call func() error) {
	t.Helper()
	if err := call(); err != nil {
		t.Fatal(err)
	}
}

func errorCode(err error) string {
	var failure smithy.APIError
	if errors.As(err, &failure) {
		return failure.ErrorCode()
	}
	return fmt.Sprint(err)
}
