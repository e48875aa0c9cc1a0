package s3history

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"cloudstorage/app/object"
	"cloudstorage/app/object/history"
	"cloudstorage/app/object/upload"
	"cloudstorage/app/s3store"
	"cloudstorage/app/s3store/actions"
	"cloudstorage/app/s3store/internal/call"
)

const (
	// MaxCopy is the most that S3 copies in one call, in bytes.
	// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
	MaxCopy = 5 << 30
	// copyPart is how much of a larger object one call copies: S3 takes seconds
	// for it, and a failed one is soon repeated.
	copyPart = 512 << 20
	// copyAtOnce is how many parts are copied at the same time.
	copyAtOnce = 8
)

// Copy copies an object within the bucket. It has no time limit of its own: ctx
// ends it, and what was begun is dropped.
func (h History) Copy(ctx context.Context, from, to object.Key, o history.CopyOptions) (object.Info, error) {
	return h.copy(ctx, from, to, o, MaxCopy, copyPart)
}

// copy copies more than most bytes in parts of at least part bytes.
func (h History) copy(ctx context.Context, from, to object.Key, o history.CopyOptions, most, part int64) (object.Info, error) {
	if from == to && o.Version == "" {
		return object.Info{}, &object.Error{Code: object.CodeInvalid, Op: actions.PutObject, Key: to, Message: "a file cannot be copied to itself"}
	}
	short, cancel := context.WithTimeout(ctx, s3store.CallTimeout)
	defer cancel()
	source, err := h.Store.Client().HeadObject(short, &s3.HeadObjectInput{
		Bucket: aws.String(h.Store.Bucket()), Key: aws.String(string(from)), VersionId: call.Optional(o.Version), IfMatch: call.Optional(o.IfMatch),
	})
	if err != nil {
		return object.Info{}, call.Failed(h.readAction(o), from, err)
	}
	c := copying{History: h, source: source, to: to, o: o}
	c.from = h.Store.Bucket() + "/" + strings.ReplaceAll(url.PathEscape(string(from)), "+", "%2B")
	if o.Version != "" {
		c.from += "?versionId=" + url.QueryEscape(o.Version)
	}
	copied := object.Info{Key: to, Size: aws.ToInt64(source.ContentLength), Type: aws.ToString(source.ContentType)}
	if copied.Size > most {
		return c.inParts(ctx, copied, part)
	}
	return c.whole(ctx, copied)
}

func (h History) readAction(o history.CopyOptions) string {
	if o.Version == "" {
		return actions.GetObject
	}
	return actions.GetObjectVersion
}

// copying is one copy under way. The source must stay what it was when it was
// described.
type copying struct {
	History
	from   string // as S3 wants it
	source *s3.HeadObjectOutput
	to     object.Key
	o      history.CopyOptions
}

func (c copying) whole(ctx context.Context, copied object.Info) (object.Info, error) {
	ctx, cancel := context.WithTimeout(ctx, call.Timeout)
	defer cancel()
	out, err := c.Store.Client().CopyObject(ctx, &s3.CopyObjectInput{
		Bucket: aws.String(c.Store.Bucket()), Key: aws.String(string(c.to)), CopySource: aws.String(c.from),
		CopySourceIfMatch: c.source.ETag, IfNoneMatch: call.IfNew(c.o.IfNew),
		TaggingDirective: types.TaggingDirectiveReplace, // by none: copying tags needs two more rights
	}, c.patiently)
	if err != nil {
		return object.Info{}, call.Failed(actions.PutObject, c.to, err)
	}
	copied.ETag, copied.Modified = aws.ToString(out.CopyObjectResult.ETag), aws.ToTime(out.CopyObjectResult.LastModified)
	copied.Version = aws.ToString(out.VersionId)
	return copied, nil
}

// inParts copies part by part. Unlike a copy of the whole, it must name what the
// object is beside its bytes.
func (c copying) inParts(ctx context.Context, copied object.Info, size int64) (object.Info, error) {
	plan, err := upload.NewPlan(copied.Size, size)
	if err != nil {
		return object.Info{}, err
	}
	short, cancel := context.WithTimeout(ctx, s3store.CallTimeout)
	defer cancel()
	begun, err := c.Store.Client().CreateMultipartUpload(short, &s3.CreateMultipartUploadInput{
		Bucket: aws.String(c.Store.Bucket()), Key: aws.String(string(c.to)),
		ContentType: c.source.ContentType, ContentDisposition: c.source.ContentDisposition, ContentEncoding: c.source.ContentEncoding,
		ContentLanguage: c.source.ContentLanguage, CacheControl: c.source.CacheControl, Metadata: c.source.Metadata,
	})
	if err != nil {
		return object.Info{}, call.Failed(actions.PutObject, c.to, err)
	}
	done, err := c.parts(ctx, *begun.UploadId, plan)
	if err != nil {
		return object.Info{}, errors.Join(err, c.drop(ctx, begun.UploadId))
	}
	last, cancel := context.WithTimeout(ctx, call.Timeout)
	defer cancel()
	out, err := c.Store.Client().CompleteMultipartUpload(last, &s3.CompleteMultipartUploadInput{
		Bucket: aws.String(c.Store.Bucket()), Key: aws.String(string(c.to)), UploadId: begun.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: done}, IfNoneMatch: call.IfNew(c.o.IfNew),
	}, c.patiently)
	if err != nil {
		return object.Info{}, errors.Join(call.Failed(actions.PutObject, c.to, err), c.drop(ctx, begun.UploadId))
	}
	copied.ETag, copied.Version = aws.ToString(out.ETag), aws.ToString(out.VersionId)
	return copied, nil
}

// parts copies every part, several at the same time, until one fails.
func (c copying) parts(ctx context.Context, id string, plan upload.Plan) ([]types.CompletedPart, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	done := make([]types.CompletedPart, plan.Count)
	numbers := make(chan int)
	var workers sync.WaitGroup
	for range min(copyAtOnce, plan.Count) {
		workers.Go(func() {
			for number := range numbers {
				part, err := c.part(ctx, id, number, plan)
				if err != nil {
					stop(err)
					return
				}
				done[number-1] = part
			}
		})
	}
	for number := 1; number <= plan.Count && ctx.Err() == nil; number++ {
		select {
		case numbers <- number:
		case <-ctx.Done():
		}
	}
	close(numbers)
	workers.Wait()
	if err := context.Cause(ctx); err != nil {
		var known *object.Error
		if !errors.As(err, &known) { // the caller's own end
			err = call.Failed(actions.PutObject, c.to, err)
		}
		return nil, err
	}
	return done, nil
}

func (c copying) part(ctx context.Context, id string, number int, plan upload.Plan) (types.CompletedPart, error) {
	ctx, cancel := context.WithTimeout(ctx, call.Timeout)
	defer cancel()
	first, length := plan.Range(number)
	out, err := c.Store.Client().UploadPartCopy(ctx, &s3.UploadPartCopyInput{
		Bucket: aws.String(c.Store.Bucket()), Key: aws.String(string(c.to)), UploadId: aws.String(id), PartNumber: aws.Int32(int32(number)),
		CopySource: aws.String(c.from), CopySourceRange: aws.String(fmt.Sprintf("bytes=%d-%d", first, first+length-1)), CopySourceIfMatch: c.source.ETag,
	}, c.patiently)
	if err != nil {
		return types.CompletedPart{}, call.Failed(actions.PutObject, c.to, err)
	}
	return types.CompletedPart{ETag: out.CopyPartResult.ETag, PartNumber: aws.Int32(int32(number))}, nil
}

// drop frees what an upload that failed takes up, even where its caller has
// gone.
func (c copying) drop(ctx context.Context, id *string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s3store.CallTimeout)
	defer cancel()
	_, err := c.Store.Client().AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: aws.String(c.Store.Bucket()), Key: aws.String(string(c.to)), UploadId: id})
	if err != nil {
		return call.Failed(actions.AbortMultipartUpload, c.to, err)
	}
	return nil
}
