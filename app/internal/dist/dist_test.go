package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var date = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestAnArchiveIsTheSameBytesAgainAndGivesBackItsFiles(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{".zip", ".tar.gz"} {
		t.Run(suffix, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			files := []file{
				{name: "storagectl", path: filepath.Join(dir, "a"), mode: 0o755},
				{name: "man/storagectl.1", path: filepath.Join(dir, "b")},
			}
			var archives [2][]byte
			for i := range archives {
				write(t, files[0].path, "program")
				write(t, files[1].path, "page")
				if err := os.Chtimes(files[0].path, date, date.Add(time.Duration(i)*time.Hour)); err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(dir, "out"+suffix)
				if err := pack(path, "folder", files, date); err != nil {
					t.Fatal(err)
				}
				archives[i] = []byte(read(t, path))
			}
			if !bytes.Equal(archives[0], archives[1]) {
				t.Error("the second archive has other bytes")
			}
			to := t.TempDir()
			if err := unpack(filepath.Join(dir, "out"+suffix), to); err != nil {
				t.Fatal(err)
			}
			program, page := filepath.Join(to, "folder", "storagectl"), filepath.Join(to, "folder", "man", "storagectl.1")
			if read(t, program) != "program" || read(t, page) != "page" {
				t.Error("other content came out")
			}
			if info, err := os.Stat(program); err != nil || info.Mode().Perm()&0o100 == 0 {
				t.Errorf("the program is %v, %v", info.Mode(), err)
			}
		})
	}
}

func TestAnArchiveCannotWriteOutsideOfItsFolder(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{".zip", ".tar.gz"} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "a"), "a")
		path := filepath.Join(dir, "out"+suffix)
		if err := pack(path, "..", []file{{name: "escaped", path: filepath.Join(dir, "a")}}, date); err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, "to")
		if err := os.Mkdir(to, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := unpack(path, to); err == nil {
			t.Errorf("%s: no error", suffix)
		}
		if _, err := os.Stat(filepath.Join(dir, "escaped")); err == nil {
			t.Errorf("%s: a file is outside", suffix)
		}
	}
}

func TestSumsHoldForTheFilesThatWereSummedOnly(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(dir string) error{
		"changed": func(dir string) error { return os.WriteFile(filepath.Join(dir, "a"), []byte("other"), 0o600) },
		"missing": func(dir string) error { return os.Remove(filepath.Join(dir, "a")) },
		"more":    func(dir string) error { return os.WriteFile(filepath.Join(dir, "c"), nil, 0o600) },
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "a"), "a")
		write(t, filepath.Join(dir, "b"), "b")
		if err := writeSums(dir); err != nil {
			t.Fatal(err)
		}
		if err := verifySums(dir); err != nil {
			t.Fatal(err)
		}
		if err := change(dir); err != nil {
			t.Fatal(err)
		}
		if err := verifySums(dir); err == nil {
			t.Errorf("%s: the sums hold", name)
		}
	}
}

func TestABillOfMaterialsListsTheModulesOfTheProgramAndNoOthers(t *testing.T) {
	t.Parallel()
	const bom = `{"bomFormat":"CycloneDX","metadata":{"component":{"version":"v1.0.0"}},"components":[{"name":"std","version":"go1.26.8"},{"name":"example.com/a","version":"v1.2.3"}]}`
	for _, test := range []struct {
		name, bom, version string
		modules            map[string]string
		wrong              string
	}{
		{"right", bom, "v1.0.0", map[string]string{"std": "go1.26.8", "example.com/a": "v1.2.3"}, ""},
		{"of another version", bom, "v1.0.1", nil, "not of \"v1.0.1\""},
		{"another module's version", bom, "v1.0.0", map[string]string{"std": "go1.26.8", "example.com/a": "v1.2.4"}, "example.com/a"},
		{"a module missing", bom, "v1.0.0", map[string]string{"std": "go1.26.8", "example.com/a": "v1.2.3", "example.com/b": "v1.0.0"}, "example.com/b"},
		{"a module more", bom, "v1.0.0", map[string]string{"std": "go1.26.8"}, "lists 2"},
		{"no JSON", "<bom/>", "v1.0.0", nil, "bill of materials"},
	} {
		err := release{version: test.version}.verifyBOM([]byte(test.bom), test.modules)
		if (err == nil) != (test.wrong == "") || err != nil && !strings.Contains(err.Error(), test.wrong) {
			t.Errorf("%s: %v, want %q", test.name, err, test.wrong)
		}
	}
}

func TestOnlyAReleaseIsRemovedFromTheFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	release := []string{"storagectl_1.0.0_linux_amd64.tar.gz", "storagectl_1.0.0_linux_amd64" + bomSuffix, sums}
	for _, name := range append(release, "mine") {
		write(t, filepath.Join(dir, name), "")
	}
	if err := empty(dir); err == nil || !strings.Contains(err.Error(), "mine") {
		t.Errorf("error %v", err)
	}
	for _, name := range append(release, "mine") {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "mine")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := empty(dir); err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left are %v, %v", left, err)
		}
	}
	if err := empty(filepath.Join(dir, "new", "folder")); err != nil {
		t.Error(err)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
