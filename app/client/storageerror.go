package client

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"cloudstorage/app/object"
)

// s3Error is what S3 says about a refusal. The rest of its XML repeats the
// signature, so it is not even parsed.
type s3Error struct {
	XMLName xml.Name `xml:"Error"`
	Code    string
	Message string
}

// storageError explains an answer of the storage other than success.
func (c *Client) storageError(res *http.Response, u *url.URL, doing string, key object.Key) *Error {
	e := &Error{Peer: Storage, Status: res.StatusCode, Code: codeOf(res.StatusCode), wait: c.retryAfter(res.Header)}
	var said s3Error
	if err := xml.NewDecoder(io.LimitReader(res.Body, maxErrorBody)).Decode(&said); err != nil {
		said = s3Error{}
	}
	code, message := clean(said.Code, u), clean(said.Message, u)
	e.again = passing(res.StatusCode, code)
	switch {
	case doing == "download" && res.StatusCode == http.StatusNotFound && (code == "" || code == "NoSuchKey"):
		e.Message = fmt.Sprintf("there is no such file '%s' in the bucket", key)
		return e
	case res.StatusCode >= 300 && res.StatusCode < 400:
		e.Code = object.CodeInternal
		e.Message = fmt.Sprintf("cannot %s '%s': the storage redirects to another address, so the API is set to the wrong region or endpoint", doing, key)
		return e
	}
	e.Message = fmt.Sprintf("cannot %s '%s': the storage answered %d %s", doing, key, res.StatusCode, http.StatusText(res.StatusCode))
	if code != "" {
		e.Message = fmt.Sprintf("cannot %s '%s': the storage answered %d %s", doing, key, res.StatusCode, code)
	}
	if message != "" {
		e.Message += ": " + message
	}
	return e
}

// passing says whether the storage may answer otherwise later.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func passing(status int, code string) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusRequestTimeout,
		http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	// A body that came too slowly, and somebody else who writes the same name.
	return code == "RequestTimeout" || code == "OperationAborted" || code == "ConditionalRequestConflict"
}
