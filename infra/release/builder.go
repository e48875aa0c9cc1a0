package release

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// The packages to build: the whole server, and the smaller one whose source fits into user-data.
const (
	binaryMain = "./app/cmd/storaged"
	sourceMain = "./app/cmd/storaged-baked"
)

// Name is the program's file name.
const Name = "storaged"

// Builder prepares releases of the project.
type Builder struct {
	// Root is the project's folder, where go.mod is. Required.
	Root string
	// Cache is a folder for what is built; it may be deleted at any time. Required.
	Cache string

	asked map[string]inputs // by package and architecture; nil: asks each time
}

// Remembering returns a builder that asks the go command once for each program and architecture: for a program that ends before
// anybody changes the source, as synthesizing does.
func (b Builder) Remembering() Builder {
	b.asked = map[string]inputs{}
	return b
}

// inputs are everything that decides what a release is made of.
type inputs struct {
	toolchain string            // such as go1.26.8
	module    string            // the project's module path
	files     map[string][]byte // the module's files that the program needs, by slash path from the root
	modules   []module          // the other modules, sorted by path
	sum       []byte            // go.sum
	others    []listed          // the packages that are not the module's own
}

type module struct{ Path, Version, GoVersion string }

// listed is what `go list -deps -json` says of a package.
type listed struct {
	Dir        string
	ImportPath string
	GoFiles    []string
	EmbedFiles []string
	Standard   bool
	Module     *struct {
		Path, Version, GoVersion string
		Main                     bool
		Replace                  *struct{ Path string }
	}
}

// inputs asks the go command what main needs when it is built for Linux on arch (Go's spelling).
func (b Builder) inputs(ctx context.Context, main, arch string) (inputs, error) {
	if in, ok := b.asked[main+" "+arch]; ok {
		return in, nil
	}
	in, err := b.ask(ctx, main, arch)
	if err == nil && b.asked != nil {
		b.asked[main+" "+arch] = in
	}
	return in, err
}

func (b Builder) ask(ctx context.Context, main, arch string) (inputs, error) {
	out, err := b.goCommand(ctx, b.Root, target(arch), "list", "-deps", "-json=Dir,ImportPath,GoFiles,EmbedFiles,Standard,Module", main)
	if err != nil {
		return inputs{}, err
	}
	toolchain, err := b.goCommand(ctx, b.Root, nil, "env", "GOVERSION")
	if err != nil {
		return inputs{}, err
	}
	in := inputs{toolchain: strings.TrimSpace(string(toolchain)), files: map[string][]byte{}}
	if in.sum, err = os.ReadFile(filepath.Join(b.Root, "go.sum")); err != nil {
		return inputs{}, fmt.Errorf("read the project's checksums: %w", err)
	}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		switch err := decoder.Decode(&p); {
		case errors.Is(err, io.EOF):
			slices.SortFunc(in.modules, func(x, y module) int { return strings.Compare(x.Path, y.Path) })
			in.modules = slices.Compact(in.modules)
			return in, nil
		case err != nil:
			return inputs{}, fmt.Errorf("read what go list says of %s: %w", main, err)
		}
		if err := b.add(&in, p); err != nil {
			return inputs{}, err
		}
	}
}

func (b Builder) add(in *inputs, p listed) error {
	switch {
	case p.Standard:
		in.others = append(in.others, p)
		return nil
	case p.Module == nil:
		return fmt.Errorf("package %s belongs to no module: vendoring is not supported", p.ImportPath)
	case p.Module.Replace != nil:
		return fmt.Errorf("module %s is replaced by %s: a release takes published modules only", p.Module.Path, p.Module.Replace.Path)
	case !p.Module.Main:
		in.modules = append(in.modules, module{p.Module.Path, p.Module.Version, p.Module.GoVersion})
		in.others = append(in.others, p)
		return nil
	}
	in.module = p.Module.Path
	for _, name := range slices.Concat(p.GoFiles, p.EmbedFiles) {
		path := filepath.Join(p.Dir, name)
		content, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read source: %w", err)
		}
		relative := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, p.Module.Path), "/")
		in.files[relative+"/"+filepath.ToSlash(name)] = content
	}
	return nil
}

// digest names the inputs. parts say what else decides about the output.
func (in inputs) digest(parts ...string) string {
	hash := sha256.New()
	write := func(fields ...string) {
		for _, field := range fields {
			fmt.Fprintf(hash, "%d:%s,", len(field), field)
		}
	}
	write(parts...)
	write(in.toolchain, in.module)
	for _, m := range in.modules {
		write(m.Path, m.Version)
	}
	for _, path := range in.paths() {
		write(path, string(in.files[path]))
	}
	return hex.EncodeToString(hash.Sum(nil))
}

func (in inputs) paths() []string {
	paths := make([]string, 0, len(in.files))
	for path := range in.files {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}

// target is the environment of a build for arch: Linux, without C, and nothing of the user's own build flags.
func target(arch string) []string {
	return []string{"GOOS=linux", "GOARCH=" + arch, "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT="}
}

// goCommand runs the go command in dir and returns what it prints; its complaint is part of the error.
func (b Builder) goCommand(ctx context.Context, dir string, env []string, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = dir
	command.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("go %s in %s: %w\n%s", strings.Join(args, " "), dir, err, strings.TrimSpace(stderr.String()))
	}
	return stdout.Bytes(), nil
}

// store writes content to path as a whole or not at all, so that an interrupted build leaves no half file in the cache.
func store(path string, content []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make cache: %w", err)
	}
	partial, err := os.CreateTemp(filepath.Dir(path), ".partial-*")
	if err != nil {
		return fmt.Errorf("make cache entry: %w", err)
	}
	defer os.Remove(partial.Name()) // gone already when all went well
	_, err = partial.Write(content)
	if err = errors.Join(err, partial.Chmod(mode), partial.Close()); err != nil {
		return fmt.Errorf("write cache entry: %w", err)
	}
	return os.Rename(partial.Name(), path)
}
