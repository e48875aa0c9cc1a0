package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"cloudstorage/app/client"
)

// The environment's part in the settings.
const (
	envURL     = "STORAGE_URL"     // where the API is
	envKey     = "STORAGE_KEY"     // the key, or the token, that is sent to it
	envProfile = "STORAGE_PROFILE" // which profile of the file counts
)

// maxKeyFile is more than any token has, in bytes.
const maxKeyFile = 64 << 10

// config is the file with profiles.
type config struct {
	Profile  string             `yaml:"profile"` // the one that counts where nobody names another
	Profiles map[string]profile `yaml:"profiles"`
}

// profile is an API and the file with the key for it.
type profile struct {
	URL     string `yaml:"url"`
	KeyFile string `yaml:"key_file"` // in the file's own folder, unless its path is absolute
}

// connection is which API is called, with which key.
type connection struct {
	address, addressFrom string
	key, keyFrom         string // "" is none
}

// connection settles what is called: a flag goes over the environment, and that
// over the file. A profile's key is sent to the profile's own address only:
// whoever names another address by a flag does not give a secret away.
func (p program) connection(o *options) (connection, error) {
	c := connection{o.address, "--ip", p.getenv(envKey), envKey}
	if c.key == "" {
		c.keyFrom = ""
	}
	address := p.getenv(envURL)
	switch {
	case o.addressGiven && o.profile != "":
		return c, usagef("--ip and --profile both say where the API is: say one")
	case o.addressGiven:
		return c, nil
	case o.profile == "" && address != "":
		c.address, c.addressFrom = address, envURL
		return c, nil
	}
	path, chosen, err := p.profile(o.profile)
	if err != nil || chosen.URL == "" {
		return c, err
	}
	c.address, c.addressFrom = chosen.URL, path
	if chosen.KeyFile == "" || c.key != "" && o.profile == "" {
		return c, nil
	}
	c.keyFrom = chosen.KeyFile
	if !filepath.IsAbs(c.keyFrom) {
		c.keyFrom = filepath.Join(filepath.Dir(path), c.keyFrom)
	}
	c.key, err = readKey(c.keyFrom)
	return c, err
}

// profile returns the profile of that name or, for "", the one that the
// environment or the file names; an empty one where nobody names any.
func (p program) profile(name string) (path string, _ profile, err error) {
	path = p.configPath()
	if name == "" {
		name = p.getenv(envProfile)
	}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && name == "":
		return path, profile{}, nil
	case err != nil:
		return path, profile{}, usagef("read the profiles: %w", err)
	}
	var all config
	decoder := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict())
	if err := decoder.Decode(&all); err != nil && !errors.Is(err, io.EOF) {
		return path, profile{}, usagef("%s: %s", path, yaml.FormatError(err, false, false))
	}
	if name == "" {
		name = all.Profile
	}
	if name == "" {
		return path, profile{}, nil
	}
	chosen, found := all.Profiles[name]
	switch {
	case !found:
		return path, profile{}, usagef("%s has no profile %q: there are %s", path, name, strings.Join(slices.Sorted(maps.Keys(all.Profiles)), ", "))
	case chosen.URL == "":
		return path, profile{}, usagef("%s: the profile %q has no url", path, name)
	}
	return path, chosen, nil
}

// configPath is where the profiles are, in the folder that the XDG Base Directory
// Specification names.
// Source: https://specifications.freedesktop.org/basedir-spec/latest/
func (p program) configPath() string {
	dir := p.getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(p.home(), ".config")
	}
	return filepath.Join(dir, "storagectl", "config.yaml")
}

// home is the user's folder; "" is none.
func (p program) home() string {
	return cmp.Or(p.getenv("HOME"), p.getenv("USERPROFILE"))
}

// readKey reads a key from a file that nobody else may read.
func readKey(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", usagef("read the key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return "", usagef("read the key: %w", err)
	case !info.Mode().IsRegular():
		return "", usagef("the key file %s is no file", path)
	// Windows keeps who may read it elsewhere.
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return "", usagef("others may use the key in %s (mode %04o): chmod 600 %s", path, info.Mode().Perm(), path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return "", usagef("read the key: %w", err)
	}
	if key := strings.TrimSpace(string(text)); key != "" {
		return key, nil
	}
	return "", usagef("the key file %s is empty", path)
}

// client returns the client of the API that the settings name.
func (p program) client(o *options) (*client.Client, error) {
	to, err := p.connection(o)
	if err != nil {
		return nil, err
	}
	if _, err := client.ParseAddress(to.address); err != nil {
		return nil, usagef("%s: %w", to.addressFrom, err)
	}
	switch {
	case o.retryFor < 0:
		return nil, usagef("--retry-for %s: say 0 or more", o.retryFor)
	case o.stall <= 0:
		return nil, usagef("--stall-timeout %s: say more than 0", o.stall)
	}
	limit, err := parseRate(o.limit)
	if err != nil {
		return nil, err
	}
	c, err := client.New(to.address, client.WithUserAgent("storagectl/"+version()), client.WithKey(to.key),
		client.WithRetryFor(o.retryFor), client.WithStallTimeout(o.stall), client.WithLimitRate(limit))
	if err != nil {
		return nil, usagef("%s: %w", to.keyFrom, err)
	}
	*p.called = to
	return c, nil
}

// getenv reads the environment that the program was given.
func (p program) getenv(name string) string {
	if p.env == nil {
		return ""
	}
	return p.env(name)
}

// keyHelp says what to do about a key that is missing, or not good.
func (c connection) keyHelp() string {
	switch c.keyFrom {
	case "":
		return "; put yours into the environment variable " + envKey + ", or its file into a profile"
	case envKey:
		return "; put another into the environment variable " + envKey
	}
	return fmt.Sprintf("; put another into %s", c.keyFrom)
}
