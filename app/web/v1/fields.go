package v1

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime"
	"strings"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/web/problem"
)

// named returns the key that a field of the request's JSON holds, if the caller
// may do all of verbs to it.
func (c *call) named(field, name string, verbs ...auth.Verb) (object.Key, error) {
	if name == "" {
		return "", wrong(field, "it is missing: name a file")
	}
	k, err := object.ParseKey(name)
	if err != nil {
		d, _ := problem.Of(err)
		return "", wrong(field, d.Detail)
	}
	for _, v := range verbs {
		if err := c.caller.May(v, name); err != nil {
			return "", err
		}
	}
	return k, nil
}

// mediaType checks a field that becomes a Content-Type.
func mediaType(field, value string) error {
	media, _, err := mime.ParseMediaType(value)
	if value != "" && (err != nil || !strings.Contains(media, "/") || !printable(value)) {
		return wrong(field, fmt.Sprintf("%q is no media type, as text/plain is one", value))
	}
	return nil
}

// entityTag checks a field that holds one ETag.
func entityTag(field, value string) error {
	if value != "" && (len(value) < 3 || value[0] != '"' || value[len(value)-1] != '"' || !printable(value) || strings.Contains(value, " ")) {
		return wrong(field, "give the etag as it was answered, with its quotes")
	}
	return nil
}

// printable says whether value can be sent as a header field.
func printable(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' })
}

// parseDigest reads a field that holds a SHA-256 as lower-case hex; "" is none.
func parseDigest(field, value string) (file.SHA256, error) {
	if value == "" {
		return nil, nil
	}
	raw, err := hex.DecodeString(value)
	if err != nil || len(raw) != sha256.Size || strings.ToLower(value) != value {
		return nil, wrong(field, fmt.Sprintf("a SHA-256 is %d lower-case hexadecimal digits", 2*sha256.Size))
	}
	return file.SHA256((*[sha256.Size]byte)(raw)), nil
}

// formatDigest is what parseDigest reads.
func formatDigest(d file.SHA256) string {
	if d == nil {
		return ""
	}
	return hex.EncodeToString(d[:])
}

// wrong names the field that is to blame.
func wrong(field, why string) error {
	return problem.New(problem.InvalidRequest, field+": "+why)
}
