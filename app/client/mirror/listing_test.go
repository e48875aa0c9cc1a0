package mirror_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"cloudstorage/app/client/mirror"
	"cloudstorage/app/client/transfer"
)

// listing is an API that lists files and does nothing else.
type listing struct {
	*httptest.Server
	names  []string
	others atomic.Int64                                    // requests for anything else
	page   func(w http.ResponseWriter, page int) (ok bool) // answers a page in its own way
}

const perPage = 1000

func newListing(t *testing.T, all map[string]string) *listing {
	t.Helper()
	l := &listing{names: slices.Sorted(maps.Keys(all))}
	l.Server = httptest.NewServer(l)
	t.Cleanup(l.Close)
	return l
}

func (l *listing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/v1/files" {
		l.others.Add(1)
		w.WriteHeader(http.StatusForbidden)
		return
	}
	page, _ := strconv.Atoi(r.URL.Query().Get("cursor")) // the first has none
	if l.page != nil && l.page(w, page) {
		return
	}
	type file struct {
		Key      string    `json:"key"`
		ETag     string    `json:"etag"`
		Modified time.Time `json:"modified"`
	}
	answer := struct {
		Files []file `json:"files"`
		Next  string `json:"next_cursor,omitempty"`
	}{Files: []file{}}
	end := min((page+1)*perPage, len(l.names))
	for _, name := range l.names[page*perPage : end] {
		answer.Files = append(answer.Files, file{r.URL.Query().Get("prefix") + name, "x", time.Now()})
	}
	if end < len(l.names) {
		answer.Next = fmt.Sprint(page + 1)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// TestMemoryDoesNotGrowWithTheNumberOfFiles is not parallel: it measures the
// whole process.
func TestMemoryDoesNotGrowWithTheNumberOfFiles(t *testing.T) {
	const count, allowed = 30_000, 2 << 20
	all := map[string]string{}
	for i := range count {
		all[fmt.Sprintf("%09d", i)] = ""
	}
	l := newListing(t, all)
	clear(all)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var first, most uint64
	l.page = func(_ http.ResponseWriter, page int) bool {
		if page%6 == 1 {
			now := heap()
			if first == 0 {
				first = now
			}
			most = max(most, now)
		}
		return false
	}
	c := newClient(t, l.URL)
	// All of the first are the same; of the second, all are the target's alone.
	for _, o := range []mirror.Options{
		{Source: mirror.Place{Prefix: "p/"}, Target: mirror.Place{Prefix: "q/"}},
		{Source: mirror.Place{Path: t.TempDir()}, Target: mirror.Place{Prefix: "q/"}, Delete: true, DryRun: true, AllowEmpty: true},
	} {
		first, most = 0, 0
		deleted := 0
		o.Client, o.Transfers, o.Report = c, transfer.New(c, transfer.Options{}), func(mirror.Result) { deleted++ }
		sum, err := mirror.Run(t.Context(), o)
		if err != nil || sum.Same+sum.Deleted != count || deleted != sum.Deleted {
			t.Fatalf("%+v, %v", sum, err)
		}
		if most > first+allowed {
			t.Errorf("%d KiB after the first page, %d at most", first>>10, most>>10)
		}
	}
}
