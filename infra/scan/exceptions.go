package scan

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Finding is a check that does not pass.
type Finding struct {
	Check string // its id: CKV_… is checkov's, terraform_… is tflint's
	Title string
	Stack string
	// Where in the stack: a resource's address, or what tflint says.
	Where string
}

// place is what an exception's patterns are held against.
func (f Finding) place() string { return f.Stack + "/" + f.Where }

func (f Finding) String() string { return fmt.Sprintf("%s: %s: %s", f.place(), f.Check, f.Title) }

// Exception is why checks need not pass in some places.
type Exception struct {
	Checks []string `yaml:"checks"`
	Where  []string `yaml:"where"`  // "stack/address", * stands for any text
	Reason string   `yaml:"reason"` // that a security reviewer would accept
}

// Exceptions are all that the project makes.
type Exceptions []Exception

// ReadExceptions reads the file of exceptions. Each names its checks, its places and its reason.
func ReadExceptions(file string) (Exceptions, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the exceptions: %w", err)
	}
	var exceptions Exceptions
	if err := yaml.UnmarshalWithOptions(text, &exceptions, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("reading the exceptions: %s: %w", file, err)
	}
	var errs []error
	for i, e := range exceptions {
		if len(e.Checks) == 0 || len(e.Where) == 0 || strings.TrimSpace(e.Reason) == "" {
			errs = append(errs, fmt.Errorf("%s: exception %d needs checks, where and a reason", file, i+1))
		}
	}
	return exceptions, errors.Join(errs...)
}

// Judge returns the findings that no exception covers, and the parts of exceptions that cover no finding any more:
// a check that passes everywhere it was excepted, a place where nothing is found.
func (e Exceptions) Judge(findings []Finding) (open []Finding, stale []string) {
	covered := make([]bool, len(findings))
	for _, exception := range e {
		checks, places := map[string]bool{}, map[string]bool{}
		for i, f := range findings {
			if !slices.Contains(exception.Checks, f.Check) {
				continue
			}
			for _, pattern := range exception.Where {
				if matches(pattern, f.place()) {
					covered[i], checks[f.Check], places[pattern] = true, true, true
				}
			}
		}
		for _, check := range exception.Checks {
			if !checks[check] {
				stale = append(stale, fmt.Sprintf("%s is found nowhere in %s", check, strings.Join(exception.Where, ", ")))
			}
		}
		for _, pattern := range exception.Where {
			if !places[pattern] {
				stale = append(stale, fmt.Sprintf("nothing is found in %s of %s", pattern, strings.Join(exception.Checks, ", ")))
			}
		}
	}
	for i, f := range findings {
		if !covered[i] {
			open = append(open, f)
		}
	}
	return open, stale
}

// matches holds text against a pattern in which * stands for any text.
func matches(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile("^(?s:" + strings.Join(parts, ".*") + ")$").MatchString(text)
}
