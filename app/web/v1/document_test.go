package v1

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"cloudstorage/app/web/problem"
)

// jsonObject is a JSON object of the document.
type jsonObject = map[string]any

const introduction = `List, read and write files. Their bytes flow between the client and the storage itself: the API lists, authorises and signs URLs.

**Who may.** Send a key or a token of the issuer in the field ` + "`Authorization: Bearer …`" + `, nowhere else. A caller has verbs (list, read, write, delete) below prefixes. What is marked as public needs no key, and nothing does on a server that is open to all.

**Names.** A file's key is 1 to 1,024 bytes of UTF-8 without control characters and without a segment ` + "`.` or `..`" + `. In a path it stands percent-encoded, as everything behind the route; its slashes may be written as they are or as ` + "`%2F`" + `, which is the same key. A plus is a plus.

**Problems.** Every answer below ` + "`/v1`" + ` from 400 on is a problem (RFC 9457, ` + "`application/problem+json`" + `), whose type is a path of this server that explains it. Its ` + "`request_id`" + ` is the answer's X-Request-Id, which the server's log has too.

**Strictness.** A parameter or a field that a route does not know is refused, so that a mistyped name is never a request for something else. New fields may be added to answers: ignore those that you do not know.

**HEAD** is GET without the body, wherever there is GET; of a file, it describes it.`

// pathParameters are what stands in the braces of paths.
var pathParameters = map[string]struct{ about, example string }{
	"key":   {"The file's name: the rest of the path. Slashes belong to it, as they are or as %2F.", "reports/2026/summary.pdf"},
	"name":  {"The last segment of a problem's type.", "not-found"},
	"id":    {"The upload's id, as it was answered.", "upload-id"},
	"token": {"The link's token, as it was answered.", "link-token"},
}

// writeDocument writes the OpenAPI document from the operations.
func writeDocument() ([]byte, error) {
	w := writer{schemas: newSchemas(), responses: jsonObject{}}
	var tags []jsonObject
	for _, c := range documented() {
		tags = append(tags, jsonObject{"name": c.name, "description": c.about})
		for _, o := range c.operations {
			w.add(c.name, o)
		}
	}
	// In the order in which a reader wants it.
	root := struct {
		OpenAPI    string       `json:"openapi"`
		Info       jsonObject   `json:"info"`
		Servers    []jsonObject `json:"servers"`
		Security   []jsonObject `json:"security"`
		Tags       []jsonObject `json:"tags"`
		Paths      *ordered     `json:"paths"`
		Components jsonObject   `json:"components"`
	}{
		OpenAPI:  "3.1.0",
		Info:     jsonObject{"title": "Storage API", "version": "1", "summary": "Files in S3, by name.", "description": introduction},
		Servers:  []jsonObject{{"url": "/", "description": "The server that this document comes from."}},
		Security: []jsonObject{{"bearer": []string{}}},
		Tags:     tags,
		Paths:    &w.paths,
		Components: jsonObject{
			"schemas":   w.schemas.components,
			"responses": w.responses,
			"headers": jsonObject{"RequestId": jsonObject{
				"description": "Names the request in the server's log: the caller's own, where it sends one of letters, digits and -_., at most 64.",
				"schema":      jsonObject{"type": "string"},
			}},
			"securitySchemes": jsonObject{"bearer": jsonObject{
				"type": "http", "scheme": "bearer", "description": "An API key, or a token of the issuer that the server trusts.",
			}},
		},
	}
	if w.schemas.err != nil {
		return nil, w.schemas.err
	}
	return encode(root, "  ")
}

// encode writes text as it is read: < stays <.
func encode(v any, indent string) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	err := encoder.Encode(v)
	return text.Bytes(), err
}

// documented are the concerns of the document, with whole paths.
func documented() []concern {
	all := concerns()
	for i, c := range all {
		all[i].operations = slices.Clone(c.operations)
		for j := range c.operations {
			all[i].operations[j].path = Path + c.operations[j].path
		}
	}
	return append(all, exercise(), health())
}

// template returns a path as OpenAPI has it, which cannot say that the rest of
// the path is meant.
func template(path string) string { return strings.ReplaceAll(path, "...}", "}") }

// parameter returns the name in a path's braces.
func parameter(path string) (name string, braces bool) {
	_, name, braces = strings.Cut(template(path), "{")
	name, _, _ = strings.Cut(name, "}")
	return name, braces
}

// writer collects what the document has.
type writer struct {
	schemas   *schemas
	paths     ordered
	responses jsonObject
}

// ordered is a JSON object whose members keep their order.
type ordered struct {
	names  []string
	values jsonObject
}

// member returns the object of that name, a new one where there is none.
func (o *ordered) member(name string) jsonObject {
	if o.values == nil {
		o.values = jsonObject{}
	}
	if o.values[name] == nil {
		o.names = append(o.names, name)
		o.values[name] = jsonObject{}
	}
	return o.values[name].(jsonObject)
}

// MarshalJSON writes the members in the order in which they came.
func (o *ordered) MarshalJSON() ([]byte, error) {
	text := []byte("{")
	for i, name := range o.names {
		if i > 0 {
			text = append(text, ',')
		}
		member, err := encode(jsonObject{name: o.values[name]}, "")
		if err != nil {
			return nil, err
		}
		member = bytes.TrimSpace(member)
		text = append(text, member[1:len(member)-1]...)
	}
	return append(text, '}'), nil
}

func (w *writer) add(tag string, o operation) {
	entry := jsonObject{
		"operationId": o.id,
		"tags":        []string{tag},
		"summary":     strings.TrimSuffix(o.summary, "."),
		"responses":   w.answers(o),
	}
	if about := o.about + heeded(o.headers); about != "" {
		entry["description"] = strings.TrimSpace(about)
	}
	if parameters := parameters(o); len(parameters) > 0 {
		entry["parameters"] = parameters
	}
	if content := w.content(o); len(content) > 0 {
		entry["requestBody"] = jsonObject{"required": !o.raw, "content": content}
	}
	if o.public {
		entry["security"] = []jsonObject{}
	}
	w.paths.member(template(o.path))[strings.ToLower(o.method)] = entry
}

// reserved says whether OpenAPI leaves a header field to other parts of the
// document.
func reserved(name string) bool {
	return name == "Accept" || name == "Content-Type" || name == "Authorization"
}

// heeded describes the fields that cannot be parameters.
func heeded(fields []field) string {
	text := ""
	for _, f := range fields {
		if reserved(f.name) {
			text += "\n\n`" + f.name + "`: " + f.about
		}
	}
	return text
}

func parameters(o operation) []jsonObject {
	var all []jsonObject
	if name, braces := parameter(o.path); braces {
		p := pathParameters[name]
		all = append(all, jsonObject{"name": name, "in": "path", "required": true, "description": p.about, "example": p.example,
			"schema": jsonObject{"type": "string", "minLength": 1}})
	}
	for _, p := range o.query {
		schema := jsonObject{"type": "string"}
		switch p.kind {
		case integer:
			schema = jsonObject{"type": "integer", "minimum": p.low, "maximum": p.high}
		case flag:
			schema = jsonObject{"type": "integer", "enum": []int{0, 1}, "default": 0}
		}
		entry := jsonObject{"name": p.name, "in": "query", "description": p.about, "schema": schema}
		if p.example != "" {
			entry["example"] = p.example
		}
		all = append(all, entry)
	}
	for _, f := range o.headers {
		if !reserved(f.name) {
			all = append(all, jsonObject{"name": f.name, "in": "header", "description": f.about, "schema": jsonObject{"type": "string"}})
		}
	}
	return all
}

// content is what bodies the operation takes.
func (w *writer) content(o operation) jsonObject {
	content := jsonObject{}
	if o.body != nil {
		content["application/json"] = jsonObject{"schema": w.schemas.ofRequest(o.body)}
	}
	if o.raw {
		content["*/*"] = jsonObject{}
	}
	if o.body != nil && o.raw { // JSON may be content, too
		content["application/json"] = jsonObject{"schema": either(w.schemas.ofRequest(o.body), jsonObject{"description": "Any content."})}
	}
	return content
}

// either is the schema of what is of one of several schemas.
func either(schemas ...any) jsonObject { return jsonObject{"anyOf": schemas} }

func (w *writer) answers(o operation) jsonObject {
	all := jsonObject{}
	for _, a := range o.answers {
		status := strconv.Itoa(a.status)
		entry, again := all[status].(jsonObject)
		if again { // another body of the same status
			entry["description"] = entry["description"].(string) + " " + a.about
			maps.Copy(entry["headers"].(jsonObject), headers(a.headers))
		} else {
			entry = jsonObject{"description": a.about, "headers": headers(a.headers)}
			all[status] = entry
		}
		if media := a.mediaType(); media != "" {
			if entry["content"] == nil {
				entry["content"] = jsonObject{}
			}
			body := jsonObject{}
			if a.body != nil {
				body["schema"] = w.schemas.of(a.body)
			}
			content := entry["content"].(jsonObject)
			if other, again := content[media].(jsonObject); again {
				body["schema"] = either(other["schema"], body["schema"])
			}
			content[media] = body
		}
	}
	if !strings.HasPrefix(o.path, Path) {
		all["default"] = w.olderFailure()
		return all
	}
	kinds := map[int][]problem.Kind{}
	for _, k := range problems(o) {
		kinds[k.Status] = append(kinds[k.Status], k)
	}
	for status, k := range kinds {
		all[strconv.Itoa(status)] = w.problem(k)
	}
	all["default"] = w.failure()
	return all
}

// mediaType is that of the answer's body, "" where it has none.
func (a answer) mediaType() string {
	if a.media == "" && a.body != nil {
		return "application/json"
	}
	return a.media
}

// problems are the kinds that an operation may answer, but for those that are
// the server's own fault.
func problems(o operation) []problem.Kind {
	all := []problem.Kind{problem.InvalidRequest, problem.RateLimited}
	if !o.public {
		all = append(all, problem.Unauthenticated, problem.Forbidden)
	}
	if o.body != nil && !o.raw {
		all = append(all, problem.BodyTooLarge, problem.UnsupportedMediaType, problem.TooSlow)
	}
	return append(all, o.errors...)
}

// problem returns the answer that is a problem of one of kinds, all of one
// status.
func (w *writer) problem(kinds []problem.Kind) jsonObject {
	var names, abouts, types []string
	for _, k := range kinds {
		name := ""
		for word := range strings.SplitSeq(k.Name, "-") {
			name += strings.ToUpper(word[:1]) + word[1:]
		}
		names, abouts, types = append(names, name), append(abouts, k.Title+" "+k.Way()), append(types, k.Type())
	}
	name, k := strings.Join(names, "Or"), kinds[0]
	if w.responses[name] == nil {
		w.responses[name] = w.problemAnswer(strings.Join(abouts, " Or: "), jsonObject{"allOf": []jsonObject{
			w.schemas.of(problem.Details{}),
			{"properties": jsonObject{"type": jsonObject{"enum": types}, "status": jsonObject{"const": k.Status}}},
		}}, jsonObject{"type": k.Type(), "title": k.Title, "status": k.Status, "request_id": "SKJ4NWX2XKDYZ5DNJ3CKFHNAI2"}, problemFields(k))
	}
	return jsonObject{"$ref": "#/components/responses/" + name}
}

// failure returns the answer for what the server is at fault.
func (w *writer) failure() jsonObject {
	const name = "Failure"
	if w.responses[name] == nil {
		text := "The server failed, not the caller:"
		for _, k := range problem.Kinds() {
			if k.Status >= http.StatusInternalServerError {
				text += " " + k.Name + " (" + strconv.Itoa(k.Status) + "),"
			}
		}
		w.responses[name] = w.problemAnswer(strings.TrimSuffix(text, ",")+".", w.schemas.of(problem.Details{}), nil, problemFields(problem.Unavailable))
	}
	return jsonObject{"$ref": "#/components/responses/" + name}
}

// olderFailure returns the answer for all errors of the older routes.
func (w *writer) olderFailure() jsonObject {
	const name = "OlderFailure"
	if w.responses[name] == nil {
		w.responses[name] = jsonObject{
			"description": "An error, in the shape of every answer of these routes.",
			"headers":     headers(append(problemFields(problem.Unavailable), problemFields(problem.Unauthenticated)...)),
			"content":     jsonObject{"application/json": jsonObject{"schema": w.schemas.of(exerciseAnswer{})}},
		}
	}
	return jsonObject{"$ref": "#/components/responses/" + name}
}

func (w *writer) problemAnswer(about string, schema, example jsonObject, fields []field) jsonObject {
	body := jsonObject{"schema": schema}
	if example != nil {
		body["example"] = example
	}
	return jsonObject{"description": about, "headers": headers(fields), "content": jsonObject{problem.ContentType: body}}
}

// headers are the fields of an answer, and the one that all answers have.
func headers(fields []field) jsonObject {
	all := jsonObject{"X-Request-Id": jsonObject{"$ref": "#/components/headers/RequestId"}}
	for _, f := range fields {
		if !reserved(f.name) {
			all[f.name] = jsonObject{"description": f.about, "schema": jsonObject{"type": "string"}}
		}
	}
	return all
}

// problemFields are the fields that only problems of some kinds have.
func problemFields(k problem.Kind) []field {
	switch k {
	case problem.Unauthenticated, problem.Forbidden:
		return []field{{"WWW-Authenticate", "The scheme, and what is wrong with what was sent (RFC 6750)."}}
	case problem.RateLimited, problem.Unavailable:
		return []field{{"Retry-After", "Seconds to wait."}}
	case problem.UnsupportedMediaType:
		return []field{{"Accept-Encoding", "identity, where the body's coding was refused."}}
	case problem.RangeNotSatisfiable:
		return []field{{"Content-Range", "bytes */ and the file's size."}}
	}
	return nil
}

// exerciseAnswer is the shape of every answer of the exercise's routes.
type exerciseAnswer struct {
	Status  int    `json:"status" doc:"The answer's status." example:"200"`
	Message string `json:"message" doc:"What was done, or what went wrong."`
	Content any    `json:"content,omitempty" doc:"A list of names, or a URL; absent where there is nothing to answer."`
}

// exercise is the five routes that the exercises fix.
func exercise() concern {
	get := func(id, path, summary, about, content string, headers ...field) operation {
		return operation{id: id, method: http.MethodGet, path: path, summary: summary, about: about, public: path == "/",
			answers: []answer{{status: http.StatusOK, about: content, body: exerciseAnswer{}, headers: headers}}}
	}
	ends := field{"X-Expires-At", "When the URL ends."}
	return concern{"Exercise", "Five routes of an older, simpler API: all GET, all in one shape. A server may have them switched off, and then answers 404.", []operation{
		get("greet", "/", "Greet.", "", "A greeting."),
		get("exerciseList", "/list_files", "List all names.", "However many there are: listFiles has pages.", "content is a list of names."),
		get("exerciseDownload", "/download/{key...}", "Sign a download.", "", "content is a URL to GET.", ends),
		get("exerciseUpload", "/upload/{key...}", "Sign an upload.", "", "content is a URL to PUT to.", ends),
		get("exerciseDelete", "/delete/{key...}", "Delete a file.", "By GET, so a browser may ask for it only as a page that its user opens. HEAD deletes nothing.", "It is deleted, or never was.",
			field{"X-Version-Id", "The id of the version that is the deletion."}),
	}}
}

// health is the routes for machines.
func health() concern {
	answers := func(about string) []answer {
		return []answer{{status: http.StatusOK, about: about, body: exerciseAnswer{}}}
	}
	return concern{"Health", "For load balancers and whoever watches the server.", []operation{
		{id: "alive", method: http.MethodGet, path: "/healthz", summary: "Say that the server runs.", about: "Asks nothing else: an outage of the storage does not change it.",
			public: true, answers: answers("It runs.")},
		{id: "ready", method: http.MethodGet, path: "/readyz", summary: "Say that the server can work.", about: "503 while the storage does not answer, and while the server drains.",
			public: true, answers: answers("It can.")},
	}}
}
