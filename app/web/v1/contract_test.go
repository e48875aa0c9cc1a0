package v1_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"go.uber.org/goleak"

	"cloudstorage/app/web/problem"
	v1 "cloudstorage/app/web/v1"
)

// agreement is what the API promises, to which every answer of every test is
// held, and what of it the tests have seen.
type agreement struct {
	document *openapi3.T

	mu   sync.Mutex
	seen map[string]bool // "listFiles 200 application/json"
}

// contract is the OpenAPI document. It lets answers have fields that clients do
// not know; here, they have those of today and no others.
var contract = sync.OnceValue(func() *agreement {
	document, err := openapi3.NewLoader().LoadFromData(v1.Document())
	if err != nil {
		panic(err)
	}
	for _, schema := range document.Components.Schemas {
		if none := false; schema.Value.AdditionalProperties.Has == nil {
			schema.Value.AdditionalProperties.Has = &none
		}
	}
	return &agreement{document: document, seen: map[string]bool{}}
})

// unsaid are the fields that the document need not name.
var unsaid = []string{
	"Cache-Control", "Connection", "Content-Length", "Content-Type", "Date", "Referrer-Policy", "Transfer-Encoding", "Vary", "X-Content-Type-Options",
}

// check says what of an answer the document does not describe. It describes
// what succeeds and what the caller does wrong route by route, and what the
// server does wrong for all routes at once.
func (a *agreement) check(r *http.Request, answer *http.Response, text string) error {
	route, found := v1.Documented(r.Method, r.URL.Path)
	if !found {
		return unrouted(r, answer)
	}
	item := a.document.Paths.Value(route.Path)
	operation := item.GetOperation(route.Method)
	described := operation.Responses.Status(answer.StatusCode)
	if described == nil && (answer.StatusCode >= http.StatusInternalServerError || !strings.HasPrefix(route.Path, v1.Path)) {
		described = operation.Responses.Default()
	}
	if described == nil {
		return errors.New("the status is not there")
	}
	said := http.Header{}
	for name := range described.Value.Headers {
		said.Set(name, "")
	}
	for name := range answer.Header {
		if said[name] == nil && !slices.Contains(unsaid, name) {
			return fmt.Errorf("the field %s is not there", name)
		}
	}
	media := ""
	if r.Method != http.MethodHead {
		var err error
		if media, err = body(described.Value.Content, answer.Header.Get("Content-Type"), text); err != nil {
			return err
		}
	}
	if answer.StatusCode >= http.StatusBadRequest {
		return nil
	}
	if r.Method == route.Method { // HEAD does not show what GET answers
		a.mu.Lock()
		a.seen[fmt.Sprint(operation.OperationID, " ", answer.StatusCode, " ", media)] = true
		a.mu.Unlock()
	}
	return a.request(r, route, item, operation)
}

// unrouted checks the answer to what no operation is for.
func unrouted(r *http.Request, answer *http.Response) error {
	switch {
	case !strings.HasPrefix(r.URL.Path, v1.Path+"/"), r.Method == http.MethodOptions && answer.StatusCode == http.StatusNoContent:
		return nil
	case answer.StatusCode != http.StatusNotFound && answer.StatusCode != http.StatusMethodNotAllowed,
		answer.Header.Get("Content-Type") != problem.ContentType:
		return errors.New("the operation is not there")
	}
	return nil
}

// body checks an answer's body, and returns the media type by which it is
// described, "" where there is none.
func body(content openapi3.Content, contentType, text string) (media string, err error) {
	if len(content) == 0 {
		if text != "" {
			return "", fmt.Errorf("the body is not there: %s", text)
		}
		return "", nil
	}
	media, _, err = mime.ParseMediaType(contentType)
	if content[media] == nil {
		media = "*/*"
	}
	described := content[media]
	if err != nil || described == nil {
		return "", fmt.Errorf("the media type %q is not there", contentType)
	}
	if described.Schema == nil {
		return media, nil
	}
	schema := described.Schema.Value
	if media == "application/x-ndjson" {
		schema = openapi3.NewArraySchema()
		schema.Items = described.Schema
		text = "[" + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", ",") + "]"
	}
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return "", fmt.Errorf("%w in %s", err, text)
	}
	if err := schema.VisitJSON(value, openapi3.EnableJSONSchema2020()); err != nil {
		return "", fmt.Errorf("%w in %s", err, text)
	}
	return media, nil
}

// request checks a request that succeeded: what works is what is described.
func (a *agreement) request(r *http.Request, route v1.DocumentedOperation, item *openapi3.PathItem, operation *openapi3.Operation) error {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	input := &openapi3filter.RequestValidationInput{
		Request:    r.Clone(context.Background()),
		PathParams: route.Parameters,
		Route: &routers.Route{
			Spec: a.document, Path: route.Path, PathItem: item, Method: route.Method, Operation: operation,
		},
		Options: &openapi3filter.Options{
			ExcludeRequestBody:                media != "application/json",
			RejectWhenRequestBodyNotSpecified: true,
			SkipSettingDefaults:               true,
			AuthenticationFunc: func(context.Context, *openapi3filter.AuthenticationInput) error {
				if r.Header.Get("Authorization") == "" {
					return errors.New("nobody was asked who calls")
				}
				return nil
			},
		},
	}
	if r.GetBody != nil {
		sent, err := r.GetBody()
		if err != nil {
			return err
		}
		input.Request.Body = sent
	}
	return openapi3filter.ValidateRequest(context.Background(), input)
}

// unseen returns the answers that the document promises and no test has had.
func (a *agreement) unseen() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []string
	for _, item := range a.document.Paths.Map() {
		for _, operation := range item.Operations() {
			for status, response := range operation.Responses.Map() {
				media := slices.Collect(maps.Keys(response.Value.Content))
				if len(media) == 0 {
					media = []string{""}
				}
				for _, m := range media {
					if id := operation.OperationID + " " + status + " " + m; status < "400" && !a.seen[id] {
						all = append(all, id)
					}
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// TestMain fails where a goroutine is left, and where all tests ran and the
// document promises an answer that none of them has had.
func TestMain(m *testing.M) {
	promised := contract() // before any test measures memory
	code := m.Run()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections() // the tests' own
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, "FAIL: a goroutine is left:", err)
		code = 1
	}
	part := false
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz", "test.bench"} {
		part = part || flag.Lookup(name).Value.String() != ""
	}
	if unseen := promised.unseen(); code == 0 && !part && len(unseen) > 0 {
		fmt.Fprintln(os.Stderr, "FAIL: openapi.json promises what no test has had:", strings.Join(unseen, ", "))
		code = 1
	}
	os.Exit(code) //nolint:forbidigo // this is the tests' main
}
