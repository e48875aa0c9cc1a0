package mirror

import (
	"fmt"
	"strings"

	"cloudstorage/app/client/glob"
)

// Filter says which names count, on both sides: one that does not is neither
// moved nor deleted. The zero value takes all.
type Filter struct {
	include, exclude []rule
}

// rule is one pattern.
type rule struct {
	pattern glob.Pattern
	whole   bool // it is about the name with its folders, not about one segment
	folder  bool // it is about a folder, and so about all that is below it
}

// NewFilter reads patterns. A name counts where one of include matches it, or
// there is none, and none of exclude does.
//
// A pattern without a slash is about a name's last segment, and one that ends in
// a slash, like cache/, about a folder and what is below it; any other, and one
// with a slash in its middle, is about the name from the folder of the sync on.
func NewFilter(include, exclude []string) (Filter, error) {
	var f Filter
	for list, patterns := range map[*[]rule][]string{&f.include: include, &f.exclude: exclude} {
		for _, text := range patterns {
			r := rule{}
			body := text
			body, r.folder = strings.CutSuffix(body, "/")
			r.whole = strings.Contains(body, "/")
			body = strings.TrimPrefix(body, "/")
			var err error
			if r.pattern, err = glob.Parse(body); err != nil {
				return f, err
			}
			if body == "" {
				return f, fmt.Errorf("the pattern %q matches nothing", text)
			}
			*list = append(*list, r)
		}
	}
	return f, nil
}

// Match says whether a file counts.
func (f Filter) Match(name string) bool {
	return (len(f.include) == 0 || matches(f.include, name)) && !matches(f.exclude, name)
}

// Enter says whether anything below a folder may count.
func (f Filter) Enter(folder string) bool {
	for _, r := range f.exclude {
		if r.folder && r.match(folder+"/x") {
			return false
		}
	}
	return true
}

func matches(rules []rule, name string) bool {
	for _, r := range rules {
		if r.match(name) {
			return true
		}
	}
	return false
}

func (r rule) match(name string) bool {
	if !r.folder {
		if !r.whole {
			name = name[strings.LastIndexByte(name, '/')+1:]
		}
		return r.pattern.Match(name)
	}
	start := 0
	for i := range len(name) {
		if name[i] != '/' {
			continue
		}
		folder := name[start:i]
		if r.pattern.Match(folder) {
			return true
		}
		if !r.whole {
			start = i + 1
		}
	}
	return false
}
