package v1

import "net/http"

// DocumentedOperation is where the document describes a request.
type DocumentedOperation struct {
	Path, Method string            // as the document has them
	Parameters   map[string]string // of the request's path
}

// Documented finds a request in the document by the paths of the table, since
// no path of OpenAPI takes slashes in a parameter.
func Documented(method, path string) (d DocumentedOperation, found bool) {
	for _, c := range documented() {
		for _, o := range c.operations {
			value, matches := match(o.path, path)
			if !matches || o.method != method && (o.method != http.MethodGet || method != http.MethodHead) {
				continue
			}
			d, found = DocumentedOperation{template(o.path), o.method, map[string]string{}}, true
			if name, braces := parameter(o.path); braces {
				d.Parameters[name] = value
			}
			if o.method == method {
				return d, true
			}
		}
	}
	return d, found
}
