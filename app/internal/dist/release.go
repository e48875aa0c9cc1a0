package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	command   = "./app/cmd/storagectl"
	bomSuffix = ".cdx.json" // CycloneDX's, https://cyclonedx.org/specification/overview/
)

// release is what is built: a commit, and what it is called.
type release struct {
	version string // v1.2.3, or v0.0.0-<commit> before the first tag; -dirty where files have changed
	commit  string
	date    time.Time // the commit's: the same sources make the same bytes
}

// identify asks git.
func identify(ctx context.Context) (release, error) {
	text, err := output(ctx, nil, "git", "log", "-1", "--format=%H %ct")
	if err != nil {
		return release{}, fmt.Errorf("a release is made of a commit: %w", err)
	}
	commit, seconds, _ := strings.Cut(strings.TrimSpace(text), " ")
	epoch, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return release{}, fmt.Errorf("the commit's time: %w", err)
	}
	version, err := output(ctx, nil, "git", "describe", "--tags", "--match", "v[0-9]*", "--dirty")
	if err != nil { // no tag
		if version, err = output(ctx, nil, "git", "describe", "--always", "--exclude", "*", "--dirty"); err != nil {
			return release{}, err
		}
		version = "v0.0.0-" + version
	}
	return release{version: strings.TrimSpace(version), commit: commit, date: time.Unix(epoch, 0).UTC()}, nil
}

// platform is an operating system and a kind of processor, as Go calls them.
type platform struct{ os, arch string }

var platforms = []platform{
	{"linux", "amd64"}, {"linux", "arm64"},
	{"darwin", "amd64"}, {"darwin", "arm64"},
	{"windows", "amd64"}, {"windows", "arm64"},
}

func host() platform { return platform{runtime.GOOS, runtime.GOARCH} }

func (p platform) program() string {
	if p.os == "windows" {
		return "storagectl.exe"
	}
	return "storagectl"
}

// suffix is that of the archives that each system opens by itself.
func (p platform) suffix() string {
	if p.os == "windows" {
		return ".zip"
	}
	return ".tar.gz"
}

// name is that of an archive, without its suffix, and of the folder in it.
func (r release) name(p platform) string {
	return "storagectl_" + strings.TrimPrefix(r.version, "v") + "_" + p.os + "_" + p.arch
}

// build returns the path of the program, static and without this machine's paths.
func (r release) build(ctx context.Context, work string, p platform) (string, error) {
	program := filepath.Join(work, p.os+"-"+p.arch, p.program())
	stamp := fmt.Sprintf("-s -w -X main.releaseVersion=%s -X main.releaseCommit=%s -X main.releaseDate=%s", r.version, r.commit, r.date.Format(time.RFC3339))
	_, err := output(ctx, []string{"CGO_ENABLED=0", "GOOS=" + p.os, "GOARCH=" + p.arch},
		"go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", stamp, "-o", program, command)
	return program, err
}

// extras has the program itself write its manual and its completions into work.
func (r release) extras(ctx context.Context, program, work string) ([]file, error) {
	pages := filepath.Join(work, "man")
	if _, err := output(ctx, []string{fmt.Sprintf("SOURCE_DATE_EPOCH=%d", r.date.Unix())}, program, "man", "--to", pages); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(pages)
	if err != nil {
		return nil, err
	}
	files := []file{{name: "LICENSE", path: "LICENSE"}, {name: "client.md", path: filepath.Join("docs", "client.md")}}
	for _, page := range entries {
		files = append(files, file{name: "man/" + page.Name(), path: filepath.Join(pages, page.Name())})
	}
	for _, shell := range shells {
		script, err := output(ctx, nil, program, "completion", shell)
		if err != nil {
			return nil, err
		}
		path := filepath.Join(work, "storagectl."+shell)
		if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
			return nil, err
		}
		files = append(files, file{name: "completions/storagectl." + shell, path: path})
	}
	return files, nil
}

var shells = []string{"bash", "fish", "powershell", "zsh"}

// bom writes the modules that a program is linked of, as the program itself tells them.
func (r release) bom(ctx context.Context, program, path string) error {
	_, err := output(ctx, nil, "go", "tool", "-modfile=.ci/sbom/go.mod", "cyclonedx-gomod", "bin", "-json", "-std", "-noserial", "-notimestamp",
		"-version", r.version, "-output", path, program)
	return err
}

// output runs a command and returns what it says.
func output(ctx context.Context, environ []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = slices.Concat(os.Environ(), environ)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cmd, err, &stderr)
	}
	return string(out), nil
}
