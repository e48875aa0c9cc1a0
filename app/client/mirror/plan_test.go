package mirror_test

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/client/mirror"
)

// noon is when the storage got the files of these tests.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func items(all []mirror.Item, end error) iter.Seq2[mirror.Item, error] {
	return func(yield func(mirror.Item, error) bool) {
		for _, i := range all {
			if !yield(i, nil) {
				return
			}
		}
		if end != nil {
			yield(mirror.Item{}, end)
		}
	}
}

func named(names ...string) []mirror.Item {
	var all []mirror.Item
	for _, n := range names {
		all = append(all, mirror.Item{Name: n})
	}
	return all
}

// side reads a side of the fuzz tests: names of one character, each with its size.
func side(s string) map[string]int64 {
	all := map[string]int64{}
	for i := 0; i+1 < len(s); i += 2 {
		all[s[i:i+1]] = int64(s[i+1] % 4)
	}
	return all
}

func sorted(all map[string]int64) []mirror.Item {
	var list []mirror.Item
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, mirror.Item{Name: name, Size: all[name]})
	}
	return list
}

func bySize(source, target mirror.Item) (mirror.Verb, mirror.Reason) {
	if source.Size != target.Size {
		return mirror.Transfer, mirror.Size
	}
	return mirror.Keep, ""
}

// FuzzPlan carries plans out on maps: the target is the source then, and nothing
// was moved that was there already.
func FuzzPlan(f *testing.F) {
	for _, s := range [][2]string{{"", ""}, {"a1b2", ""}, {"", "a1b2"}, {"a1b2c3", "b2c1d0"}, {"/1.2", ".2/1"}, {"\xff1\x002", "\x001"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, from, to string) {
		source, target := side(from), side(to)
		was := maps.Clone(target)
		last := ""
		for a, err := range mirror.Plan(items(sorted(source), nil), items(sorted(target), nil), bySize) {
			if err != nil {
				t.Fatal(err)
			}
			if a.Name() <= last {
				t.Errorf("%q comes behind %q", a.Name(), last)
			}
			last = a.Name()
			size, there := was[a.Name()]
			switch a.Verb {
			case mirror.Transfer:
				if there && size == a.Source.Size || there != (a.Reason == mirror.Size) || there == (a.Reason == mirror.New) {
					t.Errorf("%+v, and the target has it: %t, %d", a, there, size)
				}
				target[a.Name()] = a.Source.Size
			case mirror.Delete:
				delete(target, a.Name())
			case mirror.Keep:
				if !there || size != a.Source.Size {
					t.Errorf("%+v, and the target has it: %t, %d", a, there, size)
				}
			default:
				t.Errorf("%+v", a)
			}
		}
		if !maps.Equal(source, target) {
			t.Errorf("from %v to %v: came to %v", source, was, target)
		}
	})
}

func TestAPlanEndsWithWhatASideFailsWith(t *testing.T) {
	t.Parallel()
	failed := errors.New("no answer")
	for name, tt := range map[string]struct {
		source, target iter.Seq2[mirror.Item, error]
		want           error
		says           string
	}{
		"the source breaks off":   {items(named("a"), failed), items(named("a", "b"), nil), failed, ""},
		"the target breaks off":   {items(named("a", "z"), nil), items(named("a"), failed), failed, ""},
		"at once":                 {items(nil, failed), items(nil, failed), failed, ""},
		"the source is unordered": {items(named("b", "a"), nil), items(named("a", "b"), nil), mirror.ErrOrder, `the source cannot be compared`},
		"the target is unordered": {items(named("a", "b"), nil), items(named("a", "c", "b"), nil), mirror.ErrOrder, `"b" comes behind "c"`},
		"a name comes twice":      {items(named("a"), nil), items(named("a", "a"), nil), mirror.ErrOrder, ""},
		"a name is empty":         {items(named(""), nil), items(nil, nil), mirror.ErrOrder, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var last error
			for _, err := range mirror.Plan(tt.source, tt.target, bySize) {
				if last != nil {
					t.Error("it goes on behind an error")
				}
				last = err
			}
			if !errors.Is(last, tt.want) || !strings.Contains(fmt.Sprint(last), tt.says) {
				t.Errorf("ended with %v, want %v that says %q", last, tt.want, tt.says)
			}
		})
	}
}

func TestAPlanIsNotReadFurtherThanItIsAskedFor(t *testing.T) {
	t.Parallel()
	read := 0
	endless := func(yield func(mirror.Item, error) bool) {
		for more := true; more; {
			read++
			more = yield(mirror.Item{Name: fmt.Sprintf("%09d", read)}, nil)
		}
	}
	for _, err := range mirror.Plan(endless, items(nil, nil), bySize) {
		if err != nil || read > 10 {
			break
		}
	}
	if read > 12 {
		t.Errorf("%d names were read", read)
	}
}

func TestFilesAreJudgedBySizeTimeAndContent(t *testing.T) {
	t.Parallel()
	file := func(size int64, after time.Duration, etag string) mirror.Item {
		return mirror.Item{Name: "a", Size: size, Modified: noon.Add(after), ETag: etag}
	}
	for name, tt := range map[string]struct {
		judge          mirror.Judge
		source, target mirror.Item
		verb           mirror.Verb
		reason         mirror.Reason
	}{
		"up: another size": {mirror.Up, file(1, -time.Hour, ""), file(2, 0, "x"), mirror.Transfer, mirror.Size},
		"up: older here":   {mirror.Up, file(1, -time.Hour, ""), file(1, 0, "x"), mirror.Keep, ""},
		"up: as old":       {mirror.Up, file(1, 0, ""), file(1, 0, "x"), mirror.Keep, ""},
		"up: in the second that the storage tells": {mirror.Up, file(1, 1, ""), file(1, 0, "x"), mirror.Compare, mirror.Time},
		"up: newer here":                     {mirror.Up, file(1, time.Hour, ""), file(1, 0, "x"), mirror.Compare, mirror.Time},
		"down: another size":                 {mirror.Down, file(1, 0, "x"), file(2, 0, ""), mirror.Transfer, mirror.Size},
		"down: the storage's time":           {mirror.Down, file(1, 0, "x"), file(1, 0, ""), mirror.Keep, ""},
		"down: the storage's time, in parts": {mirror.Down, file(1, 999*time.Millisecond, "x"), file(1, 0, ""), mirror.Keep, ""},
		"down: changed here in that second":  {mirror.Down, file(1, 0, "x"), file(1, 1, ""), mirror.Compare, mirror.Time},
		"down: older here":                   {mirror.Down, file(1, 0, "x"), file(1, -time.Hour, ""), mirror.Compare, mirror.Time},
		"down: newer here":                   {mirror.Down, file(1, 0, "x"), file(1, time.Hour, ""), mirror.Compare, mirror.Time},
		"across: another size":               {mirror.Across, file(1, 0, "x"), file(2, 0, "x"), mirror.Transfer, mirror.Size},
		"across: one content":                {mirror.Across, file(1, time.Hour, "x"), file(1, 0, "x"), mirror.Keep, ""},
		"across: copied since, in parts":     {mirror.Across, file(1, 0, "x"), file(1, time.Hour, "y-2"), mirror.Keep, ""},
		"across: newer":                      {mirror.Across, file(1, time.Hour, "x"), file(1, 0, "y"), mirror.Transfer, mirror.Time},
		"by content: another size":           {mirror.ByContent, file(1, 0, ""), file(2, 0, "x"), mirror.Transfer, mirror.Size},
		"by content: whatever the times":     {mirror.ByContent, file(1, 0, ""), file(1, 0, "x"), mirror.Compare, mirror.Content},
		"across by content: another":         {mirror.AcrossByContent, file(1, 0, "x"), file(1, time.Hour, "y"), mirror.Transfer, mirror.Content},
		"across by content: the same":        {mirror.AcrossByContent, file(1, time.Hour, "x"), file(1, 0, "x"), mirror.Keep, ""},
		"across by content: another size":    {mirror.AcrossByContent, file(1, 0, "x"), file(2, 0, "x"), mirror.Transfer, mirror.Size},
	} {
		if verb, reason := tt.judge(tt.source, tt.target); verb != tt.verb || reason != tt.reason {
			t.Errorf("%s: %v, %q; want %v, %q", name, verb, reason, tt.verb, tt.reason)
		}
	}
}
