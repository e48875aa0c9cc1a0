package s3history

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"cloudstorage/app/object"
	"cloudstorage/app/object/history"
	"cloudstorage/app/s3store"
	"cloudstorage/app/s3store/actions"
	"cloudstorage/app/s3store/internal/call"
)

// DeleteMany deletes up to a page of objects in one call.
func (h History) DeleteMany(ctx context.Context, keys []object.Key) ([]history.Deletion, error) {
	if len(keys) > object.MaxPage {
		return nil, &object.Error{Code: object.CodeInvalid, Op: actions.DeleteObject,
			Message: fmt.Sprintf("%d files are too many to delete at once: name at most %d", len(keys), object.MaxPage)}
	}
	deletions := make([]history.Deletion, len(keys))
	at := map[string][]int{} // a key may come twice
	var batch []types.ObjectIdentifier
	for i, k := range keys {
		deletions[i].Key = k
		switch {
		case strings.ContainsAny(string(k), "\uFFFE\uFFFF"):
			// XML cannot carry these: the SDK would name another key.
			deletions[i].Marker, deletions[i].Err = h.Store.Delete(ctx, k)
			continue
		case at[string(k)] == nil:
			batch = append(batch, types.ObjectIdentifier{Key: aws.String(string(k))})
		}
		at[string(k)] = append(at[string(k)], i)
	}
	if len(batch) == 0 {
		return deletions, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s3store.CallTimeout)
	defer cancel()
	out, err := h.Store.Client().DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: aws.String(h.Store.Bucket()), Delete: &types.Delete{Objects: batch}})
	if err != nil {
		return nil, call.Failed(actions.DeleteObject, "", err)
	}
	for _, deleted := range out.Deleted {
		for _, i := range at[aws.ToString(deleted.Key)] {
			deletions[i].Marker = aws.ToString(deleted.DeleteMarkerVersionId)
		}
		delete(at, aws.ToString(deleted.Key))
	}
	for _, failure := range out.Errors {
		for _, i := range at[aws.ToString(failure.Key)] {
			deletions[i].Err = refused(keys[i], aws.ToString(failure.Code), aws.ToString(failure.Message))
		}
		delete(at, aws.ToString(failure.Key))
	}
	for _, unanswered := range at {
		for _, i := range unanswered {
			deletions[i].Err = refused(keys[i], "InternalError", "S3 did not say what became of it")
		}
	}
	return deletions, nil
}

// refused explains why one of many was not deleted; it is nil where there was
// nothing to delete.
func refused(k object.Key, code, message string) error {
	if code == "NoSuchKey" {
		return nil
	}
	e := object.Error{Code: object.CodeUnavailable, Message: "the storage did not delete it: try again"}
	if code == "AccessDenied" {
		e.Code, e.Message = object.CodeDenied, "the storage refused this API's request: its operator finds the reason in the log"
	} else if refusal, known := call.Refusal(code); known {
		e = refusal
	}
	e.Op, e.Key, e.Err = actions.DeleteObject, k, errors.New(code+": "+message)
	return &e
}
