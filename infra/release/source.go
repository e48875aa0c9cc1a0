package release

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Source is a module of its own that builds the smaller server: exactly the declarations that it needs, without comments, a file for each
// package, with a go.mod and a checksum that pin every other module.
type Source struct {
	// Files by slash path from the module's root; the package to build is Main.
	Files map[string]string `json:"files"`
	// GoVersion is the oldest Go that builds it, such as 1.25.0.
	GoVersion string `json:"go_version"`
	// Sum is the SHA-256 of the lines of go.sum that are not about go.mod files, in the order in which the go command writes
	// them, in hexadecimal. It stands for go.sum, which Files has not: the go command writes it, and this tells whether it is
	// the right one.
	Sum string `json:"sum"`
}

// Main is the package to build, from the module's root.
const Main = sourceMain

// Source prepares the server's source, or finds an earlier one of the same inputs.
func (b Builder) Source(ctx context.Context) (Source, error) {
	// The architecture decides about build tags only; the server has none, and the test that builds the source for
	// both would notice.
	in, err := b.inputs(ctx, sourceMain, "amd64")
	if err != nil {
		return Source{}, fmt.Errorf("bundle the source of %s: %w", Name, err)
	}
	path := filepath.Join(b.Cache, "release", "source-"+in.digest("source without what nothing uses", string(in.sum))+".json")
	if content, err := os.ReadFile(path); err == nil {
		var cached Source
		if err := json.Unmarshal(content, &cached); err != nil {
			return Source{}, fmt.Errorf("read the cached source bundle %s: %w: delete the file", path, err)
		}
		return cached, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return Source{}, fmt.Errorf("read the cached source bundle: %w", err)
	}
	source, err := b.bundle(ctx, in)
	if err != nil {
		return Source{}, fmt.Errorf("bundle the source of %s: %w", Name, err)
	}
	content, err := json.Marshal(source)
	if err != nil {
		return Source{}, fmt.Errorf("keep the source bundle: %w", err)
	}
	return source, store(path, content, 0o644)
}

// bundle writes the module to a temporary folder and builds it once: that proves it complete, and lets the go command
// put go.mod into the form that a read-only build accepts.
func (b Builder) bundle(ctx context.Context, in inputs) (Source, error) {
	dir, err := os.MkdirTemp("", "bundle-")
	if err != nil {
		return Source{}, err
	}
	defer os.RemoveAll(dir)
	called, err := interfaceMethods(in.others)
	if err != nil {
		return Source{}, err
	}
	files := map[string]string{}
	for _, path := range in.paths() {
		if !strings.HasSuffix(path, ".go") {
			return Source{}, fmt.Errorf("%s is no Go source: what the server embeds cannot be told from what it does not need", path)
		}
		content, err := stripComments(path, in.files[path])
		if err != nil {
			return Source{}, err
		}
		files[path] = string(content)
	}
	if files, err = shake(in.module, sourceMain, files, called); err != nil {
		return Source{}, err
	}
	source := Source{Files: files}
	env := append(target("amd64"), "GOTOOLCHAIN=local")
	// The modules that what is left needs.
	source.pin(in, in.modules)
	if err := source.Write(dir); err != nil {
		return Source{}, err
	}
	needed, err := b.goCommand(ctx, dir, env, "list", "-mod=mod", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", sourceMain)
	if err != nil {
		return Source{}, err
	}
	source.pin(in, slices.DeleteFunc(slices.Clone(in.modules), func(m module) bool { return !slices.Contains(strings.Fields(string(needed)), m.Path) }))
	if err := source.Write(dir); err != nil {
		return Source{}, err
	}
	if _, err := b.goCommand(ctx, dir, env, "build", "-mod=mod", "-trimpath", "-o", os.DevNull, sourceMain); err != nil {
		return Source{}, err
	}
	content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return Source{}, err
	}
	source.Files["go.mod"] = string(content)
	if content, err = os.ReadFile(filepath.Join(dir, "go.sum")); err != nil {
		return Source{}, err
	}
	delete(source.Files, "go.sum")
	hash := sha256.New()
	for line := range bytes.Lines(content) {
		if !bytes.Contains(line, []byte("/go.mod ")) {
			hash.Write(line)
		}
	}
	source.Sum = hex.EncodeToString(hash.Sum(nil))
	return source, nil
}

// pin makes the source's go.mod and go.sum those of modules.
func (s *Source) pin(in inputs, modules []module) {
	s.GoVersion = oldestGo(modules)
	s.Files["go.mod"] = goMod(in.module, s.GoVersion, modules)
	s.Files["go.sum"] = string(checksums(in.sum, modules))
}

// Write unpacks the source into dir.
func (s Source) Write(dir string) error {
	for name, content := range s.Files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("unpack the source: %w", err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return fmt.Errorf("unpack the source: %w", err)
		}
	}
	return nil
}

// oldestGo is the newest Go that any module asks for, which is the oldest that builds them all.
func oldestGo(modules []module) string {
	oldest := "1.21"
	for _, m := range modules {
		if version.Compare("go"+m.GoVersion, "go"+oldest) > 0 {
			oldest = m.GoVersion
		}
	}
	return oldest
}

func goMod(path, goVersion string, modules []module) string {
	var text strings.Builder
	fmt.Fprintf(&text, "module %s\n\ngo %s\n\nrequire (\n", path, goVersion)
	for _, m := range modules {
		fmt.Fprintf(&text, "\t%s %s\n", m.Path, m.Version)
	}
	text.WriteString(")\n")
	return text.String()
}

// checksums are the lines of sum that are about modules.
func checksums(sum []byte, modules []module) []byte {
	wanted := map[string]bool{}
	for _, m := range modules {
		wanted[m.Path+" "+m.Version] = true
		wanted[m.Path+" "+m.Version+"/go.mod"] = true
	}
	var kept bytes.Buffer
	for line := range bytes.Lines(sum) {
		if i := bytes.LastIndexByte(line, ' '); i > 0 && wanted[string(line[:i])] {
			kept.Write(line)
		}
	}
	return kept.Bytes()
}
