package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/object"
)

// RetryAfter is what a client is told to wait when S3 is away.
const RetryAfter = 5 * time.Second

// Header values that are never changed.
var (
	typeJSON   = []string{"application/json"}
	noStore    = []string{"no-store"}    // a signed URL is a secret
	noSniff    = []string{"nosniff"}     // a name may look like HTML
	noReferrer = []string{"no-referrer"} // this answer's own URL holds a name
)

// body is the shape of every answer. Content is a string or a list of them, and
// absent when nil; an empty list is not nil and stays.
type body struct {
	Status  int
	Message string
	Content any
}

// Answer writes a 200 answer.
func Answer(c echo.Context, message string, content any) error {
	return write(c, body{http.StatusOK, message, content})
}

func write(c echo.Context, b body) error {
	text := b.json()
	h := c.Response().Header() // written to as a map, whose values then need no memory
	h["Content-Type"], h["Cache-Control"], h["X-Content-Type-Options"], h["Referrer-Policy"] = typeJSON, noStore, noSniff, noReferrer
	h["Content-Length"] = []string{strconv.Itoa(len(text))} // net/http cannot know it for HEAD
	c.Response().WriteHeader(b.Status)
	_, err := c.Response().Write(text)
	return err
}

// json is encoding/json's text without HTML escapes, at a third of its time for
// names and URLs that need no escape, which most do.
func (b body) json() []byte {
	text := make([]byte, 0, 1024)
	text = append(text, `{"status":`...)
	text = strconv.AppendInt(text, int64(b.Status), 10)
	text = appendString(append(text, `,"message":`...), b.Message)
	switch content := b.Content.(type) {
	case string:
		text = appendString(append(text, `,"content":`...), content)
	case []string:
		text = append(text, `,"content":[`...)
		for i, s := range content {
			if i > 0 {
				text = append(text, ',')
			}
			text = appendString(text, s)
		}
		text = append(text, ']')
	}
	return append(text, "}\n"...)
}

func appendString(text []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c > '~' {
			var escaped bytes.Buffer
			encoder := json.NewEncoder(&escaped)
			encoder.SetEscapeHTML(false) // a name is written as its user means it
			_ = encoder.Encode(s)        // a string has a form
			return append(text, bytes.TrimSuffix(escaped.Bytes(), []byte("\n"))...)
		}
	}
	return append(append(append(text, '"'), s...), '"')
}

// Error is an error that knows its answer.
type Error struct {
	Status     int
	Message    string        // for whoever asked
	RetryAfter time.Duration // in whole seconds; 0 leaves it to the status
	Err        error         // for the log
}

func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Wait is what the client is told to wait, 0 where it is told nothing.
func (e *Error) Wait() time.Duration {
	if e.RetryAfter == 0 && e.Status == http.StatusServiceUnavailable {
		return RetryAfter
	}
	return e.RetryAfter
}

// answerError writes err in the shape of the area that was asked.
func (s *Server) answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	for _, area := range s.areas {
		if area.holds(c.Request().URL.Path) {
			area.Fail(err, c)
			return
		}
	}
	answerError(err, c)
}

// answerError writes err in the shape of every answer. What it does not know is
// a 500 that says nothing.
func answerError(err error, c echo.Context) {
	answer := Error{Status: http.StatusInternalServerError, Message: "internal error: the operator finds it in the log under this answer's X-Request-Id"}
	var known *Error
	var stored *object.Error
	var routed *echo.HTTPError
	switch {
	case errors.As(err, &known):
		answer = *known
	case errors.As(err, &stored):
		answer.Status, answer.Message = statusOf(stored.Code), stored.Message
	case errors.As(err, &routed) && routed.Code == http.StatusNotFound:
		answer.Status, answer.Message = routed.Code, "no such route"
	case errors.As(err, &routed) && routed.Code == http.StatusMethodNotAllowed:
		answer.Status, answer.Message = routed.Code, "method not allowed: use GET"
		c.Response().Header().Set("Allow", "GET, HEAD")
	}
	if wait := answer.Wait(); wait > 0 {
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)))
	}
	// A failing write means that the client is gone.
	_ = write(c, body{Status: answer.Status, Message: answer.Message})
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
