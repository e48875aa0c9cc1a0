package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Set is every file of a folder: the environments in the order of their names, and the account where there is one.
type Set struct {
	Environments []*Environment
	Account      *Account
}

// LoadDir reads every .yaml file of dir. The error holds every mistake of every file, one a line.
func LoadDir(dir string) (Set, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml")) // sorted
	if err != nil {
		return Set{}, fmt.Errorf("list environments in %s: %w", dir, err)
	}
	if len(files) == 0 {
		return Set{}, fmt.Errorf("%s holds no .yaml file: run from the project's root, where infra/environments is", dir)
	}
	var set Set
	var errs []error
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			errs = append(errs, fmt.Errorf("read environment: %w", err))
			continue
		}
		if err := set.add(file, source); err != nil {
			errs = append(errs, err)
		}
	}
	return set, errors.Join(errs...)
}

func (s *Set) add(file string, source []byte) error {
	name := strings.TrimSuffix(filepath.Base(file), ".yaml")
	if name == AccountName {
		account, err := ParseAccount(file, source)
		s.Account = account
		return err
	}
	environment, err := Parse(name, file, source)
	if err != nil {
		return err
	}
	s.Environments = append(s.Environments, environment)
	return nil
}

// Only keeps the environment of that name and drops the account; "" keeps everything, and "account" only the account.
func (s Set) Only(name string) (Set, error) {
	switch name {
	case "":
		return s, nil
	case AccountName:
		if s.Account != nil {
			return Set{Account: s.Account}, nil
		}
	}
	known := []string{}
	for _, e := range s.Environments {
		if e.Name == name {
			return Set{Environments: []*Environment{e}}, nil
		}
		known = append(known, e.Name)
	}
	if s.Account != nil {
		known = append(known, AccountName)
	}
	return Set{}, fmt.Errorf("there is no environment %q: known are %s", name, strings.Join(known, ", "))
}
