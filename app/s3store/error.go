package s3store

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/aws/smithy-go"

	"cloudstorage/app/object"
)

// Failed maps a failure of the SDK. What is no answer of S3 means that S3, or
// the service that gives us credentials, could not be asked.
func Failed(action string, k object.Key, err error) error {
	e := &object.Error{Code: object.CodeUnavailable, Op: action, Key: k,
		Message: "the storage does not answer: try again in a few seconds", Err: err}

	// The transport's error quotes the URL with its query, which no log needs.
	var transport *url.Error
	if errors.As(err, &transport) {
		e.Err = transport.Err
	}
	var answer smithy.APIError
	var response interface{ HTTPStatusCode() int }
	if !errors.As(err, &answer) || !errors.As(err, &response) {
		return e
	}
	e.Err = answer
	switch status := response.HTTPStatusCode(); {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		e.Code, e.Message = object.CodeDenied, "the storage refused this API's request: its operator finds the reason in the log"
	case status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || answer.ErrorCode() == "RequestTimeout":
	case status == http.StatusBadRequest && (answer.ErrorCode() == "InvalidArgument" || answer.ErrorCode() == "KeyTooLongError"):
		e.Code, e.Message = object.CodeInvalid, "the storage does not accept this name or cursor"
	case answer.ErrorCode() == "NoSuchKey":
		e.Code, e.Message = object.CodeNotFound, "there is no such file"
	default: // NoSuchBucket, a redirect to another region: the API is set up wrongly
		e.Code, e.Message = object.CodeInternal, "the storage cannot be used as it is set up: its operator finds the reason in the log"
	}
	return e
}
