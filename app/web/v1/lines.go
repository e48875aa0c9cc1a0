package v1

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
)

// linesType is the media type of JSON values, each on its line.
const linesType = "application/x-ndjson"

// answerLines answers with a line of JSON for each of values.
func answerLines[T any](c *call, values []T) error {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	for _, v := range values {
		if err := encoder.Encode(v); err != nil {
			return err
		}
	}
	c.private()
	c.w.Header().Set("Content-Type", linesType)
	c.w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	c.w.WriteHeader(http.StatusOK)
	_, err := c.w.Write(body.Bytes())
	return err
}
