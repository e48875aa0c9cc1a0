// Package envfile writes the composer's .env: generated secrets and the way to
// the storage API, once, for its owner's eyes only.
package envfile

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"cloudstorage/app/settings"
)

// Name is the file's name, in app/composer.
const Name = ".env"

// The names of what the caller decides; all others are generated.
const (
	StorageURL = "STORAGE_URL"
	StorageKey = "STORAGE_KEY"
)

// mode is for its owner only.
const mode fs.FileMode = 0o600

// variable is one line of the file.
type variable struct {
	name string
	make func() string
}

// variables are the lines in their order. Passwords stand in URLs, so they are
// letters and digits only.
var variables = []variable{
	{"POSTGRES_PASSWORD", rand.Text},
	{"REDIS_PASSWORD", rand.Text},
	{"AIRFLOW_FERNET_KEY", fernetKey},
	{"AIRFLOW_SECRET_KEY", rand.Text},
	{"AIRFLOW_JWT_SECRET", jwtSecret},
	{"AIRFLOW_ADMIN_PASSWORD", rand.Text},
	{"FLOWER_PASSWORD", rand.Text},
	{StorageURL, func() string { return "http://127.0.0.1:" + strconv.Itoa(settings.Port) }},
}

// fernetKey is a key of https://github.com/fernet/spec: 256 random bits.
func fernetKey() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the program first
	return base64.URLEncoding.EncodeToString(key)
}

// jwtSecret has as many random bits as HS512, which Airflow signs with, has
// bits: https://www.rfc-editor.org/rfc/rfc7518#section-3.2
func jwtSecret() string { return rand.Text() + rand.Text() + rand.Text() + rand.Text() }

// plain are values that mean themselves in a .env file, unquoted.
var plain = regexp.MustCompile(`^[A-Za-z0-9._~:/+=@%-]+$`)

// Result says what was done.
type Result struct {
	Added   []string // the names that were written, in the file's order
	Missing []string // the names that only the caller can give
}

// Write makes the file at path, or adds to it what it lacks: no line that is
// there changes. given are values that the caller decides, which may be empty.
func Write(path string, given map[string]string) (Result, error) {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Result{}, fmt.Errorf("read the composer's settings: %w", err)
	}
	isNew := err != nil
	there := names(old)

	var r Result
	var lines bytes.Buffer
	add := func(name, value string) {
		fmt.Fprintf(&lines, "%s=%s\n", name, value)
		r.Added = append(r.Added, name)
	}
	for _, name := range []string{StorageURL, StorageKey} {
		if value := given[name]; value != "" && !plain.MatchString(value) {
			return Result{}, fmt.Errorf("%s has other characters than letters, digits and ._~:/+=@%%-: set it without them", name) // it may be a secret
		}
	}
	for _, v := range variables {
		switch {
		case there[v.name]:
		case given[v.name] != "":
			add(v.name, given[v.name])
		default:
			add(v.name, v.make())
		}
	}
	switch {
	case there[StorageKey]:
	case given[StorageKey] != "":
		add(StorageKey, given[StorageKey])
	default:
		r.Missing = append(r.Missing, StorageKey)
	}
	if isNew {
		return r, create(path, lines.Bytes())
	}
	if len(old) > 0 && !bytes.HasSuffix(old, []byte("\n")) && lines.Len() > 0 {
		lines = *bytes.NewBuffer(append([]byte("\n"), lines.Bytes()...))
	}
	return r, extend(path, lines.Bytes())
}

// names are the variables that content gives a value.
func names(content []byte) map[string]bool {
	there := map[string]bool{}
	for line := range strings.Lines(string(content)) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		if value != "" && !strings.HasPrefix(name, "#") {
			there[strings.TrimSpace(name)] = true
		}
	}
	return there
}

// create writes a file that is whole as soon as it is there, and never takes
// the place of one that somebody else made meanwhile.
func create(path string, content []byte) error {
	part, err := os.CreateTemp(filepath.Dir(path), Name+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("write the composer's settings: %w", err)
	}
	defer os.Remove(part.Name())
	_, err = part.Write(content)
	if err = errors.Join(err, part.Sync(), part.Close()); err == nil {
		err = os.Link(part.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write the composer's settings: %w", err)
	}
	return nil
}

// extend adds to a file and makes it its owner's only.
func extend(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, mode)
	if err != nil {
		return fmt.Errorf("add to the composer's settings: %w", err)
	}
	err = file.Chmod(mode)
	if err == nil {
		_, err = file.Write(content)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("add to the composer's settings: %w", err)
	}
	return nil
}
