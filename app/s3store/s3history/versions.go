// Package s3history is the history.Store on an S3 bucket.
package s3history

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"cloudstorage/app/object"
	"cloudstorage/app/object/history"
	"cloudstorage/app/s3store"
	"cloudstorage/app/s3store/actions"
	"cloudstorage/app/s3store/internal/call"
)

// History works on what a store holds.
type History struct {
	Store     *s3store.Store
	patiently func(*s3.Options)
}

// New returns the history of what the store holds.
func New(s *s3store.Store) History { return History{s, call.Patiently()} }

var _ history.Store = History{}

// Versions lists the versions of exactly one key. S3 lists those of all keys
// that begin with it, but in their order, so that those of the key itself come
// first.
func (h History) Versions(ctx context.Context, k object.Key, o history.VersionsOptions) (history.Page, error) {
	ctx, cancel := context.WithTimeout(ctx, s3store.CallTimeout)
	defer cancel()
	in := &s3.ListObjectVersionsInput{
		Bucket: aws.String(h.Store.Bucket()), Prefix: aws.String(string(k)),
		EncodingType: types.EncodingTypeUrl, // as for a listing of objects
	}
	if o.Limit > 0 {
		in.MaxKeys = aws.Int32(int32(min(o.Limit, object.MaxPage)))
	}
	if o.Cursor != "" {
		in.KeyMarker, in.VersionIdMarker = aws.String(string(k)), aws.String(o.Cursor)
	}
	out, err := h.Store.Client().ListObjectVersions(ctx, in)
	if err != nil {
		return history.Page{}, call.Failed(actions.ListBucketVersions, k, err)
	}
	is := func(name *string) bool {
		listed := aws.ToString(name)
		if out.EncodingType == types.EncodingTypeUrl {
			decoded, failure := url.QueryUnescape(listed)
			if failure != nil {
				err = failure
			}
			listed = decoded
		}
		return listed == string(k)
	}
	var page history.Page
	for _, v := range out.Versions {
		if is(v.Key) {
			page.Items = append(page.Items, history.Version{Newest: aws.ToBool(v.IsLatest), Info: object.Info{
				Key: k, Size: aws.ToInt64(v.Size), ETag: aws.ToString(v.ETag), Modified: aws.ToTime(v.LastModified), Version: aws.ToString(v.VersionId),
			}})
		}
	}
	for _, m := range out.DeleteMarkers {
		if is(m.Key) {
			page.Items = append(page.Items, history.Version{Newest: aws.ToBool(m.IsLatest), Deleted: true, Info: object.Info{
				Key: k, Modified: aws.ToTime(m.LastModified), Version: aws.ToString(m.VersionId),
			}})
		}
	}
	// S3's list ends in another key where those of this one end.
	if aws.ToBool(out.IsTruncated) && is(out.NextKeyMarker) {
		page.Next = aws.ToString(out.NextVersionIdMarker)
	}
	if err != nil {
		return history.Page{}, call.Failed(actions.ListBucketVersions, k, fmt.Errorf("decode a listed key: %w", err))
	}
	slices.SortStableFunc(page.Items, newestFirst)
	return page, nil
}

// newestFirst puts together what the SDK took apart: versions and deletions,
// each in S3's order. S3 tells seconds.
func newestFirst(a, b history.Version) int {
	switch {
	case a.Newest:
		return -1
	case b.Newest:
		return 1
	}
	return b.Modified.Compare(a.Modified)
}
