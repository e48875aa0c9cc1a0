package v1

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"cloudstorage/app/web/problem"
)

// maxJSON bounds a request's JSON: a thousand keys of 1,024 bytes, each byte
// escaped as six, and what stands around them.
const maxJSON = 8 << 20

// decode reads the request's JSON into v, a pointer to a struct. A field that v
// does not have is refused: a mistyped name must not be a request for something
// else.
func (c *call) decode(v any) error {
	if media, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return problem.New(problem.UnsupportedMediaType, fmt.Sprintf("the body's type is %q: send 'Content-Type: application/json'", c.r.Header.Get("Content-Type")))
	}
	leave, err := c.api.enter(c.r)
	if err != nil {
		return err
	}
	defer leave()
	err = unmarshal(http.MaxBytesReader(c.w, c.r.Body, maxJSON), v)
	if err == nil {
		return nil
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return problem.New(problem.BodyTooLarge, fmt.Sprintf("the JSON has more than %d bytes: make several requests", maxJSON))
	}
	return &problem.Error{Kind: problem.InvalidRequest, Detail: "the JSON cannot be read: " + explain(err), Err: err}
}

// unmarshal reads one value, and nothing else.
func unmarshal(body io.Reader, v any) error {
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	if err := sound(text); err != nil {
		return err
	}
	if values(text) > maxValues {
		return fmt.Errorf("it has more than %d values: make several requests", maxValues)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more than one value")
	}
	return nil
}

// explain tells what is wrong with JSON in the terms of who wrote it.
func explain(err error) string {
	var wrong *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &wrong) && wrong.Field != "":
		return fmt.Sprintf("%s is a %s", wrong.Field, wrong.Value)
	case errors.As(err, &syntax):
		return fmt.Sprintf("%s at byte %d", syntax.Error(), syntax.Offset)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends early"
	}
	return err.Error()
}
