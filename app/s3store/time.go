package s3store

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Time returns what asks S3 for its time. It asks as nobody and for no bucket, so
// it needs no credentials and no bucket's log or metrics show it: S3 refuses such
// a request, and tells the time.
func Time(ctx context.Context, cfg Config) (func(context.Context) (time.Time, error), error) {
	cfg.Bucket = ""
	base, err := endpoint(ctx, cfg)
	if err != nil {
		return nil, err
	}
	client := &http.Client{
		Transport: &http.Transport{
			DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
			Proxy:                 http.ProxyFromEnvironment,
			ResponseHeaderTimeout: headerTimeout,
			DisableKeepAlives:     true, // it is asked every few minutes
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return func(ctx context.Context) (time.Time, error) {
		told, err := timeOf(ctx, client, base)
		if err != nil {
			return time.Time{}, fmt.Errorf("ask %s for its time: %w", base.Host, err)
		}
		return told, nil
	}, nil
}

func timeOf(ctx context.Context, client *http.Client, base url.URL) (time.Time, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodHead, base.String(), nil)
	if err != nil {
		return time.Time{}, err
	}
	answer, err := client.Do(r)
	if err != nil {
		return time.Time{}, err
	}
	_ = answer.Body.Close() // it has none
	return http.ParseTime(answer.Header.Get("Date"))
}
