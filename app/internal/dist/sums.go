package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// sums is the file that `sha256sum --check` reads.
const sums = "SHA256SUMS"

func writeSums(dir string) error {
	text, err := sumsOf(dir)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, sums), []byte(text), 0o644)
}

// verifySums compares the list with the files, none missing and none more.
func verifySums(dir string) error {
	want, err := os.ReadFile(filepath.Join(dir, sums))
	if err != nil {
		return err
	}
	got, err := sumsOf(dir)
	if err != nil {
		return err
	}
	if got != string(want) {
		return fmt.Errorf("%s is not that of the files. It says\n%sand the files are\n%s", sums, want, got)
	}
	return nil
}

func sumsOf(dir string) (string, error) {
	entries, err := os.ReadDir(dir) // sorted
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, e := range entries {
		if e.Name() == sums {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(content), e.Name())
	}
	return b.String(), nil
}
