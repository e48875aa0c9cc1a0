// Package s3state keeps the API's own state in an S3 bucket.
package s3state

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"cloudstorage/app/object"
	"cloudstorage/app/s3store"
	"cloudstorage/app/s3store/actions"
	"cloudstorage/app/s3store/internal/call"
	"cloudstorage/app/state"
)

// Objects are the objects of a store's bucket. The callers of package state bound
// each call.
type Objects struct{ Store *s3store.Store }

var _ state.Objects = Objects{}

// Read reads a small object.
func (o Objects) Read(ctx context.Context, name, etag string) (body []byte, newETag string, err error) {
	out, err := o.Store.Client().GetObject(ctx, &s3.GetObjectInput{
		Bucket: aws.String(o.Store.Bucket()), Key: aws.String(name), IfNoneMatch: call.Optional(etag),
	})
	if err != nil {
		err = call.Failed(actions.GetObject, object.Key(name), err)
		if object.CodeOf(err) == object.CodeNotModified {
			return nil, etag, state.ErrUnchanged
		}
		return nil, "", err
	}
	defer out.Body.Close()
	body, err = io.ReadAll(io.LimitReader(out.Body, state.MaxObjectBytes+1))
	switch {
	case err != nil:
		return nil, "", call.Failed(actions.GetObject, object.Key(name), err)
	case len(body) > state.MaxObjectBytes:
		return nil, "", &object.Error{Code: object.CodeTooLarge, Op: actions.GetObject, Key: object.Key(name),
			Message: fmt.Sprintf("it has more than %d bytes", state.MaxObjectBytes)}
	}
	return body, aws.ToString(out.ETag), nil
}

// Create writes an object that is not there.
func (o Objects) Create(ctx context.Context, name string, body []byte) error {
	_, err := o.Store.Client().PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String(o.Store.Bucket()), Key: aws.String(name), Body: bytes.NewReader(body), IfNoneMatch: aws.String("*"),
	}, insistently)
	if err == nil {
		return nil
	}
	err = call.Failed(actions.PutObject, object.Key(name), err)
	if object.CodeOf(err) == object.CodePrecondition {
		return state.ErrExists
	}
	return err
}

// insistently tries again where somebody else wrote, or deleted, at the same
// time: S3 then cannot say yet whether the object is there.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
func insistently(o *s3.Options) {
	o.Retryer = retry.AddWithErrorCodes(o.Retryer, "ConditionalRequestConflict")
}
