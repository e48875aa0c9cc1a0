// Package call is what the packages beside it share when they call S3, and the
// exercise's server does without.
package call

import (
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/s3store"
)

// Timeout is for what S3 works on while the caller waits: copying 5 GiB, putting
// 10,000 parts together.
const Timeout = 5 * time.Minute

// Patiently returns an option that lets a call wait for S3's work. It has
// connections of its own, so whoever makes calls keeps it.
func Patiently() func(*s3.Options) {
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.ResponseHeaderTimeout = Timeout
	})
	return func(o *s3.Options) { o.HTTPClient = client }
}

// refusals are the answers of S3 that tell the caller something, by S3's code.
// An answer to HEAD has no body, so its code is the status.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
var refusals = map[string]struct {
	code    object.Code
	message string
}{
	"NotFound":      {object.CodeNotFound, "there is no such file"},
	"NoSuchVersion": {object.CodeNotFound, "there is no such version of the file"},
	"NoSuchUpload":  {object.CodeNotFound, "there is no such upload: it was completed, aborted or never begun"},
	// Of a version that is a deletion.
	"MethodNotAllowed": {object.CodeNotFound, "this version is a deletion: it has no content"},

	"NotModified":                {object.CodeNotModified, "the file has not changed"},
	"PreconditionFailed":         {object.CodePrecondition, "the file is not as the request's condition says"},
	"ConditionalRequestConflict": {object.CodeConflict, "the file was written by somebody else at the same time: try again"},
	"OperationAborted":           {object.CodeConflict, "the file was written by somebody else at the same time: try again"},

	"InvalidRange":                 {object.CodeUnsatisfiable, "the range lies behind the end of the file"},
	"RequestedRangeNotSatisfiable": {object.CodeUnsatisfiable, "the range lies behind the end of the file"},

	"EntityTooLarge":     {object.CodeTooLarge, "the content is larger than the storage takes at once: upload it in parts"},
	"BadDigest":          {object.CodeInvalid, "the content does not match its SHA-256"},
	"InvalidDigest":      {object.CodeInvalid, "the content does not match its SHA-256"},
	"EntityTooSmall":     {object.CodeInvalid, "a part is too small: every part but the last needs 5 MiB"},
	"InvalidPart":        {object.CodeInvalid, "a part has not arrived, or has another ETag or SHA-256"},
	"InvalidPartOrder":   {object.CodeInvalid, "the parts are not in the order of their numbers"},
	"InvalidRequest":     {object.CodeInvalid, "the storage does not take this request"},
	"InvalidArgument":    {object.CodeInvalid, "the storage does not take this request"},
	"KeyTooLongError":    {object.CodeInvalid, "the storage does not take so long a name"},
	"MalformedXML":       {object.CodeInvalid, "the storage does not take this request"},
	"IncompleteBody":     {object.CodeInvalid, "the content ended before its size"},
	"BadRequest":         {object.CodeInvalid, "the storage does not take this request"},
	"InvalidVersionId":   {object.CodeInvalid, "this is no version id"},
	"NoSuchVersionId":    {object.CodeNotFound, "there is no such version of the file"},
	"InvalidObjectState": {object.CodeInvalid, "the file is archived: restore it in S3 before it can be read"},
}

// Failed maps a failure of the SDK, as s3store.Failed does, and knows more.
func Failed(action string, k object.Key, err error) error {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		if refusal, known := Refusal(answer.ErrorCode()); known {
			return &object.Error{Code: refusal.Code, Op: action, Key: k, Message: refusal.Message, Err: answer}
		}
	}
	return s3store.Failed(action, k, err)
}

// Refusal explains S3's code; known says whether it tells the caller something.
func Refusal(code string) (e object.Error, known bool) {
	refusal, known := refusals[code]
	return object.Error{Code: refusal.code, Message: refusal.message}, known
}

// Optional is nil for "".
func Optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// IfNew is the If-None-Match that refuses to overwrite, where new says so.
func IfNew(isNew bool) *string {
	if !isNew {
		return nil
	}
	return Optional("*")
}

// Digest is a SHA-256 as S3 writes it, nil for none.
func Digest(d file.SHA256) *string {
	if d == nil {
		return nil
	}
	s := base64.StdEncoding.EncodeToString(d[:])
	return &s
}

// ParseDigest reads what Digest writes; nil is what it does not.
func ParseDigest(s *string) file.SHA256 {
	if s == nil {
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(*s)
	if err != nil || len(raw) != 32 {
		return nil
	}
	return file.SHA256((*[32]byte)(raw))
}
