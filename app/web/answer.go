package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/object"
)

// retryAfter is what a client is told to wait, in seconds, when S3 is away.
const retryAfter = "5"

// body is the shape of every answer. Content is absent when nil; an empty list
// is not nil and stays.
type body struct {
	Status  int    `json:"status"`
	Message string `json:"message"`
	Content any    `json:"content,omitempty"`
}

// Answer writes a 200 answer.
func Answer(c echo.Context, message string, content any) error {
	return write(c, body{http.StatusOK, message, content})
}

func write(c echo.Context, b body) error {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false) // a name is written as its user means it
	if err := encoder.Encode(b); err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(buf.Len())) // net/http cannot know it for HEAD
	h.Set("Cache-Control", "no-store")               // a signed URL is a secret
	h.Set("X-Content-Type-Options", "nosniff")       // a name may look like HTML
	c.Response().WriteHeader(b.Status)
	_, err := c.Response().Write(buf.Bytes())
	return err
}

// httpError is an error that knows its answer.
type httpError struct {
	status  int
	message string
	err     error // for the log
}

func (e *httpError) Error() string {
	if e.err == nil {
		return e.message
	}
	return e.message + ": " + e.err.Error()
}

func (e *httpError) Unwrap() error { return e.err }

// answerError writes err in the shape of every answer. What it does not know is
// a 500 that says nothing.
func answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	status, message := http.StatusInternalServerError, "internal error: the operator finds it in the log under this answer's X-Request-Id"
	var known *httpError
	var stored *object.Error
	var routed *echo.HTTPError
	switch {
	case errors.As(err, &known):
		status, message = known.status, known.message
	case errors.As(err, &stored):
		status, message = statusOf(stored.Code), stored.Message
	case errors.As(err, &routed) && routed.Code == http.StatusNotFound:
		status, message = routed.Code, "no such route"
	case errors.As(err, &routed) && routed.Code == http.StatusMethodNotAllowed:
		status, message = routed.Code, "method not allowed: use GET"
		c.Response().Header().Set("Allow", "GET, HEAD")
	}
	if status == http.StatusServiceUnavailable {
		c.Response().Header().Set("Retry-After", retryAfter)
	}
	// A failing write means that the client is gone.
	_ = write(c, body{Status: status, Message: message})
}

func statusOf(code object.Code) int {
	switch code {
	case object.CodeInvalid:
		return http.StatusBadRequest
	case object.CodeNotFound:
		return http.StatusNotFound
	case object.CodeDenied: // our credentials, not the caller's
		return http.StatusBadGateway
	case object.CodeUnavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}
