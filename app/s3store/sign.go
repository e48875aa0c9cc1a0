package s3store

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"cloudstorage/app/object"
	"cloudstorage/app/s3store/actions"
)

// maxTTL is what S3 accepts.
const maxTTL = 7 * 24 * time.Hour

// SignGet signs a download. It does not contact S3.
func (s *Store) SignGet(ctx context.Context, k object.Key, ttl time.Duration) (object.Signed, error) {
	return s.sign(ctx, actions.GetObject, http.MethodGet, k, ttl)
}

// SignPut signs an upload of any content. It does not contact S3.
func (s *Store) SignPut(ctx context.Context, k object.Key, ttl time.Duration) (object.Signed, error) {
	return s.sign(ctx, actions.PutObject, http.MethodPut, k, ttl)
}

// sign uses the SDK's signer without its presign client, which signs a checksum
// and other headers that a plain client does not send. s3sign is several times
// as fast, and too long for user-data.
func (s *Store) sign(ctx context.Context, action, method string, k object.Key, ttl time.Duration) (object.Signed, error) {
	creds, now, expires, err := s.Lease(ctx, action, k, ttl)
	if err != nil {
		return object.Signed{}, err
	}
	target := s.base
	target.Path = strings.TrimSuffix(s.base.Path, "/") + "/" + string(k)
	target.RawPath = strings.TrimSuffix(s.base.EscapedPath(), "/") + "/" + escape(string(k))
	target.RawQuery = "X-Amz-Expires=" + strconv.Itoa(int(ttl/time.Second))
	r := &http.Request{Method: method, URL: &target, Host: target.Host, Header: http.Header{}}
	signed, _, err := s.signer.PresignHTTP(ctx, creds, r, "UNSIGNED-PAYLOAD", "s3", s.region, now)
	if err != nil {
		return object.Signed{}, Failed(action, k, err)
	}
	return object.Signed{Method: method, URL: signed, Expires: expires}, nil
}

// Lease returns the credentials that are good now, and when what they sign now
// for ttl ends.
func (s *Store) Lease(ctx context.Context, action string, k object.Key, ttl time.Duration) (creds aws.Credentials, now, expires time.Time, err error) {
	if ttl < time.Second || ttl > maxTTL {
		return creds, now, expires, &object.Error{Code: object.CodeInvalid, Op: action, Key: k,
			Message: fmt.Sprintf("a URL cannot live %s: ask for 1s to %s", ttl, maxTTL)}
	}
	if creds, err = s.credentials.Retrieve(ctx); err != nil {
		return creds, now, expires, Failed(action, k, err)
	}
	now = s.now()
	expires = now.Add(ttl.Truncate(time.Second))
	if creds.CanExpire && creds.Expires.Before(expires) {
		expires = creds.Expires // S3 refuses the URL when its signer's session has ended
	}
	return creds, now, expires, nil
}

// escape is the URI encoding that Signature Version 4 prescribes: all but
// unreserved characters, and the slashes that separate segments.
func escape(key string) string {
	var b strings.Builder
	for i := range len(key) {
		c := key[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~/", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
