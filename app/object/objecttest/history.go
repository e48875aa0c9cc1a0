package objecttest

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/object/history"
)

// allVersions lists every version of a key, by pages of limit.
func allVersions(t testing.TB, s history.Store, k object.Key, limit int) []history.Version {
	t.Helper()
	var all []history.Version
	for o := (history.VersionsOptions{Limit: limit}); ; {
		page, err := s.Versions(t.Context(), k, o)
		if err != nil {
			t.Fatalf("Versions of %q %+v: %v", k, o, err)
		}
		if limit > 0 && len(page.Items) > limit {
			t.Errorf("a page of %d has %d items", limit, len(page.Items))
		}
		all = append(all, page.Items...)
		if o.Cursor = page.Next; o.Cursor == "" {
			return all
		}
	}
}

func versions(t *testing.T, s Everything, _ *http.Client) {
	first := write(t, s, "k", "1", file.PutOptions{})
	second := write(t, s, "k", "22", file.PutOptions{})
	marker, err := s.Delete(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	all := allVersions(t, s, "k", 0)
	if len(all) != 3 {
		t.Fatalf("%d versions: %+v", len(all), all)
	}
	if v := all[0]; !v.Newest || !v.Deleted || v.Version != marker || v.Key != "k" || v.Modified.IsZero() {
		t.Errorf("the deletion: %+v", v)
	}
	for i, want := range []object.Info{second, first} {
		if v := all[i+1]; v.Newest || v.Deleted || v.Version != want.Version || v.Size != want.Size || v.ETag != want.ETag || v.Key != "k" || v.Modified.IsZero() {
			t.Errorf("listed %+v, want %+v", v, want)
		}
	}
	if none := allVersions(t, s, "never", 0); len(none) != 0 {
		t.Errorf("what never was has %+v", none)
	}
}

func versionPages(t *testing.T, s Everything, _ *http.Client) {
	var want []string
	for i := range 7 {
		want = append(want, write(t, s, "k", fmt.Sprint(i), file.PutOptions{}).Version)
		write(t, s, object.Key(fmt.Sprint("k", i)), "another", file.PutOptions{})
		write(t, s, "k-beside", "another", file.PutOptions{})
	}
	slices.Reverse(want)
	// Not by one: the gateway of our tests repeats the newest version for ever.
	for _, limit := range []int{0, 2, 3, 7, 8, 5000} {
		var got []string
		for _, v := range allVersions(t, s, "k", limit) {
			got = append(got, v.Version)
		}
		if !slices.Equal(got, want) {
			t.Errorf("by %d: %q, want %q", limit, got, want)
		}
	}
	for _, name := range Names() {
		info := write(t, s, object.Key(name), "", file.PutOptions{})
		if all := allVersions(t, s, object.Key(name), 0); len(all) != 1 || all[0].Version != info.Version {
			t.Errorf("%q has %+v", name, all)
		}
	}
}

func oldVersion(t *testing.T, s Everything, do *http.Client) {
	old := write(t, s, "k", "old", file.PutOptions{})
	write(t, s, "k", "new", file.PutOptions{})
	if _, got := read(t, s, "k", file.GetOptions{Version: old.Version}); got != "old" {
		t.Errorf("read %q", got)
	}
	if stat, err := s.Stat(t.Context(), "k", old.Version); err != nil || stat.ETag != old.ETag || stat.Version != old.Version {
		t.Errorf("described as %+v, %v", stat, err)
	}
	signed, err := s.SignRead(t.Context(), "k", time.Minute, file.ReadOptions{Version: old.Version})
	if err != nil {
		t.Fatal(err)
	}
	if got := exchange(t, do, signed, nil); got.status != http.StatusOK || got.body != "old" {
		t.Errorf("signed: %d %q", got.status, got.body)
	}
	if _, err := s.Stat(t.Context(), "k", "nonsense"); object.CodeOf(err) != object.CodeNotFound && object.CodeOf(err) != object.CodeInvalid {
		t.Errorf("a version that never was: %v", err)
	}
}

func restore(t *testing.T, s Everything, _ *http.Client) {
	first := write(t, s, "k", "first", file.PutOptions{Type: "text/x-first"})
	write(t, s, "k", "second", file.PutOptions{})
	undo := func(what string) {
		t.Helper()
		info, err := s.Copy(t.Context(), "k", "k", history.CopyOptions{Version: first.Version})
		if err != nil {
			t.Fatalf("copy after %s: %v", what, err)
		}
		c, got := read(t, s, "k", file.GetOptions{})
		if got != "first" || c.Type != "text/x-first" || c.Version != info.Version || info.Version == first.Version {
			t.Errorf("after %s: %q, %+v, restored as %+v", what, got, c.Info, info)
		}
	}
	undo("an overwrite")
	if _, err := s.Delete(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	undo("a deletion")
	if all := allVersions(t, s, "k", 0); len(all) != 5 {
		t.Errorf("%d versions, want 5: %+v", len(all), all)
	}
	_, err := s.Copy(t.Context(), "k", "k", history.CopyOptions{})
	wantCode(t, "no version", err, object.CodeInvalid)
}

func copies(t *testing.T, s Everything, _ *http.Client) {
	for i, name := range Names() {
		from, to := object.Key(name), object.Key(fmt.Sprint("copy/", i))
		write(t, s, from, "content of "+name, file.PutOptions{Type: "text/x-test"})
		for _, pair := range [][2]object.Key{{from, to}, {to, from}} {
			info, err := s.Copy(t.Context(), pair[0], pair[1], history.CopyOptions{})
			if err != nil {
				t.Errorf("Copy %q to %q: %v", pair[0], pair[1], err)
				continue
			}
			c, got := read(t, s, pair[1], file.GetOptions{})
			if got != "content of "+name || c.Type != "text/x-test" || info.Key != pair[1] || info.Version != c.Version || info.ETag != c.ETag || info.Size != c.Size {
				t.Errorf("Copy %q: %q, %+v, copied as %+v", name, got, c.Info, info)
			}
		}
	}
}

func copyConditions(t *testing.T, s Everything, _ *http.Client) {
	info := write(t, s, "from", "text", file.PutOptions{})
	write(t, s, "there", "text", file.PutOptions{})
	tests := []struct {
		name     string
		from, to object.Key
		o        history.CopyOptions
		want     object.Code
	}{
		{"a source that is not there", "missing", "to", history.CopyOptions{}, object.CodeNotFound},
		{"the source as it is", "from", "to", history.CopyOptions{IfMatch: info.ETag}, ""},
		{"another source", "from", "to", history.CopyOptions{IfMatch: `"another"`}, object.CodePrecondition},
		{"onto what is there", "from", "there", history.CopyOptions{}, ""},
		{"a version", "from", "to", history.CopyOptions{Version: info.Version}, ""},
		{"onto itself", "from", "from", history.CopyOptions{}, object.CodeInvalid},
	}
	for _, tt := range tests {
		_, err := s.Copy(t.Context(), tt.from, tt.to, tt.o)
		wantCode(t, tt.name, err, tt.want)
	}
}

func deleteMany(t *testing.T, s Everything, _ *http.Client) {
	keys := []object.Key{"missing", "a&b<c>", "a&b<c>"}
	for _, name := range append(Names(), "a&b<c>", "a\uFFFEb") {
		write(t, s, object.Key(name), "", file.PutOptions{})
		keys = append(keys, object.Key(name))
	}
	write(t, s, "a\uFFFDb", "", file.PutOptions{}) // what is left of the name in XML
	write(t, s, "keep", "", file.PutOptions{})
	deletions, err := s.DeleteMany(t.Context(), keys)
	if err != nil || len(deletions) != len(keys) {
		t.Fatalf("%d deletions of %d, %v", len(deletions), len(keys), err)
	}
	for i, d := range deletions {
		if d.Key != keys[i] || d.Err != nil || d.Marker == "" && d.Key != "missing" {
			t.Errorf("%q: %+v", keys[i], d)
		}
	}
	if left := All(t, s, object.ListOptions{}); !slices.Equal(left, []string{"a\uFFFDb", "keep"}) {
		t.Errorf("left %q", left)
	}
	if none, err := s.DeleteMany(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("none: %v, %v", none, err)
	}
	_, err = s.DeleteMany(t.Context(), make([]object.Key, object.MaxPage+1))
	wantCode(t, "too many", err, object.CodeInvalid)
}
