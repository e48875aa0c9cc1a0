package s3lean

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"cloudstorage/app/object"
)

// request is what is sent to S3, or signed for others to send.
type request struct {
	action        string // that it needs
	key           object.Key
	method        string
	query, header map[string]string // of lower-case names; those without a value do not count
}

// sign presigns r by Signature Version 4, byte for byte as the SDK does.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
func (s *Store) sign(ctx context.Context, r request, ttl time.Duration) (object.Signed, error) {
	if ttl < time.Second || ttl > maxTTL {
		return object.Signed{}, &object.Error{Code: object.CodeInvalid, Op: r.action, Key: r.key, Message: fmt.Sprintf("a URL cannot live %s: ask for 1s to %s", ttl, maxTTL)}
	}
	c, err := s.lease(ctx)
	if err != nil {
		return object.Signed{}, r.failed(object.CodeUnavailable, err)
	}
	now := s.cfg.Now()
	signed := object.Signed{Method: r.method, Header: http.Header{}, Expires: now.Add(ttl.Truncate(time.Second))}
	if !c.Expiration.IsZero() && c.Expiration.Before(signed.Expires) {
		signed.Expires = c.Expiration // S3 refuses the URL when its signer's session has ended
	}
	fields := map[string]string{"host": s.base.Host}
	for name, value := range r.header {
		if value = strings.TrimSpace(value); value != "" {
			fields[name] = strings.Join(strings.Fields(value), " ")
			signed.Header.Set(name, value)
		}
	}
	names := slices.Sorted(maps.Keys(fields))
	date := now.UTC().Format("20060102T150405Z")
	scope := date[:8] + "/" + s.cfg.Region + "/s3/aws4_request"
	const algorithm = "AWS4-HMAC-SHA256"
	params := map[string]string{
		"X-Amz-Algorithm": algorithm, "X-Amz-Credential": c.ID + "/" + scope, "X-Amz-Date": date, "X-Amz-Security-Token": c.Token,
		"X-Amz-Expires": strconv.Itoa(int(ttl / time.Second)), "X-Amz-SignedHeaders": strings.Join(names, ";"),
	}
	maps.Copy(params, r.query)
	q := url.Values{}
	for name, value := range params {
		if value != "" {
			q.Set(name, value)
		}
	}
	query := escape.Replace(q.Encode())
	path := escape.Replace(slashes.Replace(url.QueryEscape(s.base.Path + "/" + string(r.key))))
	text := r.method + "\n" + path + "\n" + query + "\n"
	for _, name := range names {
		text += name + ":" + fields[name] + "\n"
	}
	sum := sha256.Sum256([]byte(text + "\n" + strings.Join(names, ";") + "\nUNSIGNED-PAYLOAD"))
	key := []byte("AWS4" + c.Secret)
	for _, part := range append(strings.Split(scope, "/"), algorithm+"\n"+date+"\n"+scope+"\n"+hex.EncodeToString(sum[:])) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	signed.URL = s.base.Scheme + "://" + s.base.Host + path + "?" + query + "&X-Amz-Signature=" + hex.EncodeToString(key)
	return signed, nil
}

// net/url escapes what S3 wants escaped, but for a space.
var (
	escape  = strings.NewReplacer("+", "%20")
	slashes = strings.NewReplacer("%2F", "/")
)

// credentials are who signs, until they expire; zero: they don't.
type credentials struct {
	ID         string `json:"AccessKeyId"`
	Secret     string `json:"SecretAccessKey"`
	Token      string
	Expiration time.Time
}

const (
	// refreshBefore is how long before their end a role's credentials are
	// renewed: longer than a URL lives, so that a URL rarely ends with them.
	refreshBefore = 15 * time.Minute
	// refreshPause is the least time between two renewals: EC2 may have
	// nothing newer until 5 minutes before the end.
	refreshPause    = time.Minute
	metadataTimeout = 5 * time.Second // of one renewal
)

// lease returns the credentials that are good now, renewed when they near their
// end. Only one caller renews; the others go on with the old ones while these are
// good, and so do all when the renewal fails.
func (s *Store) lease(ctx context.Context) (credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, old := s.cfg.Now(), s.creds
	good := old.ID != "" && (old.Expiration.IsZero() || now.Before(old.Expiration))
	if good && (old.Expiration.IsZero() || now.Before(s.renew)) {
		return old, nil
	}
	s.renew = now.Add(refreshPause)
	if good {
		s.mu.Unlock()
	}
	// The caller's leaving must not cost the others their renewal.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), metadataTimeout)
	defer cancel()
	fresh, err := s.role(ctx)
	if good {
		s.mu.Lock()
	}
	switch {
	case err == nil:
		s.creds = fresh
		if renew := fresh.Expiration.Add(-refreshBefore); renew.After(s.renew) {
			s.renew = renew
		}
		return fresh, nil
	case good:
		return old, nil
	}
	return old, err
}

// role asks the instance metadata service, version 2, for the role's credentials.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
func (s *Store) role(ctx context.Context) (c credentials, err error) {
	h := http.Header{"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": {"60"}}
	ask := func(method, path string) (text string) {
		if err != nil {
			return ""
		}
		answer, body, failure := s.do(ctx, method, cmp.Or(s.cfg.MetadataEndpoint, "http://169.254.169.254")+"/latest/"+path, h) //nolint:bodyclose // do has closed it
		if err = failure; err == nil && answer.StatusCode != http.StatusOK {
			err = fmt.Errorf("the instance metadata service answers %s to %s", answer.Status, path)
		}
		return string(body)
	}
	h = http.Header{"X-Aws-Ec2-Metadata-Token": {ask(http.MethodPut, "api/token")}}
	const path = "meta-data/iam/security-credentials/"
	text := ask(http.MethodGet, path+ask(http.MethodGet, path))
	if err == nil {
		err = json.Unmarshal([]byte(text), &c)
	}
	// What ended ones sign is refused by S3, and only whoever follows a URL would
	// learn it.
	if err == nil && (c.ID == "" || c.Secret == "" || !s.cfg.Now().Before(c.Expiration)) {
		err = errors.New("the role has no good credentials")
	}
	return c, err
}
