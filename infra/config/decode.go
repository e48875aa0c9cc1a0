package config

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// document is a decoded file: where each value stands, and what was wrong so far.
type document struct {
	file     string
	lines    map[string]int // path of a value, such as "network.subnets[1].cidr" -> line
	problems []problem
	unread   bool // not YAML: nothing else can be said about it
}

type problem struct {
	line int
	text string
}

// decode fills out, a pointer to a struct with yaml tags, from source. Unknown keys, repeated keys and wrong types
// are problems of the document; decoding goes on behind each, so that all of them are found.
func decode(file string, source []byte, out any) *document {
	d := &document{file: file, lines: map[string]int{}}
	parsed, err := parser.ParseBytes(source, 0)
	if err != nil {
		d.syntax(err)
		return d
	}
	var bodies []ast.Node
	for _, doc := range parsed.Docs {
		if doc.Body != nil {
			bodies = append(bodies, doc.Body)
		}
	}
	if len(bodies) != 1 {
		d.add(1, fmt.Sprintf("the file holds %d YAML documents: write exactly one", len(bodies)))
		return d
	}
	d.value(bodies[0], reflect.ValueOf(out).Elem(), "")
	return d
}

// syntax records the parser's own error, of which there is only ever one.
func (d *document) syntax(err error) {
	line, text := 1, err.Error()
	var located yaml.Error
	if errors.As(err, &located) {
		text = located.GetMessage()
		if token := located.GetToken(); token != nil {
			line = token.Position.Line
		}
	}
	d.problems, d.unread = []problem{{line, "not YAML: " + text}}, true
}

func (d *document) add(line int, text string) {
	if d.unread {
		return
	}
	d.problems = append(d.problems, problem{line, text})
}

// at records what is wrong with the value at path. A path that the file does not mention is reported at the line of
// the closest parent that it does.
func (d *document) at(path, format string, args ...any) {
	line := 1
	for p := path; p != ""; p = parentPath(p) {
		if l, ok := d.lines[p]; ok {
			line = l
			break
		}
	}
	d.add(line, path+": "+fmt.Sprintf(format, args...))
}

func parentPath(path string) string {
	if i := strings.LastIndexAny(path, ".["); i >= 0 {
		return path[:i]
	}
	return ""
}

// err is all problems in the order of their lines, or nil.
func (d *document) err() error {
	slices.SortStableFunc(d.problems, func(a, b problem) int { return a.line - b.line })
	errs := make([]error, 0, len(d.problems))
	for _, p := range d.problems {
		errs = append(errs, fmt.Errorf("%s:%d: %s", d.file, p.line, p.text))
	}
	return errors.Join(errs...)
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	prefixType   = reflect.TypeFor[netip.Prefix]()
	timeType     = reflect.TypeFor[time.Time]()
)

func (d *document) value(n ast.Node, v reflect.Value, path string) {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		d.add(n.GetToken().Position.Line, path+": anchors, aliases and tags are not read here: write the value out")
		return
	case *ast.NullNode:
		d.add(n.GetToken().Position.Line, orRoot(path)+": no value: give it one or remove the key")
		return
	}
	switch {
	case v.Type() == durationType:
		d.parsed(n, path, "a duration such as 10m", func(s string) error {
			parsed, err := time.ParseDuration(s)
			v.SetInt(int64(parsed))
			return err
		})
	case v.Type() == prefixType:
		d.parsed(n, path, "an address block such as 10.0.1.0/24", func(s string) error {
			parsed, err := netip.ParsePrefix(s)
			v.Set(reflect.ValueOf(parsed))
			return err
		})
	case v.Type() == timeType:
		d.parsed(n, path, "a time such as 2027-01-31T00:00:00Z", func(s string) error {
			parsed, err := time.Parse(time.RFC3339, s)
			v.Set(reflect.ValueOf(parsed))
			return err
		})
	default:
		d.kind(n, v, path)
	}
}

func (d *document) kind(n ast.Node, v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem(), path)
	case reflect.Struct:
		d.structure(n, v, path)
	case reflect.Slice:
		d.slice(n, v, path)
	case reflect.String:
		text, ok := n.(*ast.StringNode)
		if !ok {
			d.wrong(n, path, "not text", "put it in quotes")
			return
		}
		v.SetString(text.Value)
	case reflect.Int:
		d.parsed(n, path, "a whole number", func(s string) error {
			parsed, err := strconv.Atoi(s)
			v.SetInt(int64(parsed))
			return err
		})
	case reflect.Bool:
		flag, ok := n.(*ast.BoolNode)
		if !ok {
			d.wrong(n, path, "neither true nor false", "write true or false")
			return
		}
		v.SetBool(flag.Value)
	default:
		panic(fmt.Sprintf("config: no decoder for %s", v.Type()))
	}
}

// parsed hands the scalar's text to parse; want says what would have been right.
func (d *document) parsed(n ast.Node, path, want string, parse func(string) error) {
	if _, ok := n.(ast.ScalarNode); !ok {
		d.wrong(n, path, "not "+want, "write "+want)
		return
	}
	if err := parse(n.GetToken().Value); err != nil {
		d.wrong(n, path, "not "+want, "write "+want)
	}
}

func (d *document) wrong(n ast.Node, path, what, fix string) {
	shown := strings.Join(strings.Fields(n.String()), " ")
	if len(shown) > 60 {
		shown = shown[:60] + "…"
	}
	d.add(n.GetToken().Position.Line, fmt.Sprintf("%s: %s is %s: %s", path, shown, what, fix))
}

func (d *document) slice(n ast.Node, v reflect.Value, path string) {
	sequence, ok := n.(*ast.SequenceNode)
	if !ok {
		d.wrong(n, path, "not a list", "write [a, b] or one '- ' line an entry")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(sequence.Values), len(sequence.Values)))
	for i, entry := range sequence.Values {
		entryPath := fmt.Sprintf("%s[%d]", path, i)
		d.lines[entryPath] = entry.GetToken().Position.Line
		d.value(entry, v.Index(i), entryPath)
	}
}

func (d *document) structure(n ast.Node, v reflect.Value, path string) {
	var entries []*ast.MappingValueNode
	switch mapping := n.(type) {
	case *ast.MappingNode:
		entries = mapping.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{mapping}
	default:
		d.wrong(n, orRoot(path), "not a mapping", "write 'key: value' lines")
		return
	}
	fields := fieldsOf(v.Type())
	seen := map[string]bool{}
	for _, entry := range entries {
		key, line := entry.Key.GetToken().Value, entry.Key.GetToken().Position.Line
		index, known := fields[key]
		switch full := join(path, key); {
		case !known:
			d.add(line, fmt.Sprintf("%s: unknown key: %s", full, suggestion(key, fields)))
		case seen[key]:
			d.add(line, fmt.Sprintf("%s: given twice: keep one", full))
		default:
			seen[key] = true
			d.lines[full] = line
			d.value(entry.Value, v.Field(index), full)
		}
	}
}

func fieldsOf(t reflect.Type) map[string]int {
	fields := map[string]int{}
	for i := range t.NumField() {
		if tag := t.Field(i).Tag.Get("yaml"); tag != "" && tag != "-" {
			fields[tag] = i
		}
	}
	return fields
}

func suggestion(key string, fields map[string]int) string {
	names := make([]string, 0, len(fields))
	for name := range fields {
		if strings.EqualFold(strings.NewReplacer("-", "", "_", "").Replace(name), strings.NewReplacer("-", "", "_", "").Replace(key)) {
			return fmt.Sprintf("did you mean %q?", name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return "known here are " + strings.Join(names, ", ")
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func orRoot(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}
