package s3store_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/object/history"
	"cloudstorage/app/object/upload"
	"cloudstorage/app/s3store"
	"cloudstorage/app/s3store/actions"
	"cloudstorage/app/s3store/s3sign"
)

// A role that lacks a right is told which, and no action is declared that no
// call needs.
func TestEveryCallNamesTheActionThatItWasRefused(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t)
	guest := config(t, g)
	guest.AccessKeyID, guest.SecretAccessKey = g.GuestAccessKey, g.GuestSecretKey
	s := openEverything(t, guest)
	ctx, u := t.Context(), upload.Upload{Key: "a", ID: "5d3f7d1c-0c5f-4f5e-8b7e-3a8e1c1f5b6d"}
	refused := map[string][]error{}
	note := func(action string, err error) { refused[action] = append(refused[action], err) }

	_, err := s.List(ctx, object.ListOptions{})
	note(actions.ListBucket, err)
	_, err = s.Versions(ctx, "a", history.VersionsOptions{})
	note(actions.ListBucketVersions, err)
	_, err = s.Stat(ctx, "a", "")
	note(actions.GetObject, err)
	_, err = s.Stat(ctx, "a", "01JZ0000000000000000000000")
	note(actions.GetObjectVersion, err)
	_, err = s.Get(ctx, "a", file.GetOptions{})
	note(actions.GetObject, err)
	_, err = s.Put(ctx, "a", strings.NewReader("x"), file.PutOptions{Size: 1})
	note(actions.PutObject, err)
	_, err = s.Copy(ctx, "a", "b", history.CopyOptions{})
	note(actions.GetObject, err)
	_, err = s.Delete(ctx, "a")
	note(actions.DeleteObject, err)
	_, err = s.Create(ctx, "a", upload.Options{})
	note(actions.PutObject, err)
	_, err = s.Parts(ctx, u, upload.PartsOptions{})
	note(actions.ListMultipartUploadParts, err)
	_, err = s.Complete(ctx, u, []upload.Part{{Number: 1, ETag: `"x"`}}, upload.CompleteOptions{})
	note(actions.PutObject, err)
	note(actions.AbortMultipartUpload, s.Abort(ctx, u))
	many, err := s.DeleteMany(ctx, []object.Key{"a"})
	if err == nil {
		err = many[0].Err
	}
	note(actions.DeleteObject, err)

	for _, action := range actions.All() {
		if len(refused[action.Name]) == 0 {
			t.Errorf("%s is declared, and no call needs it", action.Name)
		}
		for _, err := range refused[action.Name] {
			wantError(t, action.Name, err, object.CodeDenied, action.Name)
		}
		delete(refused, action.Name)
	}
	if len(refused) != 0 {
		t.Errorf("%v are called and not declared", refused)
	}
}

// The gateway takes no session tokens, so forms and URLs of a role are checked
// by what they say.
func TestARolesFormsAndURLsCarryItsSessionAndEndWithIt(t *testing.T) {
	t.Parallel()
	start := time.Now().Truncate(time.Second)
	end := start.Add(6 * time.Minute)
	s := openEverything(t, s3store.Config{Bucket: "b-1", Region: "eu-west-1", MetadataEndpoint: newMetadata(t, end).URL, Now: func() time.Time { return start }})
	f, err := s.SignForm(t.Context(), "k", time.Hour, upload.FormOptions{Type: "text/plain", Min: 1, Max: 9})
	if err != nil {
		t.Fatal(err)
	}
	if !f.Expires.Equal(end) || f.URL != "https://b-1.s3.eu-west-1.amazonaws.com" {
		t.Errorf("a form to %s until %s, want %s", f.URL, f.Expires, end)
	}
	raw, err := base64.StdEncoding.DecodeString(f.Fields["policy"])
	if err != nil {
		t.Fatal(err)
	}
	var policy struct {
		Expiration string
		Conditions []any
	}
	if err := json.Unmarshal(raw, &policy); err != nil {
		t.Fatal(err)
	}
	date := start.UTC().Format("20060102T150405Z")
	want := []any{
		[]any{"content-length-range", 1.0, 9.0},
		map[string]any{"bucket": "b-1"},
		map[string]any{"Content-Type": "text/plain"},
		map[string]any{"key": "k"},
		map[string]any{"x-amz-algorithm": "AWS4-HMAC-SHA256"},
		map[string]any{"x-amz-credential": "ASIA1/" + date[:8] + "/eu-west-1/s3/aws4_request"},
		map[string]any{"x-amz-date": date},
		map[string]any{"x-amz-security-token": "session"},
	}
	if diff := cmp.Diff(want, policy.Conditions); diff != "" {
		t.Error(diff)
	}
	if want := end.UTC().Format("2006-01-02T15:04:05.000Z"); policy.Expiration != want {
		t.Errorf("the policy ends at %s, want %s", policy.Expiration, want)
	}
	if f.Fields["x-amz-security-token"] != "session" || f.Fields["key"] != "k" || len(f.Fields["x-amz-signature"]) != 64 {
		t.Errorf("fields %v", f.Fields)
	}

	sum, size := sha256.Sum256(nil), int64(1)
	write, err := s.SignWrite(t.Context(), "k", time.Hour, file.WriteOptions{Type: "text/plain", Size: &size, IfNew: true, SHA256: &sum})
	if err != nil {
		t.Fatal(err)
	}
	part, err := s.SignPart(t.Context(), upload.Upload{Key: "k", ID: "i/d"}, 3, time.Hour, upload.PartOptions{Size: &size, SHA256: &sum})
	if err != nil {
		t.Fatal(err)
	}
	read, err := s.SignRead(t.Context(), "k", time.Hour, file.ReadOptions{Version: "v", Type: "text/plain", Disposition: "inline"})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		signed object.Signed
		want   url.Values
	}{
		"an upload": {write, url.Values{"X-Amz-SignedHeaders": {"content-length;content-type;host;if-none-match;x-amz-checksum-sha256"}}},
		"a part":    {part, url.Values{"X-Amz-SignedHeaders": {"content-length;host;x-amz-checksum-sha256"}, "partNumber": {"3"}, "uploadId": {"i/d"}}},
		"a download": {read, url.Values{"X-Amz-SignedHeaders": {"host"}, "versionId": {"v"},
			"response-content-type": {"text/plain"}, "response-content-disposition": {"inline"}}},
	} {
		u, err := url.Parse(tt.signed.URL)
		if err != nil {
			t.Fatal(err)
		}
		if !tt.signed.Expires.Equal(end) || u.Query().Get("X-Amz-Security-Token") != "session" {
			t.Errorf("%s: %+v until %s, want %s", name, tt.signed, tt.signed.Expires, end)
		}
		for key, want := range tt.want {
			if diff := cmp.Diff(want, u.Query()[key]); diff != "" {
				t.Errorf("%s: %s: %s", name, key, diff)
			}
		}
	}
}

func TestNoURLLivesLongerThanS3Takes(t *testing.T) {
	t.Parallel()
	s := openEverything(t, s3store.Config{Bucket: "b-1", Region: "eu-west-1", AccessKeyID: "AKIA", SecretAccessKey: "s"})
	for _, ttl := range []time.Duration{0, 7*24*time.Hour + time.Second} {
		_, read := s.SignRead(t.Context(), "k", ttl, file.ReadOptions{})
		_, write := s.SignWrite(t.Context(), "k", ttl, file.WriteOptions{})
		_, part := s.SignPart(t.Context(), upload.Upload{Key: "k", ID: "id"}, 1, ttl, upload.PartOptions{})
		_, form := s.SignForm(t.Context(), "k", ttl, upload.FormOptions{Max: 1})
		for name, err := range map[string]error{"read": read, "write": write, "part": part, "form": form} {
			if object.CodeOf(err) != object.CodeInvalid {
				t.Errorf("%s for %s: %v, want an invalid error", name, ttl, err)
			}
		}
	}
}

// What the store adds to a URL must not cost what the signer saves.
func TestASignedDownloadCostsTwoAllocations(t *testing.T) {
	s := s3sign.New(open(t, s3store.Config{Bucket: "b-1", Region: "eu-west-1", AccessKeyID: "ASIA", SecretAccessKey: "s", SessionToken: "session"}))
	sign := func() {
		if _, err := s.SignGet(t.Context(), "reports/2024/a b.pdf", time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	sign()
	// One is the path, one the URL. The race detector makes pools forget.
	if n := testing.AllocsPerRun(1000, sign); n > 2 && !raceEnabled {
		t.Errorf("%v allocations, want 2", n)
	}
}
