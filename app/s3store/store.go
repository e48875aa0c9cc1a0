// Package s3store keeps objects in an S3 bucket. It is the only package that
// imports the AWS SDK.
package s3store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"cloudstorage/app/object"
	"cloudstorage/app/s3store/actions"
)

// What a call to S3 may take: an outage must become an answer while the caller
// still waits.
const (
	CallTimeout   = 10 * time.Second // a call with its retries
	dialTimeout   = 2 * time.Second
	headerTimeout = 5 * time.Second // a page of 1,000 keys takes S3 well under one
	attempts      = 3
	maxBackoff    = 500 * time.Millisecond
)

// Config says which bucket, and as whom.
type Config struct {
	Bucket   string // required
	Region   string // required
	Endpoint string // an S3 endpoint in place of AWS, path-style; "" is AWS

	// Long-lived or session credentials; all empty stands for the role of the
	// instance.
	AccessKeyID, SecretAccessKey, SessionToken string

	// MetadataEndpoint is where the instance role's credentials come from;
	// "" is the instance metadata service of EC2.
	MetadataEndpoint string

	Now func() time.Time // the clock that signs URLs; nil is time.Now
}

// Store is an object.Store on one bucket.
type Store struct {
	bucket      string
	region      string
	base        url.URL // of the bucket: a key is appended to its path
	client      *s3.Client
	signer      *v4.Signer
	credentials aws.CredentialsProvider
	now         func() time.Time
}

var _ object.Store = (*Store)(nil)

// Open prepares the store. It gets credentials, so that a server without any
// fails at its start and not at its first request, but it does not contact S3.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	provider, err := newCredentials(cfg)
	if err != nil {
		return nil, err
	}
	if _, err := provider.Retrieve(ctx); err != nil {
		return nil, fmt.Errorf("get AWS credentials: attach a role to the instance, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: %w", err)
	}
	base, err := endpoint(ctx, cfg)
	if err != nil {
		return nil, err
	}
	client := s3.New(s3.Options{
		Region:       cfg.Region,
		Credentials:  provider,
		BaseEndpoint: optional(cfg.Endpoint),
		UsePathStyle: cfg.Endpoint != "",
		HTTPClient: awshttp.NewBuildableClient().
			WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout }).
			WithTransportOptions(func(t *http.Transport) { t.ResponseHeaderTimeout = headerTimeout }),
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = attempts
			o.MaxBackoff = maxBackoff
		}),
	})
	return &Store{
		bucket:      cfg.Bucket,
		region:      cfg.Region,
		base:        base,
		client:      client,
		signer:      v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }),
		credentials: provider,
		now:         cfg.Now,
	}, nil
}

// Client is for the packages below this one, which do what the exercise's server
// does not need.
func (s *Store) Client() *s3.Client { return s.client }

// Bucket is the bucket's name.
func (s *Store) Bucket() string { return s.bucket }

// Region is the bucket's region.
func (s *Store) Region() string { return s.region }

// URL is where the bucket is.
func (s *Store) URL() url.URL { return s.base }

// endpoint is where the bucket is; that of no bucket is S3's own. It asks the
// SDK's own rules, so that partitions and names with dots are right, once:
// signing then needs no rules at all.
func endpoint(ctx context.Context, cfg Config) (url.URL, error) {
	found, err := s3.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, s3.EndpointParameters{
		Bucket:         optional(cfg.Bucket),
		Region:         aws.String(cfg.Region),
		Endpoint:       optional(cfg.Endpoint),
		ForcePathStyle: aws.Bool(cfg.Endpoint != ""),
	}.WithDefaults())
	if err != nil {
		return url.URL{}, fmt.Errorf("find the endpoint of bucket %q: %w", cfg.Bucket, err)
	}
	return found.URI, nil
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// List returns a page of the bucket's objects; S3's own page is 1,000.
func (s *Store) List(ctx context.Context, o object.ListOptions) (object.Page, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	in := &s3.ListObjectsV2Input{
		Bucket:            aws.String(s.bucket),
		Prefix:            optional(o.Prefix),
		Delimiter:         optional(o.Delimiter),
		ContinuationToken: optional(o.Cursor),
		// XML cannot carry control characters, which other tools may have put
		// into names.
		EncodingType: types.EncodingTypeUrl,
	}
	if o.Limit > 0 {
		in.MaxKeys = aws.Int32(int32(min(o.Limit, object.MaxPage)))
	}
	out, err := s.client.ListObjectsV2(ctx, in)
	if err != nil {
		return object.Page{}, Failed(actions.ListBucket, "", err)
	}
	page := object.Page{Items: make([]object.Info, 0, len(out.Contents))}
	if aws.ToBool(out.IsTruncated) {
		page.Next = aws.ToString(out.NextContinuationToken)
	}
	decode := func(p *string) string {
		name := aws.ToString(p)
		if out.EncodingType == types.EncodingTypeUrl {
			decoded, failure := url.QueryUnescape(name)
			err, name = errors.Join(err, failure), decoded
		}
		return name
	}
	for _, prefix := range out.CommonPrefixes {
		page.Prefixes = append(page.Prefixes, decode(prefix.Prefix))
	}
	for _, item := range out.Contents {
		page.Items = append(page.Items, object.Info{
			Key:      object.Key(decode(item.Key)),
			Size:     aws.ToInt64(item.Size),
			ETag:     aws.ToString(item.ETag),
			Modified: aws.ToTime(item.LastModified),
		})
	}
	if err != nil {
		return object.Page{}, Failed(actions.ListBucket, "", fmt.Errorf("decode a listed key: %w", err))
	}
	return page, nil
}

// Delete removes an object and returns its delete marker. One that is not there
// is no error.
func (s *Store) Delete(ctx context.Context, k object.Key) (marker string, err error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	out, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(string(k))})
	if missing := (*types.NoSuchKey)(nil); errors.As(err, &missing) {
		return "", nil
	}
	if err != nil {
		return "", Failed(actions.DeleteObject, k, err)
	}
	return aws.ToString(out.VersionId), nil
}

// Ready lists one object: the action that the API needs first. HeadBucket needs
// the same right but explains no refusal.
func (s *Store) Ready(ctx context.Context) error {
	_, err := s.List(ctx, object.ListOptions{Limit: 1})
	return err
}
