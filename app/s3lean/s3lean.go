// Package s3lean lists, deletes and signs in an S3 bucket as s3store does, without
// the AWS SDK: it fits into user-data, and builds on a machine with 1 GB. Every
// call is a presigned request, so that one signature does for all.
package s3lean

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/s3store/actions"
)

const (
	callTimeout = 10 * time.Second       // a call with its attempts
	attempts    = 3                      // of what is not answered
	pause       = 200 * time.Millisecond // between them
	callTTL     = 15 * time.Minute       // of our own URLs: how far S3 lets clocks differ
	maxTTL      = 7 * 24 * time.Hour     // what S3 accepts
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

	Now func() time.Time // the clock that signs; nil is time.Now
}

// Store is an object.Store on one bucket, and what of a file.Store moves no bytes.
type Store struct {
	cfg    Config
	base   url.URL // of the bucket: a key is appended to its path
	client *http.Client

	mu    sync.Mutex
	creds credentials
	renew time.Time
}

var _ object.Store = (*Store)(nil)

// Open prepares the store. It gets credentials, so that a server without any
// fails at its start and not at its first request, but it does not contact S3.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: 2 * time.Second}).DialContext
	t.ResponseHeaderTimeout = 5 * time.Second
	t.MaxIdleConnsPerHost = t.MaxIdleConns
	s := &Store{cfg: cfg, creds: credentials{ID: cfg.AccessKeyID, Secret: cfg.SecretAccessKey, Token: cfg.SessionToken}}
	s.client = &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	// Where the SDK's rules find the bucket too, in the partition aws:
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
	host := "s3." + cfg.Region + ".amazonaws.com"
	s.base = url.URL{Scheme: "https", Host: cfg.Bucket + "." + host}
	if strings.Contains(cfg.Bucket, ".") || cfg.Endpoint != "" { // no certificate is for a name with more dots
		u, err := url.Parse(strings.TrimSuffix(cmp.Or(cfg.Endpoint, "https://"+host), "/") + "/" + cfg.Bucket)
		if err != nil {
			return nil, err
		}
		s.base = *u
	}
	if (cfg.AccessKeyID == "") != (cfg.SecretAccessKey == "") {
		return nil, errors.New("half of the AWS credentials: set both, or neither")
	}
	if _, err := s.lease(ctx); err != nil {
		return nil, fmt.Errorf("get AWS credentials: attach a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: %w", err)
	}
	return s, nil
}

// SignGet signs a download. It does not contact S3.
func (s *Store) SignGet(ctx context.Context, k object.Key, ttl time.Duration) (object.Signed, error) {
	return s.SignRead(ctx, k, ttl, file.ReadOptions{})
}

// SignPut signs an upload of any content. It does not contact S3.
func (s *Store) SignPut(ctx context.Context, k object.Key, ttl time.Duration) (object.Signed, error) {
	return s.SignWrite(ctx, k, ttl, file.WriteOptions{})
}

// SignRead signs a download.
func (s *Store) SignRead(ctx context.Context, k object.Key, ttl time.Duration, o file.ReadOptions) (object.Signed, error) {
	r := request{action: actions.GetObject, key: k, method: http.MethodGet, query: map[string]string{
		"versionId": o.Version, "response-content-type": o.Type, "response-content-disposition": o.Disposition,
	}}
	if o.Head {
		r.method = http.MethodHead
	}
	return s.sign(ctx, r, ttl)
}

// SignWrite signs an upload.
func (s *Store) SignWrite(ctx context.Context, k object.Key, ttl time.Duration, o file.WriteOptions) (object.Signed, error) {
	header := map[string]string{"content-type": o.Type, "if-match": o.IfMatch}
	r := request{action: actions.PutObject, key: k, method: http.MethodPut, header: header}
	if o.IfNew {
		header["if-none-match"] = "*"
	}
	if o.SHA256 != nil {
		header["x-amz-checksum-sha256"] = base64.StdEncoding.EncodeToString(o.SHA256[:])
	}
	if o.Size != nil {
		header["content-length"] = strconv.FormatInt(*o.Size, 10)
		if *o.Size > file.MaxPut {
			return object.Signed{}, r.failed(object.CodeTooLarge, nil)
		}
		if *o.Size < 0 {
			return object.Signed{}, r.failed(object.CodeInvalid, nil)
		}
	}
	return s.sign(ctx, r, ttl)
}

// List returns a page of the bucket's objects; S3's own page is 1,000.
func (s *Store) List(ctx context.Context, o object.ListOptions) (object.Page, error) {
	// XML cannot carry control characters, which other tools may have put into
	// names.
	r := request{action: actions.ListBucket, method: http.MethodGet, query: map[string]string{
		"list-type": "2", "encoding-type": "url", "prefix": o.Prefix, "delimiter": o.Delimiter, "continuation-token": o.Cursor,
		"max-keys": strconv.Itoa(min(cmp.Or(o.Limit, object.MaxPage), object.MaxPage)),
	}}
	_, text, err := s.call(ctx, r)
	if err != nil {
		return object.Page{}, err
	}
	var l struct {
		NextContinuationToken, EncodingType string
		CommonPrefixes                      []struct{ Prefix string }
		Contents                            []struct {
			Key, ETag    string
			Size         int64
			LastModified time.Time
		}
	}
	err = xml.Unmarshal(text, &l)
	decode := func(name string) string {
		if l.EncodingType == "url" {
			decoded, failure := url.QueryUnescape(name)
			err, name = errors.Join(err, failure), decoded
		}
		return name
	}
	page := object.Page{Next: l.NextContinuationToken}
	for _, p := range l.CommonPrefixes {
		page.Prefixes = append(page.Prefixes, decode(p.Prefix))
	}
	for _, c := range l.Contents {
		page.Items = append(page.Items, object.Info{Key: object.Key(decode(c.Key)), Size: c.Size, ETag: c.ETag, Modified: c.LastModified})
	}
	if err != nil {
		return object.Page{}, r.failed(object.CodeUnavailable, fmt.Errorf("read a listing: %w", err))
	}
	return page, nil
}

// Delete removes an object and returns its delete marker. One that is not there
// is no error.
func (s *Store) Delete(ctx context.Context, k object.Key) (marker string, err error) {
	h, _, err := s.call(ctx, request{action: actions.DeleteObject, key: k, method: http.MethodDelete})
	if object.CodeOf(err) == object.CodeNotFound {
		return "", nil
	}
	return h.Get(versionHeader), err
}

const versionHeader = "X-Amz-Version-Id"

// Ready lists one object: the action that the API needs first.
func (s *Store) Ready(ctx context.Context) error {
	_, err := s.List(ctx, object.ListOptions{Limit: 1})
	return err
}

// Stat describes an object.
func (s *Store) Stat(ctx context.Context, k object.Key, version string) (object.Info, error) {
	h, _, err := s.call(ctx, request{action: actions.GetObject, key: k, method: http.MethodHead, query: map[string]string{"versionId": version},
		header: map[string]string{"x-amz-checksum-mode": "ENABLED"}})
	size, _ := strconv.ParseInt(h.Get("Content-Length"), 10, 64)
	modified, _ := http.ParseTime(h.Get("Last-Modified"))
	return object.Info{Key: k, Size: size, ETag: h.Get("ETag"), Modified: modified, Type: h.Get("Content-Type"), Version: h.Get(versionHeader), SHA256: h.Get("X-Amz-Checksum-Sha256")}, err
}

// Read reads a small object and its ETag; that it still has the given one is an
// error with object.CodeNotModified.
func (s *Store) Read(ctx context.Context, k object.Key, etag string) (body []byte, newETag string, err error) {
	h, body, err := s.call(ctx, request{action: actions.GetObject, key: k, method: http.MethodGet, header: map[string]string{"if-none-match": etag}})
	return body, h.Get("ETag"), err
}

// call sends r until it is answered, several times at most. Its error is an
// *object.Error.
func (s *Store) call(ctx context.Context, r request) (h http.Header, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	for range attempts {
		if h, body, err = s.send(ctx, r); object.CodeOf(err) != object.CodeUnavailable {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return h, body, err
}

// maxAnswer is more than a page of a listing has.
const maxAnswer = 16 << 20

func (s *Store) send(ctx context.Context, r request) (http.Header, []byte, error) {
	signed, err := s.sign(ctx, r, callTTL)
	if err != nil {
		return nil, nil, err
	}
	answer, text, err := s.do(ctx, r.method, signed.URL, signed.Header) //nolint:bodyclose // do has closed it
	if err != nil {
		return nil, nil, r.failed(object.CodeUnavailable, err)
	}
	if answer.StatusCode < http.StatusMultipleChoices {
		return answer.Header, text, nil
	}
	var told struct{ Code string }
	_ = xml.Unmarshal(text, &told) // an answer to HEAD has no body, that of a proxy no code
	return nil, nil, r.failed(r.codeOf(answer.StatusCode, told.Code), fmt.Errorf("S3 answers %s %s", answer.Status, told.Code))
}

// do sends a request to S3 or the instance metadata service and reads the answer.
func (s *Store) do(ctx context.Context, method, target string, h http.Header) (*http.Response, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, target, http.NoBody)
	if err != nil {
		return nil, nil, err
	}
	for name := range h {
		r.Header.Set(name, h.Get(name))
	}
	answer, err := s.client.Do(r)
	if transport := (*url.Error)(nil); errors.As(err, &transport) {
		err = transport.Err // whose text does not quote the URL with its signature
	}
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	return answer, text, err
}

// codeOf says what S3's status and code mean as an answer to r. To HEAD it tells no
// code; to others, whoever answers without one is not S3.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func (r request) codeOf(status int, code string) object.Code {
	switch {
	case status >= http.StatusInternalServerError || status == http.StatusTooManyRequests || code == "RequestTimeout":
		return object.CodeUnavailable
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return object.CodeDenied
	case code == "NoSuchKey", r.method == http.MethodHead && (status == http.StatusNotFound || status == http.StatusMethodNotAllowed): // of a deletion
		return object.CodeNotFound
	case status == http.StatusNotModified:
		return object.CodeNotModified
	case status == http.StatusBadRequest && (code == "InvalidArgument" || code == "KeyTooLongError" || code == "" && r.query["versionId"] != ""):
		return object.CodeInvalid
	}
	return object.CodeInternal // NoSuchBucket, another region: the API is set up wrongly
}

// failed is r's error of that code.
func (r request) failed(code object.Code, err error) error {
	return &object.Error{Code: code, Op: r.action, Key: r.key, Err: err, Message: map[object.Code]string{
		object.CodeUnavailable: "the storage does not answer: try again in a few seconds",
		object.CodeInvalid:     "the storage does not accept this name, version or cursor",
		object.CodeNotFound:    "there is no such file",
		object.CodeDenied:      "the storage refused this API's request: its operator finds the reason in the log",
		object.CodeInternal:    "the storage cannot be used as it is set up: its operator finds the reason in the log",
	}[code]}
}
