package v1

import (
	"net/http"
	"slices"
	"strings"

	"cloudstorage/app/web/problem"
)

// operation is a route: what it takes, what it answers, and who does it.
type operation struct {
	id      string // its name in the OpenAPI document
	method  string
	path    string // below Path; {name} is one segment, {key...} is the rest
	summary string // one sentence
	about   string // more, where it needs more

	public  bool // anyone may, whoever may call
	query   []param
	headers []field // of the request, that it heeds
	body    any     // a value of the type that its JSON body has; nil takes none
	raw     bool    // its body is content, of any type
	answers []answer
	errors  []problem.Kind // that it may answer beside those that its other fields imply

	handle func(*call) error
}

// unchecked is an error where a request that changes something has a condition
// that the operation does not heed: one that nobody checks is worse than none.
func (o operation) unchecked(r *http.Request) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	for _, name := range []string{"If-Match", "If-None-Match", "If-Unmodified-Since"} { // RFC 9110 wants If-Modified-Since ignored
		heeded := slices.ContainsFunc(o.headers, func(f field) bool { return f.name == name })
		if len(r.Header.Values(name)) == 0 || heeded {
			continue
		}
		detail := "nobody checks " + name + " here: send the request without it"
		if o.body != nil {
			detail += ", and use if_new or if_match of the JSON where it has them"
		}
		return problem.New(problem.InvalidRequest, detail)
	}
	return nil
}

// field is a header field, for the document.
type field struct{ name, about string }

// answer is what an operation may answer beside problems, for the document.
type answer struct {
	status  int
	about   string
	body    any    // a value of the type of its JSON; nil has none
	media   string // of the body; "" is JSON
	headers []field
}

// table is all operations.
type table []operation

// find returns the operation for a request and what stands for its path's
// braces. HEAD is GET without the body where nobody says otherwise.
func (t table) find(method, path string) (op operation, rest string, err error) {
	below := strings.TrimPrefix(path, Path)
	for _, o := range t {
		value, found := match(o.path, below)
		switch {
		case found && o.method == method:
			return o, value, nil
		case found && o.method == http.MethodGet && method == http.MethodHead:
			op, rest = o, value
		}
	}
	if op.handle != nil {
		return op, rest, nil
	}
	allow, err := t.methods(path)
	if err != nil {
		return operation{}, "", err
	}
	return operation{}, "", &problem.Error{Kind: problem.MethodNotAllowed, Detail: "this route takes " + allow,
		Header: http.Header{"Allow": {allow}}}
}

// methods returns the methods that a path takes, as the field Allow has them.
func (t table) methods(path string) (string, error) {
	below := strings.TrimPrefix(path, Path)
	var methods []string
	for _, o := range t {
		if _, found := match(o.path, below); found {
			methods = append(methods, o.method)
			if o.method == http.MethodGet {
				methods = append(methods, http.MethodHead)
			}
		}
	}
	if len(methods) == 0 {
		return "", problem.New(problem.NoSuchRoute, "there is no such route: see "+PagePath+" for those that there are") // the path may hold a secret
	}
	slices.Sort(methods)
	return strings.Join(slices.Compact(methods), ", "), nil
}

// match says whether path has the form of pattern, and returns what stands for
// its braces. A {key...} takes everything: slashes, empty segments and nothing.
func match(pattern, path string) (value string, ok bool) {
	before, name, braces := strings.Cut(pattern, "{")
	if !braces {
		return "", path == pattern
	}
	name, after, _ := strings.Cut(name, "}")
	value, ok = strings.CutPrefix(path, before)
	if !ok || strings.HasSuffix(name, "...") {
		return value, ok
	}
	value, ok = strings.CutSuffix(value, after)
	return value, ok && value != "" && !strings.Contains(value, "/")
}
