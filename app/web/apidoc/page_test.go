package apidoc

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/goccy/go-yaml"

	"cloudstorage/app/web/problem"
	v1 "cloudstorage/app/web/v1"
)

//go:embed docs.html.tmpl
var layout string

// The page, as its template wants it.
type (
	view struct {
		Title, Summary, Version string
		Introduction            template.HTML
		Concerns                []concern
		Types                   []objectType
		Kinds                   []problem.Kind
	}
	concern struct {
		ID, Name, About string
		Operations      []operation
	}
	operation struct {
		ID, Method, Path, Summary, Example string
		Public                             bool
		About                              template.HTML
		Parameters                         []named
		Bodies                             []body
		Answers                            []answer
		Problems                           []problem.Kind
	}
	// named is a parameter or a field.
	named struct {
		Name     string
		Required bool
		Type     template.HTML
		About    template.HTML
	}
	body struct {
		Media  string
		Fields []named
	}
	answer struct {
		Status, About, Sample string
		Body                  template.HTML
		Fields                []named
	}
	objectType struct {
		Name   string
		Fields []named
	}
)

// writePage writes the page from the OpenAPI document.
func writePage() ([]byte, error) {
	document, err := openapi3.NewLoader().LoadFromData(v1.Document())
	if err != nil {
		return nil, err
	}
	paths, err := inOrder(v1.Document())
	if err != nil {
		return nil, err
	}
	v := view{
		Title: document.Info.Title, Summary: document.Info.Summary, Version: document.Info.Version,
		Introduction: prose(document.Info.Description), Kinds: problem.Kinds(),
	}
	for _, tag := range document.Tags {
		c := concern{ID: "group-" + strings.ReplaceAll(strings.ToLower(tag.Name), " ", "-"), Name: tag.Name, About: tag.Description}
		for _, path := range paths {
			item := document.Paths.Value(path)
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodDelete} {
				if o := item.GetOperation(method); o != nil && slices.Contains(o.Tags, tag.Name) {
					c.Operations = append(c.Operations, describe(method, path, o))
				}
			}
		}
		v.Concerns = append(v.Concerns, c)
	}
	for _, name := range slices.Sorted(maps.Keys(document.Components.Schemas)) {
		v.Types = append(v.Types, objectType{name, fields(document.Components.Schemas[name].Value)})
	}
	parsed, err := template.New("docs").Parse(layout)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = parsed.Execute(&text, v)
	return text.Bytes(), err
}

// inOrder are the document's paths as they follow each other.
func inOrder(document []byte) (paths []string, err error) {
	var root struct {
		Paths yaml.MapSlice `yaml:"paths"` // JSON is YAML
	}
	if err := yaml.Unmarshal(document, &root); err != nil {
		return nil, err
	}
	for _, member := range root.Paths {
		paths = append(paths, member.Key.(string))
	}
	return paths, nil
}

func describe(method, path string, o *openapi3.Operation) operation {
	d := operation{
		ID: o.OperationID, Method: method, Path: path, Summary: o.Summary, About: prose(o.Description),
		Public: o.Security != nil && len(*o.Security) == 0, Example: example(method, path, o),
	}
	for _, p := range o.Parameters {
		kind := typeOf(p.Value.Schema)
		if p.Value.In == openapi3.ParameterInHeader {
			kind = "header field"
		}
		d.Parameters = append(d.Parameters, named{p.Value.Name, p.Value.Required, kind, inline(p.Value.Description)})
	}
	if o.RequestBody != nil {
		content := o.RequestBody.Value.Content
		for _, media := range slices.Sorted(maps.Keys(content)) {
			b := body{Media: media}
			if schema := content[media].Schema; schema != nil {
				b.Fields = fields(first(schema).Value)
			}
			d.Bodies = append(d.Bodies, b)
		}
	}
	for _, status := range slices.Sorted(maps.Keys(o.Responses.Map())) {
		response := o.Responses.Value(status).Value
		if response.Content[problem.ContentType] != nil {
			for _, k := range problem.Kinds() {
				if strconv.Itoa(k.Status) == status && strings.Contains(*response.Description, k.Title) {
					d.Problems = append(d.Problems, k)
				}
			}
			continue
		}
		d.Answers = append(d.Answers, answered(status, response))
	}
	return d
}

func answered(status string, response *openapi3.Response) answer {
	a := answer{Status: status, About: *response.Description}
	var bodies []string
	for _, media := range slices.Sorted(maps.Keys(response.Content)) {
		switch schema := response.Content[media].Schema; {
		case schema == nil:
			bodies = append(bodies, "the content")
		case strings.HasSuffix(media, "ndjson"):
			bodies = append(bodies, "lines of "+string(typeOf(schema)))
			a.Sample = sample(schema.Value, true)
		default:
			bodies = append(bodies, string(typeOf(schema)))
			a.Sample = indent(sample(schema.Value, true))
		}
	}
	a.Body = template.HTML(strings.Join(bodies, " or "))
	if len(bodies) == 0 {
		a.Body = "none"
	}
	for _, name := range slices.Sorted(maps.Keys(response.Headers)) {
		if name != "X-Request-Id" { // which every answer has
			a.Fields = append(a.Fields, named{Name: name, About: inline(response.Headers[name].Value.Description)})
		}
	}
	return a
}

// first is the schema, or the first of those that it lets choose from.
func first(schema *openapi3.SchemaRef) *openapi3.SchemaRef {
	if len(schema.Value.AnyOf) > 0 {
		return schema.Value.AnyOf[0]
	}
	return schema
}

// fields are what an object has.
func fields(schema *openapi3.Schema) []named {
	var all []named
	for _, name := range order(schema) {
		property := schema.Properties[name]
		all = append(all, named{name, slices.Contains(schema.Required, name), typeOf(property), inline(property.Value.Description)})
	}
	return all
}

// typeOf names a type, with a link to where it is described.
func typeOf(ref *openapi3.SchemaRef) template.HTML {
	if name, found := strings.CutPrefix(ref.Ref, "#/components/schemas/"); found {
		return template.HTML(`<a href="#type-` + name + `">` + name + `</a>`)
	}
	s := ref.Value
	if len(s.AnyOf) > 0 {
		var names []string
		for _, one := range s.AnyOf {
			names = append(names, string(typeOf(one)))
		}
		return template.HTML(strings.Join(names, " or "))
	}
	switch {
	case s.Type.Is("array"):
		return "list of " + typeOf(s.Items)
	case s.Type.Is("object") && s.AdditionalProperties.Schema != nil:
		return "map of " + typeOf(s.AdditionalProperties.Schema)
	case len(s.Enum) > 0:
		var values []string
		for _, v := range s.Enum {
			values = append(values, fmt.Sprint(v))
		}
		return template.HTML(strings.Join(values, ", "))
	case s.Min != nil && s.Max != nil:
		return template.HTML(fmt.Sprintf("%.0f to %.0f", *s.Min, *s.Max))
	case s.Type == nil:
		return "anything"
	case s.Format == "date-time":
		return "date and time"
	}
	return template.HTML((*s.Type)[0])
}

// example is a command that asks for the operation.
func example(method, path string, o *openapi3.Operation) string {
	arguments := []string{"curl"}
	if o.Security == nil {
		arguments = append(arguments, `-H "Authorization: Bearer $KEY"`)
	}
	switch body := o.RequestBody; {
	case body != nil && body.Value.Required:
		arguments = append(arguments, "--json '"+sample(body.Value.Content["application/json"].Schema.Value, false)+"'")
	case body != nil:
		arguments = append(arguments, "-T summary.pdf")
	case method == http.MethodHead:
		arguments = append(arguments, "-I")
	case method != http.MethodGet:
		arguments = append(arguments, "-X "+method)
	case o.Responses.Value("302") != nil, o.Responses.Value("307") != nil: // to a file
		arguments = append(arguments, "-L -o summary.pdf")
	}
	for _, p := range o.Parameters {
		if p.Value.In == openapi3.ParameterInPath {
			path = strings.ReplaceAll(path, "{"+p.Value.Name+"}", fmt.Sprint(p.Value.Example))
		} else if p.Value.In == openapi3.ParameterInQuery && p.Value.Example != nil {
			path += "?" + p.Value.Name + "=" + fmt.Sprint(p.Value.Example)
		}
	}
	arguments = append(arguments, `"$API`+path+`"`)
	if line := strings.Join(arguments, " "); len(line) < 100 {
		return line
	}
	return arguments[0] + " " + strings.Join(arguments[1:], " \\\n  ")
}

// sample is JSON of the schema, without what it does not need, unless all is
// wanted.
func sample(s *openapi3.Schema, all bool) string {
	switch {
	case len(s.Examples) > 0:
		return encode(s.Examples[0])
	case len(s.AnyOf) > 0:
		return sample(s.AnyOf[0].Value, all)
	case s.Type == nil:
		return `"…"`
	case s.Type.Is("array"):
		return "[" + sample(s.Items.Value, all) + "]"
	case s.Type.Is("object"):
		var members []string
		for _, name := range order(s) {
			property := s.Properties[name].Value
			if slices.Contains(s.Required, name) || all && len(property.Examples) > 0 {
				members = append(members, encode(name)+": "+sample(property, all))
			}
		}
		return "{" + strings.Join(members, ", ") + "}"
	case s.Type.Is("integer"):
		return "1"
	case s.Type.Is("boolean"):
		return "false"
	}
	return `"…"`
}

// indent lays JSON out for a reader.
func indent(text string) string {
	var laid bytes.Buffer
	if err := json.Indent(&laid, []byte(text), "", "  "); err != nil {
		panic(err)
	}
	return laid.String()
}

// encode returns JSON of what was read from JSON.
func encode(v any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSpace(text.String())
}

// order is an object's fields: those that it needs as its schema has them, then
// the others.
func order(s *openapi3.Schema) []string {
	names := slices.Clone(s.Required)
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if !slices.Contains(s.Required, name) {
			names = append(names, name)
		}
	}
	return names
}

// prose renders the little of Markdown that the document uses.
func prose(text string) template.HTML {
	var all strings.Builder
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		if paragraph != "" {
			all.WriteString("<p>" + string(inline(paragraph)) + "</p>\n")
		}
	}
	return template.HTML(strings.TrimSuffix(all.String(), "\n"))
}

// inline renders `code` and **what matters**.
func inline(text string) template.HTML {
	text = template.HTMLEscapeString(text)
	for _, mark := range []struct{ text, element string }{{"`", "code"}, {"**", "strong"}} {
		parts := strings.Split(text, mark.text)
		for i := 1; i < len(parts)-1; i += 2 {
			parts[i] = "<" + mark.element + ">" + parts[i] + "</" + mark.element + ">"
		}
		text = strings.Join(parts, "")
	}
	return template.HTML(text)
}
