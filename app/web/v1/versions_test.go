package v1_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/web/problem"
	v1 "cloudstorage/app/web/v1"
)

// described is a file as the API answers it.
type described struct {
	Key, ETag, Modified, Type, Version string
	Size                               int64
}

type versions struct {
	Versions []struct {
		Key, ETag, Modified, Version string
		Size                         int64
		Newest, Deleted              bool
	}
	Next string `json:"next_cursor"`
}

// remove deletes a file, past the API, and returns the deletion's version.
func (s *service) remove(k string) string {
	s.t.Helper()
	marker, err := s.Store.Delete(s.t.Context(), object.Key(k))
	if err != nil {
		s.t.Fatal(err)
	}
	return marker
}

func TestVersionsAreListedNewestFirstWithDeletions(t *testing.T) {
	t.Parallel()
	s := start(t)
	const k, target = "a b/ü+%.txt", "/v1/versions/a%20b/%C3%BC+%25.txt"
	s.put("a b/ü+%.txt beside", "x")
	first, second := s.put(k, "1"), s.put(k, "22")
	marker := s.remove(k)
	want := []string{marker, second.Version, first.Version}
	for limit, pages := range map[string]int{"": 1, "?limit=2": 2} {
		var got []string
		next := target + limit
		for n := 0; next != ""; n++ {
			if n == pages {
				t.Fatalf("%s: more than %d pages", limit, pages)
			}
			var page versions
			answer := s.do(http.MethodGet, next, "").want(t, http.StatusOK, &page)
			for _, v := range page.Versions {
				if v.Key != k || !strings.HasSuffix(v.Modified, "Z") || v.Deleted != (v.ETag == "") || v.Newest != (v.Version == marker) || v.Deleted != (v.Version == marker) {
					t.Errorf("version %+v", v)
				}
				got = append(got, v.Version)
			}
			next, _, _ = strings.Cut(strings.TrimPrefix(answer.Header.Get("Link"), "<"), ">")
			if (next == "") != (page.Next == "") {
				t.Errorf("Link %q with next_cursor %q", next, page.Next)
			}
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: listed %q, want %q", limit, got, want)
		}
	}
	s.do(http.MethodGet, "/v1/versions/never", "").wantProblem(t, problem.NotFound, "no version of it")
}

func TestACursorOfVersionsIsGoodForItsFileOnly(t *testing.T) {
	t.Parallel()
	s := start(t)
	for range 3 {
		s.put("a", "x")
	}
	var page versions
	s.do(http.MethodGet, "/v1/versions/a?limit=2", "").want(t, http.StatusOK, &page)
	s.do(http.MethodGet, "/v1/versions/b?cursor="+url.QueryEscape(page.Next), "").wantProblem(t, problem.InvalidRequest, "begin without")
}

func TestAnOldVersionIsRestoredByCopyingItForward(t *testing.T) {
	t.Parallel()
	s := start(t)
	old, newest := s.put("k", "old"), s.put("k", "new")
	var now described
	s.do(http.MethodPost, "/v1/versions/k?version="+old.Version, "").want(t, http.StatusOK, &now)
	if now.Key != "k" || now.Size != 3 || now.Version == old.Version || now.Version == "" || s.content("k", "") != "old" {
		t.Errorf("restored as %+v", now)
	}
	if got := s.content("k", newest.Version); got != "new" {
		t.Errorf("what was newest is %q", got)
	}
	s.wantAudit(`"did":"version.restore"`, `"who":"root"`, `"key":"k"`, now.Version, old.Version)
}

func TestUndoRestoresWhatADeletionHid(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.put("k", "1")
	s.put("k", "2")
	first, second := s.remove("k"), s.remove("k") // a retry, whose first answer was lost
	s.do(http.MethodPost, "/v1/versions/k?before="+first, "").wantProblem(t, problem.PreconditionFailed, second)
	s.do(http.MethodPost, "/v1/versions/k?before="+second, "").want(t, http.StatusOK, nil)
	if got := s.content("k", ""); got != "2" {
		t.Errorf("it is %q", got)
	}
}

func TestUndoRestoresWhatAnOverwriteHid(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.put("k", "1")
	over := s.put("k", "2")
	s.do(http.MethodPost, "/v1/versions/k?before="+over.Version, "").want(t, http.StatusOK, nil)
	if got := s.content("k", ""); got != "1" {
		t.Errorf("it is %q", got)
	}
}

// Versions stay, but who undoes a deletion does not know of what came after it.
func TestUndoNeverHidesWhatWasWrittenSince(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.put("k", "1")
	marker := s.remove("k")
	since := s.put("k", "somebody else's")
	s.do(http.MethodPost, "/v1/versions/k?before="+marker, "").wantProblem(t, problem.PreconditionFailed, since.Version)
	if got := s.content("k", ""); got != "somebody else's" {
		t.Errorf("it is %q", got)
	}
}

func TestWhatCannotBeRestoredIsSaid(t *testing.T) {
	t.Parallel()
	s := start(t)
	only := s.put("k", "1")
	s.put("gone", "1")
	marker := s.remove("gone")
	tests := []struct {
		target string
		kind   problem.Kind
		wayOut string
	}{
		{"/v1/versions/k", problem.InvalidRequest, "either version"},
		{"/v1/versions/k?version=" + only.Version + "&before=" + only.Version, problem.InvalidRequest, "either version"},
		{"/v1/versions/k?before=" + only.Version, problem.NotFound, "no older content"},
		{"/v1/versions/gone?version=" + marker, problem.NotFound, "deletion"},
		{"/v1/versions/never?before=" + marker, problem.NotFound, "no older content"},
		{"/v1/versions/k?version=01ARZ3NDEKTSV4RRFFQ69G5FAV", problem.NotFound, "no such"},
		{"/v1/versions/?version=x", problem.InvalidRequest, "empty"},
	}
	for _, tt := range tests {
		s.do(http.MethodPost, tt.target, "").wantProblem(t, tt.kind, tt.wayOut)
	}
}

func TestRestoringNeedsReadAndWrite(t *testing.T) {
	t.Parallel()
	reader, writer := auth.NewToken(), auth.NewToken()
	s := start(t, func(a *v1.API) {
		a.Who = keys(t, key("reader", reader, "", auth.Read), key("writer", writer, "", auth.Write))
	})
	info := s.put("k", "1")
	s.token = reader
	s.do(http.MethodGet, "/v1/versions/k", "").want(t, http.StatusOK, nil)
	s.do(http.MethodPost, "/v1/versions/k?version="+info.Version, "").wantProblem(t, problem.Forbidden, "may not write")
	s.token = writer
	s.do(http.MethodGet, "/v1/versions/k", "").wantProblem(t, problem.Forbidden, "may not read")
	s.do(http.MethodPost, "/v1/versions/k?version="+info.Version, "").wantProblem(t, problem.Forbidden, "may not read")
}
