package web

import (
	"net/http"
	"strings"

	"cloudstorage/app/object"
)

// Key returns the key that follows prefix in the request's path. net/url has
// decoded the path exactly once; echo's own parameter is decoded for some paths
// and not for others.
func Key(r *http.Request, prefix string) (object.Key, error) {
	return object.ParseKey(strings.TrimPrefix(r.URL.Path, prefix))
}
