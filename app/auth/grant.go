package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxPrefixBytes is S3's own limit for a key: nothing is below a longer prefix.
const maxPrefixBytes = 1024

// Grant is verbs and the prefixes under which they may be done.
type Grant struct {
	Verbs    []Verb   `json:"verbs"`    // one or more
	Prefixes []string `json:"prefixes"` // one or more; "" is everywhere
}

// Validate reports what is wrong with the grant.
func (g Grant) Validate() error {
	var errs []error
	if len(g.Verbs) == 0 {
		errs = append(errs, errors.New("verbs is empty: nothing could be done"))
	}
	for _, v := range g.Verbs {
		if !v.valid() {
			errs = append(errs, fmt.Errorf("verb %q is none of %v", v, Verbs()))
		}
	}
	if len(g.Prefixes) == 0 {
		errs = append(errs, errors.New(`prefixes is empty: give "" for everywhere`))
	}
	for _, p := range g.Prefixes {
		if len(p) > maxPrefixBytes || !utf8.ValidString(p) {
			errs = append(errs, fmt.Errorf("prefix %.80q is not up to %d bytes of UTF-8: no file is below it", p, maxPrefixBytes))
		}
	}
	return errors.Join(errs...)
}

// allows says whether the grant covers v to what is called name.
func (g Grant) allows(v Verb, name string) bool {
	return slices.Contains(g.Verbs, v) &&
		slices.ContainsFunc(g.Prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}
