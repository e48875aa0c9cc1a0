package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"cloudstorage/app/object"
)

// report tells what was done: text, nothing with --quiet, or v with --json.
func (p program) report(o *options, text string, v any) error {
	switch {
	case o.json:
		return p.writeJSON(v)
	case o.quiet:
		return nil
	}
	return p.write(text)
}

// write writes text for people, of one or more lines.
func (p program) write(text string) error {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	_, err := fmt.Fprintln(p.stdout, strings.Join(lines, "\n"))
	return err
}

func (p program) writeJSON(v any) error {
	return encode(p.stdout, v)
}

// encode writes v as JSON on one line.
func encode(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

func parseKey(name string) (object.Key, error) {
	key, err := object.ParseKey(name)
	var invalid *object.Error
	switch {
	case name == "":
		return "", usagef("the file name is empty")
	case errors.As(err, &invalid):
		return "", usagef("%s", invalid.Message)
	}
	return key, err
}

// byteCount writes a size for people: 1.5 MiB.
func byteCount(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, prefix := float64(n)/unit, 0
	for ; value >= unit && prefix < 4; prefix++ {
		value /= unit
	}
	return fmt.Sprintf("%.1f %ciB", value, "KMGTP"[prefix])
}
