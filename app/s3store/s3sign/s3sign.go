// Package s3sign signs for a store with a signer that prepares what does not
// change, and signs more than whole downloads and uploads.
package s3sign

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"cloudstorage/app/object"
	"cloudstorage/app/s3store"
	"cloudstorage/app/s3store/actions"
	"cloudstorage/app/sigv4"
)

// Store is a store whose URLs are signed here.
type Store struct {
	*s3store.Store
	signer atomic.Pointer[sigv4.Signer] // of the credentials that were the last
}

var _ object.Store = (*Store)(nil)

// New returns s with another signer; every URL is the same.
func New(s *s3store.Store) *Store { return &Store{Store: s} }

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
	creds, now, expires, err := s.Lease(ctx, action, k, ttl)
	if err != nil {
		return nil, now, expires, err
	}
	c := sigv4.Credentials{AccessKeyID: creds.AccessKeyID, SecretAccessKey: creds.SecretAccessKey, SessionToken: creds.SessionToken}
	if signer = s.signer.Load(); signer == nil || signer.Credentials() != c {
		signer = sigv4.New(c, s.Region(), s.URL())
		s.signer.Store(signer)
	}
	return signer, now, expires, nil
}
