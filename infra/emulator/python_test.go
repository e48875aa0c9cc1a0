package emulator

import (
	"path/filepath"
	"testing"
)

func TestTheInterpreterOfAScript(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	beside := filepath.Join(dir, "python3")
	for name, c := range map[string]struct{ text, want string }{
		"a script of pip":        {"#!/usr/lib/venv/bin/python3.12\nimport moto\n", "/usr/lib/venv/bin/python3.12"},
		"a version manager":      {"#!/usr/bin/env bash\nexec pyenv\n", beside},
		"through env":            {"#!/usr/bin/env python3\n", beside},
		"a program, not a text":  {"\x7fELF", beside},
		"nothing that is a line": {"", beside},
	} {
		path := filepath.Join(dir, "moto_server")
		if err := writeFile(path, []byte(c.text), 0o755); err != nil {
			t.Fatal(err)
		}
		if got := interpreter(path); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
