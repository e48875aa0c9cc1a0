package s3upload

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/object/upload"
	"cloudstorage/app/s3store/actions"
	"cloudstorage/app/sigv4"
)

// SignForm signs a form that writes one object.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
func (u Uploads) SignForm(ctx context.Context, k object.Key, ttl time.Duration, o upload.FormOptions) (upload.Form, error) {
	if o.Min < 0 || o.Min > o.Max || o.Max > file.MaxPut {
		return upload.Form{}, &object.Error{Code: object.CodeInvalid, Op: actions.PutObject, Key: k,
			Message: fmt.Sprintf("a form cannot take %d to %d bytes: ask for a range within 0 to %d", o.Min, o.Max, int64(file.MaxPut))}
	}
	if strings.Contains(string(k), "${filename}") {
		return upload.Form{}, &object.Error{Code: object.CodeInvalid, Op: actions.PutObject, Key: k,
			Message: "a form cannot write a file with ${filename} in its name: S3 would put in the name of the posted file"}
	}
	signer, now, expires, err := u.Store.Signer(ctx, actions.PutObject, k, ttl)
	if err != nil {
		return upload.Form{}, err
	}
	fields := map[string]string{
		"key":              string(k),
		"x-amz-algorithm":  sigv4.Algorithm,
		"x-amz-credential": signer.Credential(now),
		"x-amz-date":       now.UTC().Format(sigv4.TimeFormat),
	}
	if token := signer.Credentials().SessionToken; token != "" {
		fields["x-amz-security-token"] = token
	}
	if o.Type != "" {
		fields["Content-Type"] = o.Type
	}
	// S3 refuses every field that no condition names.
	conditions := []any{[]any{"content-length-range", o.Min, o.Max}, map[string]string{"bucket": u.Store.Bucket()}}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		conditions = append(conditions, map[string]string{name: fields[name]})
	}
	policy, err := json.Marshal(map[string]any{"expiration": expires.UTC().Format("2006-01-02T15:04:05.000Z"), "conditions": conditions})
	if err != nil {
		return upload.Form{}, &object.Error{Code: object.CodeInternal, Op: actions.PutObject, Key: k, Message: "the form cannot be signed", Err: err}
	}
	fields["policy"] = base64.StdEncoding.EncodeToString(policy)
	fields["x-amz-signature"] = signer.Sign(fields["policy"], now)
	bucket := u.Store.URL()
	return upload.Form{URL: bucket.String(), Fields: fields, Expires: expires}, nil
}
