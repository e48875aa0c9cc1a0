package v1_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"cloudstorage/app/auth"
	"cloudstorage/app/web/problem"
	v1 "cloudstorage/app/web/v1"
)

type deletion struct {
	Key, Version, Undo string
	Error              *problem.Details
}

func (s *service) deleteFiles(names ...string) []deletion {
	s.t.Helper()
	answer := s.do(http.MethodPost, "/v1/batch/delete", toJSON(s.t, asked{"keys": names})).want(s.t, http.StatusOK, nil)
	if got := answer.Header.Get("Content-Type"); got != "application/x-ndjson" {
		s.t.Errorf("Content-Type: %s", got)
	}
	var all []deletion
	for line := range strings.Lines(answer.Text) {
		var d deletion
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			s.t.Fatalf("%q: %v", line, err)
		}
		all = append(all, d)
	}
	if len(all) != len(names) {
		s.t.Fatalf("%d lines for %d names: %s", len(all), len(names), answer.Text)
	}
	return all
}

func TestABatchDeletesInOrderAndTellsHowToUndoEach(t *testing.T) {
	t.Parallel()
	s := start(t)
	names := []string{"b", "a b/ü+%.txt", "missing", "b"}
	s.put("b", "content of b")
	s.put("a b/ü+%.txt", "content of ü")
	s.put("keep", "x")
	got := s.deleteFiles(names...)
	for i, d := range got {
		if d.Key != names[i] || d.Error != nil {
			t.Errorf("%q: %+v", names[i], d)
		}
	}
	if got[0] != got[3] {
		t.Errorf("the same name twice: %+v and %+v", got[0], got[3])
	}
	for i, want := range []string{"content of b", "content of ü"} {
		s.do(http.MethodHead, "/v1/files/"+url.PathEscape(names[i]), "").wantProblem(t, problem.NotFound, "")
		s.do(http.MethodPost, got[i].Undo, "").want(t, http.StatusOK, nil)
		if text := s.content(names[i], ""); text != want {
			t.Errorf("%q came back as %q", names[i], text)
		}
		s.wantAudit(`"did":"file.delete"`, names[i], got[i].Version)
	}
	if n := strings.Count(s.Audit.String(), `"file.delete","key":"b"`); n != 1 {
		t.Errorf("%d lines of the audit for b", n)
	}
	if s.content("keep", "") != "x" {
		t.Error("what was not named is gone")
	}
}

func TestWhatMayNotBeDeletedHindersNothingElse(t *testing.T) {
	t.Parallel()
	deleter := auth.NewToken()
	s := start(t, func(a *v1.API) { a.Who = keys(t, key("deleter", deleter, "in/", auth.Delete)) })
	s.token = deleter
	s.put("in/a", "x")
	s.put("out/a", "x")
	got := s.deleteFiles("out/a", "in/../a", "in/a", "")
	for i, want := range []string{"may not delete", `keys[1]: the file name has the path segment`, "", "keys[3]: it is missing"} {
		switch e := got[i].Error; {
		case want == "" && (e != nil || got[i].Undo == ""):
			t.Errorf("%+v", got[i])
		case want != "" && (e == nil || !strings.Contains(e.Detail, want) || got[i].Undo != ""):
			t.Errorf("%+v, want %q", got[i], want)
		}
	}
	if got[0].Error.Type != problem.Forbidden.Type() {
		t.Errorf("%+v", got[0].Error)
	}
	if s.content("out/a", "") != "x" {
		t.Error("what may not be deleted is gone")
	}
}

func TestABatchHasOneToAThousandNames(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.do(http.MethodPost, "/v1/batch/delete", `{"keys":[]}`).wantProblem(t, problem.InvalidRequest, "keys: there are 0")
	names := slices.Repeat([]string{"x"}, 1001)
	s.do(http.MethodPost, "/v1/batch/delete", toJSON(t, asked{"keys": names})).wantProblem(t, problem.InvalidRequest, "keys: there are 1001")
	for i := range names {
		names[i] = fmt.Sprint("many/", i)
	}
	s.put(names[999], "x")
	if got := s.deleteFiles(names[:1000]...); got[999].Version == "" {
		t.Errorf("%+v", got[999])
	}
}
