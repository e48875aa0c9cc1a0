package s3store

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"cloudstorage/app/object"
	"cloudstorage/app/s3store/actions"
	"cloudstorage/app/sigv4"
)

// maxTTL is what S3 accepts.
const maxTTL = 7 * 24 * time.Hour

// SignGet signs a download. It does not contact S3.
func (s *Store) SignGet(ctx context.Context, k object.Key, ttl time.Duration) (object.Signed, error) {
	return s.Presign(ctx, actions.GetObject, k, ttl, sigv4.Request{Method: http.MethodGet})
}

// SignPut signs an upload of any content. It does not contact S3.
func (s *Store) SignPut(ctx context.Context, k object.Key, ttl time.Duration) (object.Signed, error) {
	return s.Presign(ctx, actions.PutObject, k, ttl, sigv4.Request{Method: http.MethodPut})
}

// Presign signs r for an object; r's path and times are its own to fill in.
func (s *Store) Presign(ctx context.Context, action string, k object.Key, ttl time.Duration, r sigv4.Request) (object.Signed, error) {
	signer, now, expires, err := s.Signer(ctx, action, k, ttl)
	if err != nil {
		return object.Signed{}, err
	}
	r.Path, r.Time, r.Expires = "/"+string(k), now, ttl
	signed := object.Signed{Method: r.Method, URL: signer.Presign(r), Expires: expires}
	for _, field := range r.Header {
		if signed.Header == nil {
			signed.Header = http.Header{}
		}
		signed.Header.Set(field.Name, field.Value)
	}
	return signed, nil
}

// Signer returns the signer of the credentials that are good now, and when what
// it signs now for ttl ends.
func (s *Store) Signer(ctx context.Context, action string, k object.Key, ttl time.Duration) (signer *sigv4.Signer, now, expires time.Time, err error) {
	if ttl < time.Second || ttl > maxTTL {
		return nil, now, expires, &object.Error{Code: object.CodeInvalid, Op: action, Key: k,
			Message: fmt.Sprintf("a URL cannot live %s: ask for 1s to %s", ttl, maxTTL)}
	}
	creds, err := s.credentials.Retrieve(ctx)
	if err != nil {
		return nil, now, expires, Failed(action, k, err)
	}
	c := sigv4.Credentials{AccessKeyID: creds.AccessKeyID, SecretAccessKey: creds.SecretAccessKey, SessionToken: creds.SessionToken}
	if signer = s.signer.Load(); signer == nil || signer.Credentials() != c {
		signer = sigv4.New(c, s.region, s.base)
		s.signer.Store(signer)
	}
	now = s.now()
	expires = now.Add(ttl.Truncate(time.Second))
	if creds.CanExpire && creds.Expires.Before(expires) {
		expires = creds.Expires // S3 refuses the URL when its signer's session has ended
	}
	return signer, now, expires, nil
}
