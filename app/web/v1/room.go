package v1

import (
	"net/http"
	"time"

	"cloudstorage/app/web"
)

// smallJSON is what a request's JSON may have without asking for room: all but
// the batches is far below it.
const smallJSON = 64 << 10

// largeAtOnce requests with more are read at once: each may take three times
// maxJSON until it is decoded, on a machine of 1 GiB.
const largeAtOnce = 8

// enter waits for nobody: it gives a request with large JSON a place, until leave
// is called, or says that there is none.
func (a *API) enter(r *http.Request) (leave func(), err error) {
	if r.ContentLength >= 0 && r.ContentLength <= smallJSON {
		return func() {}, nil
	}
	select {
	case a.large <- struct{}{}:
		return func() { <-a.large }, nil
	default:
		return nil, &web.Error{Status: http.StatusServiceUnavailable, RetryAfter: time.Second,
			Message: "the server reads as many large requests as it can: try again in a second"}
	}
}
