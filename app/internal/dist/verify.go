package main

import (
	"context"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// verify looks at a release as somebody does who has downloaded it.
func (r release) verify(ctx context.Context, dir string) error {
	if err := verifySums(dir); err != nil {
		return err
	}
	for _, p := range platforms {
		if err := r.verifyArchive(ctx, dir, p); err != nil {
			return fmt.Errorf("%s: %w", r.name(p), err)
		}
	}
	return nil
}

func (r release) verifyArchive(ctx context.Context, dir string, p platform) error {
	at, err := os.MkdirTemp("", "dist-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(at)
	if err := unpack(filepath.Join(dir, r.name(p)+p.suffix()), at); err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	at = filepath.Join(at, r.name(p))
	wanted := []string{"LICENSE", "client.md", "man/storagectl.1", "man/storagectl-put.1"}
	for _, shell := range shells {
		wanted = append(wanted, "completions/storagectl."+shell)
	}
	for _, name := range wanted {
		if info, err := os.Stat(filepath.Join(at, filepath.FromSlash(name))); err != nil || info.Size() == 0 {
			return fmt.Errorf("it has no %s", name)
		}
	}
	program := filepath.Join(at, p.program())
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	for name, want := range map[string]string{"GOOS": p.os, "GOARCH": p.arch, "CGO_ENABLED": "0", "-trimpath": "true"} {
		if settings[name] != want {
			return fmt.Errorf("%s of the program is %q, not %q", name, settings[name], want)
		}
	}
	modules := map[string]string{"std": info.GoVersion}
	for _, m := range info.Deps {
		modules[m.Path] = m.Version
	}
	bom, err := os.ReadFile(filepath.Join(dir, r.name(p)+bomSuffix))
	if err != nil {
		return err
	}
	if err := r.verifyBOM(bom, modules); err != nil {
		return err
	}
	if p != host() {
		return nil
	}
	return r.verifyProgram(ctx, program)
}

// verifyBOM compares what a bill of materials lists with the modules that the
// program was linked of.
func (r release) verifyBOM(text []byte, modules map[string]string) error {
	var bom struct {
		BOMFormat  string `json:"bomFormat"`
		Metadata   struct{ Component struct{ Version string } }
		Components []struct{ Name, Version string }
	}
	if err := json.Unmarshal(text, &bom); err != nil {
		return fmt.Errorf("the bill of materials: %w", err)
	}
	if bom.BOMFormat != "CycloneDX" || bom.Metadata.Component.Version != r.version {
		return fmt.Errorf("the bill of materials is one of %q in %q, not of %q in CycloneDX", bom.Metadata.Component.Version, bom.BOMFormat, r.version)
	}
	listed := map[string]string{}
	for _, c := range bom.Components {
		listed[c.Name] = c.Version
	}
	for path, version := range modules {
		if strings.TrimPrefix(listed[path], "go") != strings.TrimPrefix(version, "go") {
			return fmt.Errorf("the bill of materials lists %s as %q, and the program has %q", path, listed[path], version)
		}
	}
	if len(listed) != len(modules) {
		return fmt.Errorf("the bill of materials lists %d modules, and the program has %d", len(listed), len(modules))
	}
	return nil
}

// verifyProgram runs what can be run here.
func (r release) verifyProgram(ctx context.Context, program string) error {
	said, err := output(ctx, nil, program, "--version")
	if err != nil {
		return err
	}
	for _, want := range []string{r.version, r.commit, r.date.Format(time.RFC3339)} {
		if !strings.Contains(said, want) {
			return fmt.Errorf("--version says %q, without %q", said, want)
		}
	}
	for _, shell := range shells {
		script, err := output(ctx, nil, program, "completion", shell)
		if err != nil {
			return err
		}
		if !strings.Contains(script, "storagectl") {
			return fmt.Errorf("completion %s writes %q", shell, script)
		}
	}
	return nil
}
