package mirror_test

import (
	"strings"
	"testing"

	"cloudstorage/app/client/mirror"
)

func TestAFilterTakesWhatIsIncludedAndNotExcluded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ include, exclude, takes, leaves string }{
		{"", "", "a a/b .a", ""},
		{"*.go", "", "a.go b/c.go", "a.md b/c.go/d"},
		{"*.go *.md", "x*", "a.go b/c.md", "x.go b/x.md a.txt"},
		{"", "*.tmp", "a.tmp/b a", "a.tmp b/a.tmp"},
		{"", "cache/", "cache a/cache cache2/x", "cache/x a/cache/x cache/b/c"},
		{"", "a/cache/", "cache/x b/a/cache/x", "a/cache/x a/cache/y/z"},
		{"", "/cache/", "a/cache/x", "cache/x cache/x/y"},
		{"", "/*.tmp", "b/a.tmp", "a.tmp"},
		{"", "a/*", "b/a/c a/b/c", "a/b"},
		{"", "a/**", "b/a/c", "a/b a/b/c"},
		{"", ".*/", "a .a", ".git/x a/.git/x"},
		{"photos/", "", "photos/a b/photos/c", "a photos"},
	} {
		f, err := mirror.NewFilter(strings.Fields(tt.include), strings.Fields(tt.exclude))
		if err != nil {
			t.Fatal(err)
		}
		for names, want := range map[string]bool{tt.takes: true, tt.leaves: false} {
			for name := range strings.FieldsSeq(names) {
				if f.Match(name) != want {
					t.Errorf("--include %q --exclude %q: takes %q: %t", tt.include, tt.exclude, name, !want)
				}
			}
		}
	}
	for _, bad := range []string{"[a", "/", ""} {
		if _, err := mirror.NewFilter(nil, []string{bad}); err == nil {
			t.Errorf("--exclude %q is taken", bad)
		}
	}
}

// FuzzFilterEnter checks that no folder is passed over in which something counts.
func FuzzFilterEnter(f *testing.F) {
	f.Add("cache/", "cache", "x")
	f.Add("a/b/", "a", "b/c")
	f.Add("**/", "a", "b")
	f.Fuzz(func(t *testing.T, exclude, folder, below string) {
		filter, err := mirror.NewFilter(nil, []string{exclude})
		if err != nil || folder == "" || below == "" {
			return
		}
		if !filter.Enter(folder) && filter.Match(folder+"/"+below) {
			t.Errorf("--exclude %q: %q is not entered, but %q below it counts", exclude, folder, below)
		}
	})
}
