package v1

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/web/audit"
	"cloudstorage/app/web/problem"
)

const requestIDHeader = "X-Request-Id"

// call is one request to an operation.
type call struct {
	api    *API
	w      http.ResponseWriter
	r      *http.Request
	op     operation
	rest   string // what stands for the braces of the operation's path
	query  query
	caller auth.Caller
	now    time.Time
}

// key returns the key in the path, if the caller may do v to it. Who may not is
// told so whether or not the file is there.
func (c *call) key(v auth.Verb) (object.Key, error) {
	k, err := object.ParseKey(c.rest)
	if err != nil {
		return "", err
	}
	return k, c.caller.May(v, string(k))
}

// ttl is how long a URL shall live; asked is in seconds, 0 where nobody asked.
func (c *call) ttl(asked int64) (time.Duration, error) {
	if asked == 0 {
		return c.api.TTL, nil
	}
	limit := int64(c.api.MaxTTL / time.Second)
	if asked < 1 || asked > limit {
		return 0, problem.New(problem.InvalidRequest, fmt.Sprintf("expires_in is %d: ask for 1 to %d seconds; share links (/v1/links) live longer", asked, limit))
	}
	return time.Duration(asked) * time.Second, nil
}

// answer answers with JSON. It may hold a URL that is as good as a key, so
// nobody keeps it.
func (c *call) answer(status int, v any) error {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // a name is written as its user means it
	if err := encoder.Encode(v); err != nil {
		return err
	}
	c.private()
	h := c.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	c.w.WriteHeader(status)
	_, err := c.w.Write(body.Bytes())
	return err
}

// private keeps the answer, and the URLs in it, from caches and from the pages
// that are visited next.
func (c *call) private() {
	h := c.w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
}

// empty answers without a body.
func (c *call) empty(status int) error {
	c.private()
	c.w.WriteHeader(status)
	return nil
}

// lasting is for what changes something. The store may finish what it has begun,
// whoever waits for it, and then it must be in the audit; and a large copy takes
// longer than a balancer waits.
func (c *call) lasting() context.Context { return context.WithoutCancel(c.r.Context()) }

// audit writes that something was changed: who, what, to which version of which
// file, in which request.
func (c *call) audit(did string, k object.Key, version string, more ...slog.Attr) {
	audit.Write(c.r.Context(), c.api.Audit, audit.Change{
		Who: c.caller.ID, Did: did, Key: k, Version: version, RequestID: c.w.Header().Get(requestIDHeader),
	}, more...)
}
