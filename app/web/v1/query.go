package v1

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"cloudstorage/app/web/problem"
)

// kind is what a parameter's value must be.
type kind int

const (
	text    kind = iota
	integer      // from low to high
	flag         // 1 or 0
)

// param is a parameter of a query.
type param struct {
	name, about string
	kind        kind
	low, high   int64
	example     string // for the document's example, which has no other parameters
}

// query is the parameters of a request, each well-formed. What was not given is
// its zero value.
type query struct {
	texts   map[string]string
	numbers map[string]int64
}

// parseQuery reads the parameters. One that the operation does not have is
// refused: a mistyped name must not be a request for something else.
func parseQuery(raw string, params []param) (query, error) {
	q := query{map[string]string{}, map[string]int64{}}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return q, problem.New(problem.InvalidRequest, "the query cannot be read: percent-encode its values")
	}
	for name, given := range values {
		i := slices.IndexFunc(params, func(p param) bool { return p.name == name })
		switch {
		case i < 0:
			return q, problem.New(problem.InvalidRequest, fmt.Sprintf("there is no parameter %q here: %s", name, known(params)))
		case len(given) > 1:
			return q, problem.New(problem.InvalidRequest, fmt.Sprintf("the parameter %q is given twice: give it once", name))
		}
		p, value := params[i], given[0]
		if !utf8.ValidString(value) { // no name has it, and no cursor could tell it
			return q, problem.New(problem.InvalidRequest, fmt.Sprintf("the parameter %q is not valid UTF-8: percent-encode its UTF-8 bytes", name))
		}
		switch p.kind {
		case text:
			q.texts[name] = value
		case integer:
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || n < p.low || n > p.high {
				return q, problem.New(problem.InvalidRequest, fmt.Sprintf("%s=%q: give a number from %d to %d", name, value, p.low, p.high))
			}
			q.numbers[name] = n
		case flag:
			if value != "0" && value != "1" {
				return q, problem.New(problem.InvalidRequest, fmt.Sprintf("%s=%q: give 1 or 0", name, value))
			}
			if value == "1" {
				q.numbers[name] = 1
			}
		}
	}
	return q, nil
}

// known names the parameters.
func known(params []param) string {
	if len(params) == 0 {
		return "this route takes none"
	}
	var names []string
	for _, p := range params {
		names = append(names, p.name)
	}
	return "this route takes " + strings.Join(names, ", ")
}

func (q query) text(name string) string  { return q.texts[name] }
func (q query) number(name string) int64 { return q.numbers[name] }
func (q query) flag(name string) bool    { return q.numbers[name] == 1 }
