package release

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Source is a module of its own that builds the server with the exercise's routes: exactly the packages that it needs, without comments, with
// a go.mod and a go.sum that pin every other module.
type Source struct {
	// Files by slash path from the module's root; the package to build is Main.
	Files map[string]string `json:"files"`
	// GoVersion is the oldest Go that builds it, such as 1.25.0.
	GoVersion string `json:"go_version"`
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
	path := filepath.Join(b.Cache, "release", "source-"+in.digest("source", string(in.sum))+".json")
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
// put go.mod and go.sum into the form that a read-only build accepts.
func (b Builder) bundle(ctx context.Context, in inputs) (Source, error) {
	dir, err := os.MkdirTemp("", "bundle-")
	if err != nil {
		return Source{}, err
	}
	defer os.RemoveAll(dir)
	source := Source{Files: map[string]string{}, GoVersion: oldestGo(in.modules)}
	for _, path := range in.paths() {
		content := in.files[path]
		if strings.HasSuffix(path, ".go") {
			if content, err = stripComments(path, content); err != nil {
				return Source{}, err
			}
		}
		source.Files[path] = string(content)
	}
	source.Files["go.mod"] = goMod(in.module, source.GoVersion, in.modules)
	source.Files["go.sum"] = string(checksums(in.sum, in.modules))
	if err := source.Write(dir); err != nil {
		return Source{}, err
	}
	env := append(target("amd64"), "GOTOOLCHAIN=local")
	if _, err := b.goCommand(ctx, dir, env, "build", "-mod=mod", "-trimpath", "-o", os.DevNull, sourceMain); err != nil {
		return Source{}, err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return Source{}, err
		}
		source.Files[name] = string(content)
	}
	return source, nil
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
