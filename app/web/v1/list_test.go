package v1_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"cloudstorage/app/web/problem"
)

type listed struct {
	Files []struct {
		Key, ETag, Modified, Type, Version string
		Size                               int64
	}
	Prefixes []string
	Next     string `json:"next_cursor"`
}

func TestAListingGoesOnUntilItHasNoCursor(t *testing.T) {
	t.Parallel()
	s := start(t)
	var want, got []string
	for i := range 7 {
		k := fmt.Sprintf("a/%d é+&.txt", i)
		s.put(k, "x")
		want = append(want, k)
	}
	s.put("b", "")
	target := "/v1/files?limit=3&prefix=a%2F"
	for pages := 0; target != ""; pages++ {
		if pages > 3 {
			t.Fatal("the listing does not end")
		}
		var page listed
		answer := s.do(http.MethodGet, target, "").want(t, http.StatusOK, &page)
		for _, f := range page.Files {
			got = append(got, f.Key)
			if f.Size != 1 || !strings.HasPrefix(f.ETag, `"`) || !strings.HasSuffix(f.Modified, "Z") {
				t.Errorf("file %+v", f)
			}
		}
		link := answer.Header.Get("Link")
		if (link == "") != (page.Next == "") {
			t.Errorf("Link %q with next_cursor %q", link, page.Next)
		}
		target, _, _ = strings.Cut(strings.TrimPrefix(link, "<"), ">")
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
}

func TestADelimiterRollsUp(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, k := range []string{"a/1", "a/2", "b", "c/d/e"} {
		s.put(k, "x")
	}
	var page listed
	s.do(http.MethodGet, "/v1/files?delimiter=/", "").want(t, http.StatusOK, &page)
	if len(page.Files) != 1 || page.Files[0].Key != "b" || !slices.Equal(page.Prefixes, []string{"a/", "c/"}) {
		t.Errorf("listed %+v", page)
	}
}

func TestAnEmptyListingHasListsAndNoNulls(t *testing.T) {
	t.Parallel()
	if got := start(t).do(http.MethodGet, "/v1/files", "").Text; got != `{"files":[],"prefixes":[]}`+"\n" {
		t.Errorf("answered %s", got)
	}
}

func TestACursorIsGoodForItsListingOnly(t *testing.T) {
	t.Parallel()
	s := start(t)
	for i := range 3 {
		s.put(fmt.Sprintf("a/%d", i), "x")
	}
	var page listed
	s.do(http.MethodGet, "/v1/files?limit=1&prefix=a/", "").want(t, http.StatusOK, &page)
	cursor := url.QueryEscape(page.Next)
	s.do(http.MethodGet, "/v1/files?limit=2&prefix=a/&cursor="+cursor, "").want(t, http.StatusOK, nil)
	for _, target := range []string{"?cursor=" + cursor, "?prefix=b/&cursor=" + cursor, "?prefix=a/&delimiter=/&cursor=" + cursor, "?prefix=a/&cursor=" + cursor[1:]} {
		s.do(http.MethodGet, "/v1/files"+target, "").wantProblem(t, problem.InvalidRequest, "begin without")
	}
}

func TestHeadDescribesAFileWithoutItsContent(t *testing.T) {
	t.Parallel()
	s := start(t)
	info := s.put("näme with + and %.txt", "content")
	answer := s.do(http.MethodHead, "/v1/files/n%C3%A4me%20with%20+%20and%20%25.txt", "").want(t, http.StatusOK, nil)
	if answer.ContentLength != 7 || answer.Header.Get("ETag") != info.ETag || answer.Header.Get("X-Version-Id") != info.Version || info.Version == "" {
		t.Errorf("answered %v", answer.Header)
	}
	s.do(http.MethodHead, "/v1/files/missing", "").wantProblem(t, problem.NotFound, "")
	s.do(http.MethodHead, "/v1/files/", "").wantProblem(t, problem.InvalidRequest, "")
}
