package s3store

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

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
// and other headers that a plain client does not send.
func (s *Store) sign(ctx context.Context, action, method string, k object.Key, ttl time.Duration) (object.Signed, error) {
	if ttl < time.Second || ttl > maxTTL {
		return object.Signed{}, &object.Error{Code: object.CodeInvalid, Op: action, Key: k,
			Message: fmt.Sprintf("a URL cannot live %s: ask for 1s to %s", ttl, maxTTL)}
	}
	creds, err := s.credentials.Retrieve(ctx)
	if err != nil {
		return object.Signed{}, failed(action, k, err)
	}
	target := s.base
	target.Path = strings.TrimSuffix(s.base.Path, "/") + "/" + string(k)
	target.RawPath = strings.TrimSuffix(s.base.EscapedPath(), "/") + "/" + escape(string(k))
	target.RawQuery = "X-Amz-Expires=" + strconv.Itoa(int(ttl/time.Second))
	r := &http.Request{Method: method, URL: &target, Host: target.Host, Header: http.Header{}}

	now := s.now()
	signed, header, err := s.signer.PresignHTTP(ctx, creds, r, "UNSIGNED-PAYLOAD", "s3", s.region, now)
	if err != nil {
		return object.Signed{}, failed(action, k, err)
	}
	header.Del("Host") // every client sends it by itself
	expires := now.Add(ttl.Truncate(time.Second))
	if creds.CanExpire && creds.Expires.Before(expires) {
		expires = creds.Expires // S3 refuses the URL when its signer's session has ended
	}
	return object.Signed{Method: method, URL: signed, Header: header, Expires: expires}, nil
}

// escape is the URI encoding that Signature Version 4 prescribes: all but
// unreserved characters, and the slashes that separate segments.
func escape(key string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(key) {
		c := key[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~/", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}
