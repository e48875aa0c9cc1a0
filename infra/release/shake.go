package release

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// shake takes out of files, Go source by slash path of the module called module, what the package main never comes to: top-level
// declarations that nothing names, methods that nothing calls, imports and packages that are then without use. It goes by
// names and takes no types into account, so it errs by keeping. What is left of a package is one file. Methods whose names are in called, which are those of the
// interfaces that other modules and the standard library have, stay with their types: somebody may call them there.
func shake(module, main string, files map[string]string, called map[string]bool) (map[string]string, error) {
	s := shaker{module: module, called: called, packages: map[string]*sourcePackage{}, named: map[string]bool{}}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := s.add(name, files[name]); err != nil {
			return nil, fmt.Errorf("shake %s: %w", name, err)
		}
	}
	s.use(path.Clean(main), "main")
	s.drain()
	kept := map[string]string{}
	for folder, p := range s.packages {
		text, err := p.render(s.set)
		if err != nil {
			return nil, fmt.Errorf("shake %s: %w", folder, err)
		}
		if text != "" {
			kept[folder+"/"+path.Base(folder)+".go"] = text
		}
	}
	return kept, nil
}

type shaker struct {
	module   string
	set      *token.FileSet
	called   map[string]bool
	packages map[string]*sourcePackage // by folder
	named    map[string]bool           // what used code names after a dot
	waiting  []*declaration
}

type sourcePackage struct {
	files   []*sourceFile
	names   map[string][]*declaration
	methods map[string][]*declaration // by the receiver's type
	entered bool
}

type sourceFile struct {
	name    string
	ast     *ast.File
	imports map[string]string // folders of the module's own packages, by the name that the file gives them
	all     []*declaration
}

// declaration is a function, a method, or one specification of a const, var or type.
type declaration struct {
	file   *sourceFile
	in     *sourcePackage
	node   ast.Node
	method string // its name, "" for what is no method
	used   bool
}

func (s *shaker) add(name, text string) error {
	if s.set == nil {
		s.set = token.NewFileSet()
	}
	parsed, err := parser.ParseFile(s.set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	folder := path.Dir(name)
	p := s.packages[folder]
	if p == nil {
		p = &sourcePackage{names: map[string][]*declaration{}, methods: map[string][]*declaration{}}
		s.packages[folder] = p
	}
	f := &sourceFile{name: name, ast: parsed, imports: map[string]string{}}
	p.files = append(p.files, f)
	for _, i := range parsed.Imports {
		target, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return err
		}
		if below, own := strings.CutPrefix(target, s.module+"/"); own {
			f.imports[importName(i)] = below
		}
	}
	for _, d := range parsed.Decls {
		s.declare(p, f, d)
	}
	return nil
}

// importName is what a file calls an import: its last element, but for a version, as all that the project imports is.
func importName(i *ast.ImportSpec) string {
	if i.Name != nil {
		return i.Name.Name
	}
	target, _ := strconv.Unquote(i.Path.Value) // the parser has read it
	if base := path.Base(target); !versionElement.MatchString(base) {
		return base
	}
	return path.Base(path.Dir(target))
}

var versionElement = regexp.MustCompile(`^v[0-9]+$`)

func (s *shaker) declare(p *sourcePackage, f *sourceFile, d ast.Decl) {
	enter := func(node ast.Node, names ...string) {
		entry := &declaration{file: f, in: p, node: node}
		f.all = append(f.all, entry)
		for _, name := range names {
			p.names[name] = append(p.names[name], entry)
		}
	}
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			enter(d, d.Name.Name)
			return
		}
		entry := &declaration{file: f, in: p, node: d, method: d.Name.Name}
		f.all = append(f.all, entry)
		receiver := receiverName(d.Recv.List[0].Type)
		p.methods[receiver] = append(p.methods[receiver], entry)
	case *ast.GenDecl:
		counted := d.Tok == token.CONST && slices.ContainsFunc(d.Specs, func(spec ast.Spec) bool { return len(spec.(*ast.ValueSpec).Values) == 0 || mentions(spec, "iota") })
		if counted { // what stands before decides the others' values
			var names []string
			for _, spec := range d.Specs {
				names = append(names, identifiers(spec.(*ast.ValueSpec).Names)...)
			}
			enter(d, names...)
			return
		}
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				enter(spec, spec.Name.Name)
			case *ast.ValueSpec:
				enter(spec, identifiers(spec.Names)...)
			}
		}
	}
}

func receiverName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiverName(e.X)
	case *ast.IndexExpr:
		return receiverName(e.X)
	case *ast.IndexListExpr:
		return receiverName(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

func identifiers(names []*ast.Ident) []string {
	var all []string
	for _, n := range names {
		all = append(all, n.Name)
	}
	return all
}

func mentions(n ast.Node, name string) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		i, ok := n.(*ast.Ident)
		found = found || ok && i.Name == name
		return !found
	})
	return found
}

// use marks what a package calls name.
func (s *shaker) use(folder, name string) {
	p := s.packages[folder]
	if p == nil {
		return
	}
	s.enter(p)
	for _, d := range p.names[name] {
		s.mark(d)
	}
}

// enter marks what runs because a package is there: its init functions. What var _ asserts, the whole program asserts.
func (s *shaker) enter(p *sourcePackage) {
	if p.entered {
		return
	}
	p.entered = true
	for _, d := range p.names["init"] {
		s.mark(d)
	}
}

func (s *shaker) mark(d *declaration) {
	if !d.used {
		d.used = true
		s.waiting = append(s.waiting, d)
	}
}

// drain follows what used declarations name until nothing is new.
func (s *shaker) drain() {
	for len(s.waiting) > 0 {
		d := s.waiting[0]
		s.waiting = s.waiting[1:]
		ast.Inspect(d.node, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				s.named[n.Sel.Name] = true
				if left, ok := n.X.(*ast.Ident); ok && d.file.imports[left.Name] != "" {
					s.use(d.file.imports[left.Name], n.Sel.Name)
				}
			case *ast.InterfaceType:
				for _, method := range n.Methods.List {
					for _, name := range method.Names {
						s.named[name.Name] = true
					}
				}
			case *ast.Ident:
				for _, other := range d.in.names[n.Name] {
					s.mark(other)
				}
			}
			return true
		})
		if len(s.waiting) == 0 {
			s.markMethods()
		}
	}
}

// markMethods marks the methods of used types that something calls.
func (s *shaker) markMethods() {
	for _, p := range s.packages {
		for receiver, methods := range p.methods {
			used := slices.ContainsFunc(p.names[receiver], func(d *declaration) bool { return d.used })
			for _, m := range methods {
				if used && (s.named[m.method] || s.called[m.method]) {
					s.mark(m)
				}
			}
		}
	}
}

// render writes what of the package is used into one file, "" where nothing is: each file has its list of imports.
func (p *sourcePackage) render(set *token.FileSet) (string, error) {
	imports, names := map[string]*ast.ImportSpec{}, map[string]bool{}
	var body bytes.Buffer
	for _, f := range p.files {
		for _, d := range f.used() {
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					if left, ok := n.X.(*ast.Ident); ok {
						names[left.Name] = true
					}
				case *ast.Field:
					n.Tag = undocumented(n.Tag)
				}
				return true
			})
			if err := format.Node(&body, set, d); err != nil {
				return "", err
			}
			body.WriteString("\n\n")
		}
		for _, i := range f.ast.Imports {
			name := importName(i)
			if other := imports[name]; other != nil && other.Path.Value != i.Path.Value {
				return "", fmt.Errorf("%s is %s in one file and %s in another", name, other.Path.Value, i.Path.Value)
			}
			imports[name] = i
		}
	}
	if body.Len() == 0 {
		return "", nil
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "package %s\n\nimport (\n", p.files[0].ast.Name.Name)
	specs := slices.SortedFunc(maps.Values(imports), func(a, b *ast.ImportSpec) int { return strings.Compare(a.Path.Value, b.Path.Value) })
	for _, i := range specs {
		if !names[importName(i)] && importName(i) != "_" {
			continue
		}
		if i.Name != nil {
			text.WriteString(i.Name.Name + " ")
		}
		text.WriteString(i.Path.Value + "\n")
	}
	text.WriteString(")\n\n")
	text.Write(body.Bytes())
	// Comments leave empty lines inside of declarations.
	tidy, err := format.Source(bytes.ReplaceAll(text.Bytes(), []byte("\n\n\t"), []byte("\n\t")))
	return strings.Replace(string(tidy), "import ()\n\n", "", 1), err
}

// used are the file's declarations without what nothing uses.
func (f *sourceFile) used() []ast.Decl {
	used := map[ast.Node]bool{}
	for _, d := range f.all {
		used[d.node] = d.used
	}
	var kept []ast.Decl
	for _, d := range f.ast.Decls {
		g, general := d.(*ast.GenDecl)
		switch {
		case general && g.Tok == token.IMPORT:
		case used[d]:
			kept = append(kept, d)
		case general:
			g.Specs = slices.DeleteFunc(g.Specs, func(spec ast.Spec) bool { return !used[spec] })
			if len(g.Specs) > 0 {
				kept = append(kept, g)
			}
		}
	}
	return kept
}

// undocumented is a field's tag without what only the API's document is made of.
func undocumented(tag *ast.BasicLit) *ast.BasicLit {
	if tag == nil {
		return nil
	}
	text, _ := strconv.Unquote(tag.Value) // the parser has read it
	if _, found := reflect.StructTag(text).Lookup("doc"); !found {
		return tag
	}
	json := reflect.StructTag(text).Get("json")
	return &ast.BasicLit{ValuePos: tag.ValuePos, Kind: token.STRING, Value: "`json:" + strconv.Quote(json) + "`"}
}

// interfaceMethods are the names of all methods that the packages' interfaces have.
func interfaceMethods(packages []listed) (map[string]bool, error) {
	names := map[string]bool{}
	for _, p := range packages {
		for _, file := range p.GoFiles {
			parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.SkipObjectResolution)
			if err != nil {
				return nil, fmt.Errorf("read the interfaces of %s: %w", p.ImportPath, err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				if i, ok := n.(*ast.InterfaceType); ok {
					for _, method := range i.Methods.List {
						for _, name := range method.Names {
							names[name.Name] = true
						}
					}
				}
				return true
			})
		}
	}
	return names, nil
}
