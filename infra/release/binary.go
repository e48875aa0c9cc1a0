package release

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Prefix is where builds lie in the releases bucket.
const Prefix = Name + "/"

// Binary is a static, stripped build of the whole server.
type Binary struct {
	Path   string // the file on this machine
	SHA256 string // in hexadecimal
	Size   int64  // bytes
}

// Key is the binary's key in the releases bucket: its content decides it.
func (b Binary) Key() string { return Prefix + b.SHA256 }

// goArchitectures maps AWS's spelling to Go's.
var goArchitectures = map[string]string{"x86_64": "amd64", "arm64": "arm64"}

// Binary builds the server for architecture (AWS's spelling: x86_64, arm64), or finds an earlier build of the same
// inputs. The same toolchain and sources give the same bytes, wherever the project lies.
func (b Builder) Binary(ctx context.Context, architecture string) (Binary, error) {
	arch, known := goArchitectures[architecture]
	if !known {
		return Binary{}, fmt.Errorf("build %s: %q is neither x86_64 nor arm64", Name, architecture)
	}
	in, err := b.inputs(ctx, binaryMain, arch)
	if err != nil {
		return Binary{}, fmt.Errorf("build %s: %w", Name, err)
	}
	path := filepath.Join(b.Cache, "release", "binary-"+in.digest("binary", arch), Name)
	if content, err := os.ReadFile(path); err == nil {
		return describe(path, content), nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return Binary{}, fmt.Errorf("read the cached build: %w", err)
	}
	return b.build(ctx, arch, path)
}

func (b Builder) build(ctx context.Context, arch, path string) (Binary, error) {
	temporary, err := os.MkdirTemp("", "release-")
	if err != nil {
		return Binary{}, fmt.Errorf("build %s: %w", Name, err)
	}
	defer os.RemoveAll(temporary)
	output := filepath.Join(temporary, Name)
	if _, err := b.goCommand(ctx, b.Root, target(arch), "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", output, binaryMain); err != nil {
		return Binary{}, fmt.Errorf("build %s for %s: %w", Name, arch, err)
	}
	content, err := os.ReadFile(output)
	if err != nil {
		return Binary{}, fmt.Errorf("read the build: %w", err)
	}
	if err := store(path, content, 0o755); err != nil {
		return Binary{}, err
	}
	return describe(path, content), nil
}

func describe(path string, content []byte) Binary {
	digest := sha256.Sum256(content)
	return Binary{Path: path, SHA256: hex.EncodeToString(digest[:]), Size: int64(len(content))}
}
