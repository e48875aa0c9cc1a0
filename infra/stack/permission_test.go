package stack_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"cloudstorage/app/object"
	"cloudstorage/app/s3store"
	"cloudstorage/app/s3store/actions"
	"cloudstorage/app/state"
	"cloudstorage/infra/stack"
)

const (
	permissionRegion = "eu-west-1"
	stateBucket      = "local-api-state-1000000001"
)

// roleUnderTest is a machine of an environment: what it has to work with, as its role.
type roleUnderTest struct {
	bucket, releases string // releases "": none
	state            string // the bucket with the API's own state; "": none
	actions          []actions.Action
	version, upload  string // of "a", and of an upload of "u" in parts
	s3               *s3.Client
	store            object.Store
}

// A call that the role makes, or tries to.
type call func(ctx context.Context, r roleUnderTest) error

// operations call each method of object.Store. The emulator does not check presigned URLs, so what they are for is
// asked for directly.
var operations = map[string]call{
	"Ready": func(ctx context.Context, r roleUnderTest) error { return r.store.Ready(ctx) },
	"List": func(ctx context.Context, r roleUnderTest) error {
		_, err := r.store.List(ctx, object.ListOptions{})
		return err
	},
	"Delete": func(ctx context.Context, r roleUnderTest) error { _, err := r.store.Delete(ctx, "gone"); return err },
	"SignGet": func(ctx context.Context, r roleUnderTest) error {
		_, err := r.store.SignGet(ctx, "a", time.Minute)
		return errors.Join(err, get(ctx, r.s3, r.bucket, "a"))
	},
	"SignPut": func(ctx context.Context, r roleUnderTest) error {
		_, err := r.store.SignPut(ctx, "b", time.Minute)
		return errors.Join(err, put(ctx, r.s3, r.bucket, "b"))
	},
}

// uses are one call for each action that is declared for a server.
var uses = map[string]call{
	actions.ListBucket:   func(ctx context.Context, r roleUnderTest) error { return list(ctx, r.s3, r.bucket) },
	actions.GetObject:    func(ctx context.Context, r roleUnderTest) error { return get(ctx, r.s3, r.bucket, "a") },
	actions.PutObject:    func(ctx context.Context, r roleUnderTest) error { return put(ctx, r.s3, r.bucket, "b") },
	actions.DeleteObject: func(ctx context.Context, r roleUnderTest) error { return remove(ctx, r.s3, r.bucket, "gone") },
	actions.ListBucketVersions: func(ctx context.Context, r roleUnderTest) error {
		_, err := r.s3.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &r.bucket})
		return err
	},
	actions.GetObjectVersion: func(ctx context.Context, r roleUnderTest) error {
		answer, err := r.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &r.bucket, Key: aws.String("a"), VersionId: &r.version})
		if err != nil {
			return err
		}
		return answer.Body.Close()
	},
	actions.ListMultipartUploadParts: func(ctx context.Context, r roleUnderTest) error {
		_, err := r.s3.ListParts(ctx, &s3.ListPartsInput{Bucket: &r.bucket, Key: aws.String("u"), UploadId: &r.upload})
		return err
	},
	actions.AbortMultipartUpload: func(ctx context.Context, r roleUnderTest) error {
		// One that is gone: aborting what the others list would take it from them.
		_, err := r.s3.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &r.bucket, Key: aws.String("u"), UploadId: aws.String("gone")})
		if missing := (smithy.APIError)(nil); errors.As(err, &missing) && missing.ErrorCode() == "NoSuchUpload" {
			return nil
		}
		return err
	},
}

// allowed is all that the role must be able to do.
func (r roleUnderTest) allowed(t *testing.T) map[string]call {
	t.Helper()
	calls := map[string]call{}
	store := reflect.TypeFor[object.Store]()
	for i := range store.NumMethod() {
		method := store.Method(i).Name
		if operations[method] == nil {
			t.Fatalf("object.Store has a method %s that the role was never seen to be allowed: give it a line in operations", method)
		}
		calls["the store's "+method] = operations[method]
	}
	for _, action := range r.actions {
		if uses[action.Name] == nil {
			t.Fatalf("%s is declared, which nothing here needs: give it a line in uses", action.Name)
		}
		calls[action.Name] = uses[action.Name]
	}
	if r.releases != "" {
		calls["reading its own build"] = func(ctx context.Context, r roleUnderTest) error {
			return get(ctx, r.s3, r.releases, "storaged/build")
		}
	}
	if r.state != "" {
		calls["telling a missing object of the state from a forbidden one"] = func(ctx context.Context, r roleUnderTest) error { return list(ctx, r.s3, r.state) }
		calls["reading the keyring"] = func(ctx context.Context, r roleUnderTest) error { return get(ctx, r.s3, r.state, state.KeyringName) }
		calls["making the sealing key"] = func(ctx context.Context, r roleUnderTest) error {
			return put(ctx, r.s3, r.state, state.SealingKeyName)
		}
		calls["revoking a link"] = func(ctx context.Context, r roleUnderTest) error {
			return put(ctx, r.s3, r.state, state.RevocationsPrefix+"x")
		}
	}
	return calls
}

// denials are what the role must not be able to do. Those of an action are allowed from the day on that the store
// declares it.
var denials = []struct {
	name, action string
	call         call
}{
	{"listing another bucket", "", func(ctx context.Context, r roleUnderTest) error { return list(ctx, r.s3, "another-1") }},
	{"reading another bucket", "", func(ctx context.Context, r roleUnderTest) error { return get(ctx, r.s3, "another-1", "a") }},
	{"writing to another bucket", "", func(ctx context.Context, r roleUnderTest) error { return put(ctx, r.s3, "another-1", "b") }},
	{"deleting in another bucket", "", func(ctx context.Context, r roleUnderTest) error { return remove(ctx, r.s3, "another-1", "a") }},
	{"reading a bucket whose name goes on", "", func(ctx context.Context, r roleUnderTest) error { return get(ctx, r.s3, r.bucket+"1", "a") }},
	{"listing releases", "", func(ctx context.Context, r roleUnderTest) error { return list(ctx, r.s3, "local-releases-1000000001") }},
	{"replacing a build", "", func(ctx context.Context, r roleUnderTest) error {
		return put(ctx, r.s3, "local-releases-1000000001", "storaged/build")
	}},
	{"deleting a build", "", func(ctx context.Context, r roleUnderTest) error {
		return remove(ctx, r.s3, "local-releases-1000000001", "storaged/build")
	}},
	{"reading elsewhere in releases", "", func(ctx context.Context, r roleUnderTest) error {
		return get(ctx, r.s3, "local-releases-1000000001", "elsewhere/build")
	}},
	{"adding a key", "", func(ctx context.Context, r roleUnderTest) error {
		return put(ctx, r.s3, stateBucket, state.KeyringName)
	}},
	{"removing the keyring", "", func(ctx context.Context, r roleUnderTest) error {
		return remove(ctx, r.s3, stateBucket, state.KeyringName)
	}},
	{"removing the sealing key", "", func(ctx context.Context, r roleUnderTest) error {
		return remove(ctx, r.s3, stateBucket, state.SealingKeyName)
	}},
	{"taking a revocation back", "", func(ctx context.Context, r roleUnderTest) error {
		return remove(ctx, r.s3, stateBucket, state.RevocationsPrefix+"a")
	}},
	{"writing elsewhere in the state", "", func(ctx context.Context, r roleUnderTest) error { return put(ctx, r.s3, stateBucket, "a") }},
	{"listing the state's versions", "", func(ctx context.Context, r roleUnderTest) error {
		_, err := r.s3.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: aws.String(stateBucket)})
		return err
	}},
	{"reading an older state", "", func(ctx context.Context, r roleUnderTest) error {
		_, err := r.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(stateBucket), Key: aws.String("a"), VersionId: aws.String("null")})
		return err
	}},
	{"listing buckets", "s3:ListAllMyBuckets", func(ctx context.Context, r roleUnderTest) error { _, err := r.s3.ListBuckets(ctx, nil); return err }},
	{"making a bucket", "s3:CreateBucket", func(ctx context.Context, r roleUnderTest) error {
		_, err := r.s3.CreateBucket(ctx, createBucket("new-1"))
		return err
	}},
	{"deleting the bucket", "s3:DeleteBucket", func(ctx context.Context, r roleUnderTest) error {
		_, err := r.s3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &r.bucket})
		return err
	}},
	{"changing the bucket's policy", "s3:PutBucketPolicy", func(ctx context.Context, r roleUnderTest) error {
		_, err := r.s3.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &r.bucket, Policy: aws.String("{}")})
		return err
	}},
	{"removing the bucket's policy", "s3:DeleteBucketPolicy", func(ctx context.Context, r roleUnderTest) error {
		_, err := r.s3.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: &r.bucket})
		return err
	}},
	{"turning versioning off", "s3:PutBucketVersioning", func(ctx context.Context, r roleUnderTest) error {
		_, err := r.s3.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: &r.bucket, VersioningConfiguration: &types.VersioningConfiguration{
			Status: types.BucketVersioningStatusSuspended,
		}})
		return err
	}},
	{"letting other web sites in", "s3:PutBucketCORS", func(ctx context.Context, r roleUnderTest) error {
		_, err := r.s3.PutBucketCors(ctx, &s3.PutBucketCorsInput{Bucket: &r.bucket, CORSConfiguration: &types.CORSConfiguration{
			CORSRules: []types.CORSRule{{AllowedMethods: []string{"GET"}, AllowedOrigins: []string{"*"}}},
		}})
		return err
	}},
	{"turning access logs off", "s3:PutBucketLogging", func(ctx context.Context, r roleUnderTest) error {
		_, err := r.s3.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: &r.bucket, BucketLoggingStatus: &types.BucketLoggingStatus{}})
		return err
	}},
	{"reading the bucket's lifecycle", "s3:GetLifecycleConfiguration", func(ctx context.Context, r roleUnderTest) error {
		_, err := r.s3.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: &r.bucket})
		return err
	}},
	{"opening a file to the public", "s3:PutObjectAcl", func(ctx context.Context, r roleUnderTest) error {
		_, err := r.s3.PutObjectAcl(ctx, &s3.PutObjectAclInput{Bucket: &r.bucket, Key: aws.String("a"), ACL: types.ObjectCannedACLPublicRead})
		return err
	}},
	{"listing versions", "s3:ListBucketVersions", func(ctx context.Context, r roleUnderTest) error {
		_, err := r.s3.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &r.bucket})
		return err
	}},
	{"deleting a version for good", "s3:DeleteObjectVersion", func(ctx context.Context, r roleUnderTest) error {
		_, err := r.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &r.bucket, Key: aws.String("a"), VersionId: aws.String("null")})
		return err
	}},
}

// The instance role's own policy, as synthesized, enforced by the emulator's IAM: every operation of the store is
// allowed, and so is reading a machine's release; nothing else is; and a policy that lacks any one of its actions
// refuses something that is needed, so that there is nothing to spare.
func TestTheRoleIsAllowedItsWorkAndNothingElse(t *testing.T) {
	stacks := shipped(t, stack.Target{})
	endpoint := startMoto(t)
	root := client(endpoint, aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"})
	for _, name := range []string{"local-1000000001", "local-10000000011", "module02-0000000000", "module02-00000000001", "local-releases-1000000001", stateBucket, "another-1"} {
		_, err := root.CreateBucket(t.Context(), createBucket(name))
		for _, key := range []string{"a", "storaged/build", "elsewhere/build", state.KeyringName, state.SealingKeyName, state.RevocationsPrefix + "a"} {
			err = errors.Join(err, put(t.Context(), root, name, key))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	// Every role is made before the emulator enforces anything: it forgets who may make roles.
	type lesser struct {
		without string
		role    roleUnderTest
	}
	whole, lacking := map[string]roleUnderTest{}, map[string][]lesser{}
	for environment, r := range map[string]roleUnderTest{
		"local":    {bucket: "local-1000000001", releases: "local-releases-1000000001", state: stateBucket, actions: actions.All()},
		"module02": {bucket: "module02-0000000000", actions: actions.Baked()},
	} {
		r.version, r.upload = begun(t, root, r.bucket)
		policy := policyOf(stacks[environment+"-api"]).Get("policy").(string)
		trust := stacks[environment+"-api"].Only("aws_iam_role").Get("assume_role_policy").(string)
		whole[environment] = r.as(t, endpoint, assume(t, endpoint, environment, trust, policy))
		for i, each := range lesserPolicies(t, policy) {
			name := fmt.Sprintf("%s-%d", environment, i)
			lacking[environment] = append(lacking[environment], lesser{each.without, r.as(t, endpoint, assume(t, endpoint, name, trust, each.policy))})
		}
	}
	enforce(t, endpoint)

	for environment, r := range whole {
		t.Run(environment, func(t *testing.T) {
			declared := map[string]bool{}
			for _, action := range r.actions {
				declared[action.Name] = true
			}
			for name, call := range r.allowed(t) {
				if err := call(t.Context(), r); err != nil {
					t.Errorf("%s is refused: %v", name, err)
				}
			}
			for _, each := range denials {
				if err := each.call(t.Context(), r); !declared[each.action] && !denied(err) {
					t.Errorf("%s is not refused: %v", each.name, err)
				}
			}
			for _, each := range lacking[environment] {
				calls := each.role.allowed(t)
				if !slices.ContainsFunc(slices.Collect(maps.Values(calls)), func(call call) bool { return denied(call(t.Context(), each.role)) }) {
					t.Errorf("without %s nothing that is needed is refused: the policy has it to spare", each.without)
				}
			}
		})
	}
}

// begun gives a bucket versions and an upload in parts, and returns the version of "a" and the upload of "u".
func begun(t *testing.T, root *s3.Client, bucket string) (version, upload string) {
	t.Helper()
	_, err := root.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: &bucket, VersioningConfiguration: &types.VersioningConfiguration{
		Status: types.BucketVersioningStatusEnabled,
	}})
	if err != nil {
		t.Fatal(err)
	}
	written, err := root.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("a"), Body: strings.NewReader("x")})
	if err != nil {
		t.Fatal(err)
	}
	parts, err := root.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: aws.String("u")})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(written.VersionId), aws.ToString(parts.UploadId)
}

// as is the machine with credentials of its role.
func (r roleUnderTest) as(t *testing.T, endpoint string, c aws.Credentials) roleUnderTest {
	t.Helper()
	store, err := s3store.Open(t.Context(), s3store.Config{
		Bucket: r.bucket, Region: permissionRegion, Endpoint: endpoint,
		AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.s3, r.store = client(endpoint, c), store
	return r
}

type lesserPolicy struct{ without, policy string }

// lesserPolicies are a policy without one of its actions, each in turn.
func lesserPolicies(t *testing.T, policy string) []lesserPolicy {
	t.Helper()
	read := func() (p struct {
		Version   string
		Statement []map[string]any
	}) {
		if err := json.Unmarshal([]byte(policy), &p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	var found []lesserPolicy
	for i, statement := range read().Statement {
		granted, _ := statement["Action"].([]any)
		if len(granted) == 0 {
			t.Fatalf("%v lists no actions", statement)
		}
		for j, action := range granted {
			p := read()
			if len(granted) == 1 { // IAM takes no statement without actions
				p.Statement = slices.Delete(p.Statement, i, i+1)
			} else {
				p.Statement[i]["Action"] = slices.Delete(slices.Clone(granted), j, j+1)
			}
			text, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, lesserPolicy{fmt.Sprintf("%v in %v", action, statement["Sid"]), string(text)})
		}
	}
	return found
}

// denied reports whether S3 refused a call for lack of a right, whether it was made by the store or past it.
func denied(err error) bool {
	var failure smithy.APIError
	return object.CodeOf(err) == object.CodeDenied || errors.As(err, &failure) && failure.ErrorCode() == "AccessDenied"
}

func client(endpoint string, c aws.Credentials) *s3.Client {
	return s3.New(s3.Options{
		Region: permissionRegion, BaseEndpoint: aws.String(endpoint), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken),
	})
}

func createBucket(name string) *s3.CreateBucketInput {
	return &s3.CreateBucketInput{Bucket: aws.String(name), CreateBucketConfiguration: &types.CreateBucketConfiguration{
		LocationConstraint: permissionRegion,
	}}
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
