// Package s3upload is the upload.Store on an S3 bucket.
package s3upload

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"cloudstorage/app/object"
	"cloudstorage/app/object/upload"
	"cloudstorage/app/s3store"
	"cloudstorage/app/s3store/actions"
	"cloudstorage/app/s3store/internal/call"
	"cloudstorage/app/s3store/s3sign"
	"cloudstorage/app/sigv4"
)

// Uploads takes uploads into a store.
type Uploads struct {
	Store     *s3sign.Store
	patiently func(*s3.Options)
}

// New returns what takes uploads into the store.
func New(s *s3sign.Store) Uploads { return Uploads{s, call.Patiently()} }

var _ upload.Store = Uploads{}

// Create begins an upload in parts.
func (u Uploads) Create(ctx context.Context, k object.Key, o upload.Options) (upload.Upload, error) {
	ctx, cancel := context.WithTimeout(ctx, s3store.CallTimeout)
	defer cancel()
	in := &s3.CreateMultipartUploadInput{Bucket: aws.String(u.Store.Bucket()), Key: aws.String(string(k)), ContentType: call.Optional(o.Type)}
	if o.Digests {
		in.ChecksumAlgorithm, in.ChecksumType = types.ChecksumAlgorithmSha256, types.ChecksumTypeComposite
	}
	out, err := u.Store.Client().CreateMultipartUpload(ctx, in, plain)
	if err != nil {
		return upload.Upload{}, call.Failed(actions.PutObject, k, err)
	}
	return upload.Upload{Key: k, ID: aws.ToString(out.UploadId)}, nil
}

// plain keeps the SDK from asking for a checksum of its own choice.
func plain(o *s3.Options) {
	o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
}

// SignPart signs the PUT of one part.
func (u Uploads) SignPart(ctx context.Context, up upload.Upload, number int, ttl time.Duration, o upload.PartOptions) (object.Signed, error) {
	if err := upload.CheckNumber(number); err != nil {
		return object.Signed{}, err
	}
	if o.Size != nil && (*o.Size < 0 || *o.Size > upload.MaxPart) {
		return object.Signed{}, &object.Error{Code: object.CodeTooLarge, Op: actions.PutObject, Key: up.Key,
			Message: fmt.Sprintf("a part cannot have %d bytes: the storage takes at most %d", *o.Size, int64(upload.MaxPart))}
	}
	r := sigv4.Request{Method: http.MethodPut, Query: []sigv4.Param{
		{Name: "partNumber", Value: strconv.Itoa(number)}, {Name: "uploadId", Value: up.ID},
	}}
	if o.Size != nil {
		r.Header = append(r.Header, sigv4.Param{Name: "content-length", Value: strconv.FormatInt(*o.Size, 10)})
	}
	if o.SHA256 != nil {
		r.Header = append(r.Header, sigv4.Param{Name: "x-amz-checksum-sha256", Value: *call.Digest(o.SHA256)})
	}
	return u.Store.Presign(ctx, actions.PutObject, up.Key, ttl, r)
}

// Parts lists what has arrived.
func (u Uploads) Parts(ctx context.Context, up upload.Upload, o upload.PartsOptions) (upload.PartsPage, error) {
	ctx, cancel := context.WithTimeout(ctx, s3store.CallTimeout)
	defer cancel()
	in := &s3.ListPartsInput{
		Bucket: aws.String(u.Store.Bucket()), Key: aws.String(string(up.Key)), UploadId: aws.String(up.ID), PartNumberMarker: call.Optional(o.Cursor),
	}
	if o.Limit > 0 {
		in.MaxParts = aws.Int32(int32(min(o.Limit, object.MaxPage)))
	}
	out, err := u.Store.Client().ListParts(ctx, in)
	if err != nil {
		return upload.PartsPage{}, call.Failed(actions.ListMultipartUploadParts, up.Key, err)
	}
	var page upload.PartsPage
	for _, part := range out.Parts {
		page.Items = append(page.Items, upload.Part{
			Number: int(aws.ToInt32(part.PartNumber)), ETag: aws.ToString(part.ETag), SHA256: call.ParseDigest(part.ChecksumSHA256),
			Size: aws.ToInt64(part.Size), Modified: aws.ToTime(part.LastModified),
		})
	}
	if aws.ToBool(out.IsTruncated) {
		page.Next = aws.ToString(out.NextPartNumberMarker)
	}
	return page, nil
}

// Complete makes the object of its parts.
func (u Uploads) Complete(ctx context.Context, up upload.Upload, parts []upload.Part, o upload.CompleteOptions) (object.Info, error) {
	completed := make([]types.CompletedPart, len(parts))
	for i, part := range parts {
		if err := upload.CheckNumber(part.Number); err != nil {
			return object.Info{}, err
		}
		completed[i] = types.CompletedPart{
			PartNumber: aws.Int32(int32(part.Number)), ETag: aws.String(part.ETag), ChecksumSHA256: call.Digest(part.SHA256),
		}
	}
	if len(parts) == 0 || len(parts) > upload.MaxParts {
		return object.Info{}, &object.Error{Code: object.CodeInvalid, Op: actions.PutObject, Key: up.Key,
			Message: fmt.Sprintf("a file cannot be made of %d parts: name 1 to %d", len(parts), upload.MaxParts)}
	}
	ctx, cancel := context.WithTimeout(ctx, call.Timeout)
	defer cancel()
	out, err := u.Store.Client().CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: aws.String(u.Store.Bucket()), Key: aws.String(string(up.Key)), UploadId: aws.String(up.ID),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: completed},
		IfNoneMatch:     call.IfNew(o.IfNew), IfMatch: call.Optional(o.IfMatch),
	}, u.patiently)
	if err != nil {
		return object.Info{}, call.Failed(actions.PutObject, up.Key, err)
	}
	return object.Info{Key: up.Key, ETag: aws.ToString(out.ETag), Version: aws.ToString(out.VersionId)}, nil
}

// Abort drops an upload.
func (u Uploads) Abort(ctx context.Context, up upload.Upload) error {
	ctx, cancel := context.WithTimeout(ctx, s3store.CallTimeout)
	defer cancel()
	_, err := u.Store.Client().AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: aws.String(u.Store.Bucket()), Key: aws.String(string(up.Key)), UploadId: aws.String(up.ID),
	})
	if gone := (*types.NoSuchUpload)(nil); err == nil || errors.As(err, &gone) {
		return nil
	}
	return call.Failed(actions.AbortMultipartUpload, up.Key, err)
}
