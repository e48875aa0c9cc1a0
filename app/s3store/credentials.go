package s3store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

const (
	// refreshBefore is how long before their end a role's credentials are
	// renewed: longer than a URL lives, so that a URL rarely ends with them.
	refreshBefore = 15 * time.Minute
	// refreshPause is the least time between two renewals: EC2 may have
	// nothing newer until 5 minutes before the end.
	refreshPause = time.Minute
	// metadataTimeout bounds one renewal.
	metadataTimeout = 5 * time.Second
)

func newCredentials(cfg Config) (aws.CredentialsProvider, error) {
	switch {
	case cfg.AccessKeyID != "" && cfg.SecretAccessKey != "":
		return credentials.NewStaticCredentialsProvider(cfg.AccessKeyID, cfg.SecretAccessKey, cfg.SessionToken), nil
	case cfg.AccessKeyID != "" || cfg.SecretAccessKey != "":
		return nil, errors.New("half of the AWS credentials: set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither to use the instance's role")
	}
	client := imds.New(imds.Options{Endpoint: cfg.MetadataEndpoint, EnableFallback: aws.FalseTernary})
	return &role{
		source: ec2rolecreds.New(func(o *ec2rolecreds.Options) { o.Client = client }),
		now:    cfg.Now,
	}, nil
}

// role caches the credentials of the instance's role. The SDK's own cache gives
// out credentials up to their last second, or asks on every call once they are
// within its window.
type role struct {
	source aws.CredentialsProvider
	now    func() time.Time

	mu    sync.Mutex
	creds aws.Credentials
	renew time.Time
}

// Retrieve returns the cached credentials, renewed when they near their end.
// Only one caller renews; the others go on with the old ones while these are
// good, and so do all when the renewal fails.
func (r *role) Retrieve(ctx context.Context) (aws.Credentials, error) {
	r.mu.Lock()
	now := r.now()
	old, good := r.creds, now.Before(r.creds.Expires)
	if good && now.Before(r.renew) {
		r.mu.Unlock()
		return old, nil
	}
	if good {
		r.renew = now.Add(refreshPause)
		r.mu.Unlock()
	} else {
		defer r.mu.Unlock()
	}

	// The caller's leaving must not cost the others their renewal.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), metadataTimeout)
	defer cancel()
	fresh, err := r.source.Retrieve(ctx)
	if err == nil && !now.Before(fresh.Expires) {
		// What they sign is refused by S3, and only whoever follows a URL would learn it.
		err = fmt.Errorf("the role's credentials ended at %s and the metadata service has no newer ones", fresh.Expires.UTC().Format(time.RFC3339))
	}
	if err != nil && good {
		return old, nil
	}
	if err != nil {
		return aws.Credentials{}, err
	}

	if good {
		r.mu.Lock()
		defer r.mu.Unlock()
	}
	r.creds, r.renew = fresh, fresh.Expires.Add(-refreshBefore)
	if soonest := now.Add(refreshPause); r.renew.Before(soonest) {
		r.renew = soonest
	}
	return fresh, nil
}
