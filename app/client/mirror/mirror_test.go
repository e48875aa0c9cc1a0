package mirror_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/client"
	"cloudstorage/app/client/mirror"
	"cloudstorage/app/client/transfer"
	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/object"
)

type files = map[string]string

func TestUpSendsWhatDiffersAndDeletesOnlyWhenTold(t *testing.T) {
	t.Parallel()
	b, dir := newBucket(t), t.TempDir()
	b.put("p/old", "old")
	b.put("p/keep/cache", "cache")
	b.put("other", "other")
	write(t, dir, files{"a": "a", "d/b": "b", "d.txt": "d", "empty": "", "keep/x": "x"})
	o := mirror.Options{Source: mirror.Place{Path: dir}, Target: mirror.Place{Prefix: "p/"}, Filter: filter(t, "cache")}
	b.sync(o).want(t, 0, files{"a": "new", "d/b": "new", "d.txt": "new", "empty": "new", "keep/x": "new"})
	wantFiles(t, "the bucket", b.holds("p/"), files{"a": "a", "d/b": "b", "d.txt": "d", "empty": "", "keep/x": "x", "old": "old", "keep/cache": "cache"})

	// Once sent, nothing is sent again, not even what was changed in the second
	// that the storage tells, or touched since.
	b.sync(o).want(t, 5, files{})
	soon := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "a"), soon, soon); err != nil {
		t.Fatal(err)
	}
	b.sync(o).want(t, 5, files{})

	write(t, dir, files{"a": "A", "d/b": "longer"})
	if err := os.Chtimes(filepath.Join(dir, "a"), soon, soon); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "d.txt")); err != nil {
		t.Fatal(err)
	}
	o.DryRun, o.Delete = true, true
	plan := files{"a": "content", "d/b": "size", "d.txt": "deleted", "old": "deleted"}
	was := b.holds("")
	b.sync(o).want(t, 2, plan)
	wantFiles(t, "the bucket", b.holds(""), was)
	o.DryRun = false
	b.sync(o).want(t, 2, plan)
	wantFiles(t, "the bucket", b.holds(""), files{"p/a": "A", "p/d/b": "longer", "p/empty": "", "p/keep/x": "x", "p/keep/cache": "cache", "other": "other"})

	// A change that neither size nor time shows is found by content.
	write(t, dir, files{"keep/x": "X"})
	before := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "keep", "x"), before, before); err != nil {
		t.Fatal(err)
	}
	b.sync(o).want(t, 4, files{})
	o.Checksum = true
	b.sync(o).want(t, 3, files{"keep/x": "content"})
	b.sync(o).want(t, 4, files{})
}

func TestDownFetchesWhatDiffersAndDeletesOnlyWhenTold(t *testing.T) {
	t.Parallel()
	b, dir := newBucket(t), filepath.Join(t.TempDir(), "made", "here")
	for key, content := range (files{"p/a": "a", "p/d/b": "b", "p/d.txt": "d", "p/empty": "", "other": "other"}) {
		b.put(object.Key(key), content)
	}
	o := mirror.Options{Source: mirror.Place{Prefix: "p/"}, Target: mirror.Place{Path: dir}, DryRun: true, Delete: true, Filter: filter(t, "*.mine")}
	all := files{"a": "new", "d/b": "new", "d.txt": "new", "empty": "new"}
	b.sync(o).want(t, 0, all)
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a dry run made the folder: %v", err)
	}
	o.DryRun = false
	b.sync(o).want(t, 0, all)
	wantFiles(t, "the folder", read(t, dir), files{"a": "a", "d/b": "b", "d.txt": "d", "empty": ""})
	info, err := os.Stat(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	there, err := b.Stat(t.Context(), "p/a", "")
	if err != nil || !info.ModTime().Equal(there.Modified) {
		t.Errorf("the file is of %s, the storage's of %s, %v", info.ModTime(), there.Modified, err)
	}
	b.sync(o).want(t, 4, files{})

	// What was touched is not fetched, and not read twice.
	now := time.Now()
	if err := os.Chtimes(filepath.Join(dir, "a"), now, now); err != nil {
		t.Fatal(err)
	}
	b.sync(o).want(t, 4, files{})
	if info, err = os.Stat(filepath.Join(dir, "a")); err != nil || !info.ModTime().Equal(there.Modified) {
		t.Errorf("it has not got the storage's time again: %v, %v", info.ModTime(), err)
	}

	b.put("p/d/b", "longer")
	if _, err := b.Remove(t.Context(), "p/d.txt"); err != nil {
		t.Fatal(err)
	}
	write(t, dir, files{"a": "A", "x/y/z": "extra", "x/y.mine": "", "v/w": "extra", ".gone.part": "half"})
	b.sync(o).want(t, 1, files{"a": "content", "d/b": "size", "d.txt": "deleted", "x/y/z": "deleted", "v/w": "deleted"})
	wantFiles(t, "the folder", read(t, dir), files{"a": "a", "d/b": "longer", "empty": "", "x/y.mine": "", ".gone.part": "half"})
	if got := folders(t, dir); !slices.Equal(got, []string{"d", "x"}) {
		t.Errorf("the folders are %q", got)
	}
}

func TestAcrossCopiesWhatDiffersAndDeletesOnlyWhenTold(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	for key, content := range (files{"p/a": "a", "p/d/b": "b", "q/a": "b", "q/old": "old", "q/d/b": "b"}) {
		b.put(object.Key(key), content)
	}
	o := mirror.Options{Source: mirror.Place{Prefix: "p/"}, Target: mirror.Place{Prefix: "q/"}, Delete: true, Checksum: true}
	b.sync(o).want(t, 1, files{"a": "content", "old": "deleted"})
	wantFiles(t, "the bucket", b.holds(""), files{"p/a": "a", "p/d/b": "b", "q/a": "a", "q/d/b": "b"})
	o.Checksum = false
	b.sync(o).want(t, 2, files{})
	for _, overlap := range []string{"", "p/", "p/d/"} {
		o.Target.Prefix = overlap
		if got := b.sync(o); !errors.Is(got.failed, mirror.ErrOverlap) {
			t.Errorf("p/ to %q: %+v", overlap, got)
		}
	}
}

func TestLinksDoNotLeadOutOfTheFolder(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege there")
	}
	b, outside, dir := newBucket(t), t.TempDir(), t.TempDir()
	write(t, outside, files{"secret": "secret"})
	write(t, dir, files{"a": "a", "d/b": "b"})
	for name, to := range map[string]string{"in": "a", "d/up": "../a", "folder": "d", "out": filepath.Join(outside, "secret"), "outfolder": outside, "broken": "nowhere"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	b.put("p/extra", "extra")
	o := mirror.Options{Source: mirror.Place{Path: dir}, Target: mirror.Place{Prefix: "p/"}, Delete: true}
	got := b.sync(o)
	if got.failed != nil || got.Failed != 3 || got.Left != 1 {
		t.Errorf("%+v", got)
	}
	for _, name := range []string{"out", "outfolder", "broken"} {
		if !strings.Contains(got.done[name], "the link leads nowhere or out of the folder") {
			t.Errorf("%s: %q", name, got.done[name])
		}
	}
	all := files{"a": "a", "in": "a", "d/b": "b", "d/up": "a"}
	all["extra"] = "extra" // since something failed
	wantFiles(t, "the bucket", b.holds("p/"), all)
	o.Filter = filter(t, "out", "outfolder", "broken")
	b.sync(o).want(t, 4, files{"extra": "deleted"})

	// A link in the target is replaced, not followed.
	o = mirror.Options{Source: mirror.Place{Prefix: "p/"}, Target: mirror.Place{Path: dir}, Delete: true}
	b.put("p/out", "mine")
	b.put("p/outfolder/x", "mine")
	got = b.sync(o)
	if got.Failed != 1 || !strings.Contains(got.done["outfolder/x"], "cannot save") || got.Left == 0 {
		t.Errorf("%+v", got)
	}
	wantFiles(t, "the folder outside", read(t, outside), files{"secret": "secret"})
	if here := read(t, dir); here["out"] != "mine" || here["in"] != "a" {
		t.Errorf("here is %q", here)
	}
}

func TestNothingIsDeletedForASourceThatIsEmptyOrAway(t *testing.T) {
	t.Parallel()
	b, empty := newBucket(t), t.TempDir()
	write(t, empty, files{"x.tmp": ""})
	b.put("p/a", "a")
	up := mirror.Options{Source: mirror.Place{Path: empty}, Target: mirror.Place{Prefix: "p/"}, Delete: true, Filter: filter(t, "*.tmp")}
	if got := b.sync(up); !errors.Is(got.failed, mirror.ErrEmpty) || got.Left != 1 {
		t.Errorf("an empty folder: %+v", got)
	}
	gone := up
	gone.Source.Path, gone.AllowEmpty = filepath.Join(empty, "gone"), true
	if got := b.sync(gone); !errors.Is(got.failed, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %+v", got)
	}
	dir := t.TempDir()
	write(t, dir, files{"a": "a"})
	down := mirror.Options{Source: mirror.Place{Prefix: "typo/"}, Target: mirror.Place{Path: dir}, Delete: true}
	if got := b.sync(down); !errors.Is(got.failed, mirror.ErrEmpty) {
		t.Errorf("a prefix without files: %+v", got)
	}
	wantFiles(t, "the bucket", b.holds("p/"), files{"a": "a"})
	wantFiles(t, "the folder", read(t, dir), files{"a": "a"})
	up.AllowEmpty = true
	b.sync(up).want(t, 0, files{"a": "deleted"})
}

func TestNothingIsDeletedUnlessItIsConfirmed(t *testing.T) {
	t.Parallel()
	b, dir := newBucket(t), t.TempDir()
	write(t, dir, files{"a": "a"})
	for _, key := range []object.Key{"x1", "x2", "x3"} {
		b.put(key, "")
	}
	no := errors.New("no")
	o := mirror.Options{Source: mirror.Place{Path: dir}, Target: mirror.Place{}, Delete: true}
	o.Confirm = func(count int, first, last string) error { return fmt.Errorf("%d %s %s: %w", count, first, last, no) }
	got := b.sync(o)
	if !errors.Is(got.failed, no) || got.failed.Error() != "3 x1 x3: no" || got.Left != 3 || got.Transferred != 1 {
		t.Errorf("%+v", got)
	}
	wantFiles(t, "the bucket", b.holds(""), files{"a": "a", "x1": "", "x2": "", "x3": ""})
	// Who asked for long may have got a file of that name by now.
	o.Confirm = func(int, string, string) error { write(t, dir, files{"x2": "mine"}); return nil }
	b.sync(o).want(t, 1, files{"x1": "deleted", "x3": "deleted"})
}

// during is a transport that does something once, when a request of that kind
// has been answered.
type during struct {
	match func(*http.Request) bool
	do    func()
}

func (d during) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if d.match(r) {
		d.do()
	}
	return res, err
}

func TestAFileThatChangesMeanwhileIsNoticedAndNothingIsDeleted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, files{"a": "a", "b": "b"})
	b := newBucket(t, client.WithTransport(during{
		match: func(r *http.Request) bool { return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/p/a") },
		do:    func() { write(t, dir, files{"a": "changed"}) },
	}))
	b.put("p/extra", "extra")
	o := mirror.Options{Source: mirror.Place{Path: dir}, Target: mirror.Place{Prefix: "p/"}, Delete: true}
	got := b.sync(o)
	if got.Failed != 1 || !strings.Contains(got.done["a"], "changed while it was being sent") || got.done["b"] != "new" || got.Left != 1 {
		t.Errorf("%+v", got)
	}
	wantFiles(t, "the bucket", b.holds("p/"), files{"a": "a", "b": "b", "extra": "extra"})
}

func TestADeletionHereThatIsCancelledEndsAndSaysSo(t *testing.T) {
	t.Parallel()
	c := newClient(t, newListing(t, nil).URL)
	for name, tt := range map[string]struct {
		confirm bool // it is cancelled while the question is asked
		deleted int
	}{"at the question": {true, 0}, "after the first": {false, 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			dir := t.TempDir()
			write(t, dir, files{"a": "a", "b": "b", "c": "c"})
			o := mirror.Options{Client: c, Transfers: transfer.New(c, transfer.Options{}), Target: mirror.Place{Path: dir}, Delete: true, AllowEmpty: true}
			o.Confirm = func(int, string, string) error {
				if tt.confirm {
					cancel()
				}
				return nil
			}
			o.Report = func(mirror.Result) { cancel() }
			sum, err := mirror.Run(ctx, o)
			if !errors.Is(err, context.Canceled) || sum.Deleted != tt.deleted || sum.Left != 3-tt.deleted || len(read(t, dir)) != sum.Left {
				t.Errorf("%+v, %v; here are %q", sum, err, read(t, dir))
			}
		})
	}
}

func TestNothingIsDeletedWhereItIsCancelledOrAListingBreaksOff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := files{}
	for i := range 2000 {
		all[fmt.Sprintf("%04d", i)] = ""
	}
	write(t, dir, files{"0000": ""})
	for name, tt := range map[string]struct {
		cancel bool
		code   object.Code
	}{"cancelled": {true, object.CodeInternal}, "refused": {false, object.CodeDenied}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			f := newListing(t, all)
			f.page = func(w http.ResponseWriter, page int) bool {
				switch {
				case page == 0:
					return false
				case tt.cancel:
					cancel()
					return false
				}
				w.Header().Set("Content-Type", "application/problem+json")
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprint(w, `{"type":"urn:cloudstorage:problem:denied","title":"no","status":403}`)
				return true
			}
			c := newClient(t, f.URL)
			sum, err := mirror.Run(ctx, mirror.Options{
				Client: c, Transfers: transfer.New(c, transfer.Options{}),
				Source: mirror.Place{Path: dir}, Delete: true, Report: func(mirror.Result) {},
			})
			if err == nil || object.CodeOf(err) != tt.code && !tt.cancel || sum.Deleted != 0 || f.others.Load() != 0 {
				t.Errorf("%+v, %v, %d requests that change something", sum, err, f.others.Load())
			}
		})
	}
}

func TestAnAnswerWithoutFilesIsNotTheEndOfAListing(t *testing.T) {
	t.Parallel()
	all := files{}
	for i := range 2000 {
		all[fmt.Sprintf("%04d", i)] = ""
	}
	l := newListing(t, all)
	l.page = func(w http.ResponseWriter, page int) bool {
		if page == 0 {
			return false
		}
		fmt.Fprint(w, "{}") // as of whatever stands between
		return true
	}
	dir := t.TempDir()
	write(t, dir, files{"1500": ""})
	c := newClient(t, l.URL)
	sum, err := mirror.Run(t.Context(), mirror.Options{
		Client: c, Transfers: transfer.New(c, transfer.Options{}),
		Target: mirror.Place{Path: dir}, Delete: true, DryRun: true, Report: func(mirror.Result) {},
	})
	if err == nil || sum.Deleted != 0 {
		t.Errorf("%+v, %v", sum, err)
	}
}

func TestAnOlderServerCannotBeSynced(t *testing.T) {
	t.Parallel()
	s := daemontest.Start(t, daemontest.Exercise(), daemontest.Environ(t, gatewaytest.Start(t), nil))
	b := bucket{t, newClient(t, s.Address)}
	dir := t.TempDir()
	write(t, dir, files{"a": "a"})
	b.put("b", "b")
	for _, o := range []mirror.Options{{Source: mirror.Place{Path: dir}, Delete: true}, {Target: mirror.Place{Path: dir}, Delete: true}} {
		if got := b.sync(o); !errors.Is(got.failed, client.ErrOlderServer) || got.Deleted+got.Transferred != 0 {
			t.Errorf("%+v", got)
		}
	}
}

// TestTheTargetBecomesTheSourceWhateverBothWere compares syncs of random trees
// with what they must come to, in all directions, one after the other.
func TestTheTargetBecomesTheSourceWhateverBothWere(t *testing.T) {
	t.Parallel()
	b, dir := newBucket(t), t.TempDir()
	random := rand.New(rand.NewPCG(7, 7))
	folder := func(name string) string { return fmt.Sprintf("%s%d/", name, random.IntN(2)) }
	name := func() string {
		n := string(rune('a' + random.IntN(3)))
		for random.IntN(2) == 0 {
			n = folder(string("d."[random.IntN(2)])) + n
		}
		if random.IntN(5) == 0 {
			n += ".tmp"
		}
		return n
	}
	content := func() string { return strings.Repeat("x", random.IntN(3)) + string(rune('0'+random.IntN(10))) }
	for round := range 12 {
		for range 5 {
			n, text := name(), content()
			if random.IntN(2) == 0 {
				write(t, dir, files{n: text})
				// As an editor on another machine, or a tool that keeps times, has it.
				when := time.Now().Add(time.Duration(random.IntN(3)-1) * time.Hour)
				if err := os.Chtimes(filepath.Join(dir, filepath.FromSlash(n)), when, when); err != nil {
					t.Fatal(err)
				}
			} else {
				b.put(object.Key("p/"+n), text)
			}
		}
		o := mirror.Options{Delete: true, AllowEmpty: true, Filter: filter(t, "*.tmp"), Checksum: true}
		here, there := read(t, dir), b.holds("p/")
		up := random.IntN(2) == 0
		source, target := there, here
		o.Source.Prefix, o.Target.Path = "p/", dir
		if up {
			source, target = here, there
			o.Source, o.Target = o.Target, o.Source
		}
		want := files{}
		for name, text := range source {
			if !strings.HasSuffix(name, ".tmp") {
				want[name] = text
			}
		}
		for name, text := range target {
			if strings.HasSuffix(name, ".tmp") {
				want[name] = text
			}
		}
		if got := b.sync(o); got.failed != nil || got.Failed != 0 {
			t.Fatalf("round %d: %+v", round, got)
		}
		if up {
			wantFiles(t, fmt.Sprintf("round %d: the bucket", round), b.holds("p/"), want)
		} else {
			wantFiles(t, fmt.Sprintf("round %d: the folder", round), read(t, dir), want)
		}
	}
}
