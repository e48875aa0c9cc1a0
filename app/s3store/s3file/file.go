// Package s3file is the file.Store on an S3 bucket.
package s3file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/s3store"
	"cloudstorage/app/s3store/actions"
	"cloudstorage/app/s3store/internal/call"
	"cloudstorage/app/s3store/s3sign"
	"cloudstorage/app/sigv4"
)

// Files works on the files of a store.
type Files struct{ Store *s3sign.Store }

var _ file.Store = Files{}

// readAction is what reading needs: old versions have a right of their own.
func readAction(version string) string {
	if version == "" {
		return actions.GetObject
	}
	return actions.GetObjectVersion
}

// Stat describes an object.
func (f Files) Stat(ctx context.Context, k object.Key, version string) (object.Info, error) {
	ctx, cancel := context.WithTimeout(ctx, s3store.CallTimeout)
	defer cancel()
	out, err := f.Store.Client().HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: aws.String(f.Store.Bucket()), Key: aws.String(string(k)), VersionId: call.Optional(version), ChecksumMode: types.ChecksumModeEnabled,
	})
	if err != nil {
		return object.Info{}, call.Failed(readAction(version), k, err)
	}
	return object.Info{
		Key: k, Size: aws.ToInt64(out.ContentLength), ETag: aws.ToString(out.ETag), Modified: aws.ToTime(out.LastModified),
		Type: aws.ToString(out.ContentType), Version: aws.ToString(out.VersionId), SHA256: aws.ToString(out.ChecksumSHA256),
	}, nil
}

// Get reads an object. It has no time limit of its own: a large file takes its
// time, and ctx ends it.
func (f Files) Get(ctx context.Context, k object.Key, o file.GetOptions) (*file.Content, error) {
	in := &s3.GetObjectInput{
		Bucket: aws.String(f.Store.Bucket()), Key: aws.String(string(k)), VersionId: call.Optional(o.Version),
		IfMatch: call.Optional(o.IfMatch), IfNoneMatch: call.Optional(o.IfNoneMatch),
	}
	if o.Range != nil {
		in.Range = aws.String(o.Range.String())
	}
	out, err := f.Store.Client().GetObject(ctx, in)
	if err != nil {
		return nil, call.Failed(readAction(o.Version), k, err)
	}
	c := &file.Content{ReadCloser: out.Body, Length: aws.ToInt64(out.ContentLength), Info: object.Info{
		Key: k, Size: aws.ToInt64(out.ContentLength), ETag: aws.ToString(out.ETag), Modified: aws.ToTime(out.LastModified),
		Type: aws.ToString(out.ContentType), Version: aws.ToString(out.VersionId),
	}}
	if out.ContentRange != nil {
		var last int64
		if _, err := fmt.Sscanf(*out.ContentRange, "bytes %d-%d/%d", &c.First, &last, &c.Size); err != nil {
			return nil, errors.Join(call.Failed(readAction(o.Version), k, fmt.Errorf("read Content-Range %q: %w", *out.ContentRange, err)), out.Body.Close())
		}
	}
	return c, nil
}

// Put writes an object from a stream.
func (f Files) Put(ctx context.Context, k object.Key, content io.Reader, o file.PutOptions) (object.Info, error) {
	if err := checkSize(k, o.Size); err != nil {
		return object.Info{}, err
	}
	body := &stream{from: content}
	out, err := f.Store.Client().PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String(f.Store.Bucket()), Key: aws.String(string(k)),
		Body: body, ContentLength: aws.Int64(o.Size), ContentType: call.Optional(o.Type), ChecksumSHA256: call.Digest(o.SHA256),
		IfNoneMatch: call.IfNew(o.IfNew), IfMatch: call.Optional(o.IfMatch),
	}, once)
	if err != nil {
		if cause := body.cause(o.Size); cause != nil {
			return object.Info{}, &object.Error{Code: object.CodeInvalid, Op: actions.PutObject, Key: k,
				Message: "the content could not be read to its end", Err: cause}
		}
		return object.Info{}, call.Failed(actions.PutObject, k, err)
	}
	return object.Info{Key: k, Size: o.Size, ETag: aws.ToString(out.ETag), Type: o.Type, Version: aws.ToString(out.VersionId)}, nil
}

// once sends a stream that cannot be read again: unsigned, without a checksum
// of the SDK's, and without a second attempt.
func once(o *s3.Options) {
	o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	o.APIOptions = append(o.APIOptions, v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)
	o.Retryer = aws.NopRetryer{}
}

// stream tells a failure of its source from one of S3. The transport may still
// read it when the call has failed.
type stream struct {
	from io.Reader

	mu   sync.Mutex
	read int64
	err  error
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.from.Read(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read += int64(n)
	s.err = err
	return n, err
}

// cause is why the source did not give size bytes, nil where it did, or might
// have.
func (s *stream) cause(size int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(s.err, io.EOF) && s.read < size {
		return fmt.Errorf("%d of %d bytes: %w", s.read, size, io.ErrUnexpectedEOF)
	}
	if errors.Is(s.err, io.EOF) {
		return nil
	}
	return s.err
}

// SignRead signs a download.
func (f Files) SignRead(ctx context.Context, k object.Key, ttl time.Duration, o file.ReadOptions) (object.Signed, error) {
	r := sigv4.Request{Method: http.MethodGet}
	if o.Head {
		r.Method = http.MethodHead
	}
	for name, value := range map[string]string{
		"versionId": o.Version, "response-content-type": o.Type, "response-content-disposition": o.Disposition,
	} {
		if value != "" {
			r.Query = append(r.Query, sigv4.Param{Name: name, Value: value})
		}
	}
	return f.Store.Presign(ctx, readAction(o.Version), k, ttl, r)
}

// SignWrite signs an upload.
func (f Files) SignWrite(ctx context.Context, k object.Key, ttl time.Duration, o file.WriteOptions) (object.Signed, error) {
	if o.Size != nil {
		if err := checkSize(k, *o.Size); err != nil {
			return object.Signed{}, err
		}
	}
	r := sigv4.Request{Method: http.MethodPut}
	add := func(name, value string) {
		if value = strings.TrimSpace(value); value != "" {
			r.Header = append(r.Header, sigv4.Param{Name: name, Value: value})
		}
	}
	add("content-type", o.Type)
	add("if-match", o.IfMatch)
	add("if-none-match", aws.ToString(call.IfNew(o.IfNew)))
	add("x-amz-checksum-sha256", aws.ToString(call.Digest(o.SHA256)))
	if o.Size != nil {
		add("content-length", strconv.FormatInt(*o.Size, 10))
	}
	return f.Store.Presign(ctx, actions.PutObject, k, ttl, r)
}

func checkSize(k object.Key, size int64) error {
	switch {
	case size < 0:
		return &object.Error{Code: object.CodeInvalid, Op: actions.PutObject, Key: k, Message: "the size of the content must be known: send Content-Length"}
	case size > file.MaxPut:
		return &object.Error{Code: object.CodeTooLarge, Op: actions.PutObject, Key: k,
			Message: fmt.Sprintf("the content has %d bytes: more than %d must be uploaded in parts", size, int64(file.MaxPut))}
	}
	return nil
}
