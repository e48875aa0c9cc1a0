package v1_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/object/history"
	"cloudstorage/app/web/problem"
	v1 "cloudstorage/app/web/v1"
)

// toJSON writes a request's body.
func toJSON(t testing.TB, v any) string {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

type asked map[string]any

func TestACopyIsTheFileUnderAnotherName(t *testing.T) {
	t.Parallel()
	s := start(t)
	const from, to = "a b/ü+%.txt", "c/ü +%&<>.txt"
	old := s.put(from, "old")
	s.put(from, "new")
	for version, want := range map[string]string{"": "new", old.Version: "old"} {
		var copied described
		answer := s.do(http.MethodPost, "/v1/copies", toJSON(t, asked{"from": from, "to": to, "version": version})).want(t, http.StatusCreated, &copied)
		if copied.Key != to || copied.Size != 3 || copied.Version == "" || s.content(to, copied.Version) != want {
			t.Errorf("copied as %+v", copied)
		}
		at := answer.Header.Get("Location")
		if got := s.do(http.MethodHead, at, "").want(t, http.StatusOK, nil).Header.Get("X-Version-Id"); got != copied.Version {
			t.Errorf("at %s is version %q, want %q", at, got, copied.Version)
		}
		s.wantAudit(`"did":"file.copy"`, copied.Version, `"from":"`+from)
	}
}

func TestWhoeverWroteAFileIsToldWhichVersionItIs(t *testing.T) {
	t.Parallel()
	s := start(t)
	old := s.put("from", "old")
	s.put("from", "new")
	s.put("gone", "x")
	_, upload := s.begin(asked{"key": "uploaded", "size": 3})
	s.sendPart(upload, 1, "all")
	for key, answer := range map[string]response{
		"put":      s.do(http.MethodPut, "/v1/files/put", "x"),
		"copy":     s.do(http.MethodPost, "/v1/copies", `{"from":"from","to":"copy"}`),
		"moved":    s.do(http.MethodPost, "/v1/moves", `{"from":"gone","to":"moved"}`),
		"from":     s.do(http.MethodPost, "/v1/versions/from?version="+old.Version, ""),
		"uploaded": s.do(http.MethodPost, upload+"/complete", "{}"),
	} {
		stat, err := s.Store.Stat(t.Context(), object.Key(key), "")
		etag, version := answer.Header.Get("ETag"), answer.Header.Get("X-Version-Id")
		if err != nil || etag != stat.ETag || version != stat.Version || version == "" {
			t.Errorf("%s: ETag %s, X-Version-Id %q, want %+v (%v)", key, etag, version, stat, err)
		}
	}
}

func TestAMoveLeavesAWayBack(t *testing.T) {
	t.Parallel()
	s := start(t)
	info := s.put("from", "text")
	var moved described
	answer := s.do(http.MethodPost, "/v1/moves", toJSON(t, asked{"from": "from", "to": "to", "if_match": info.ETag, "if_new": true})).want(t, http.StatusCreated, &moved)
	if moved.Key != "to" || answer.Header.Get("Location") != "/v1/files/to" || s.content("to", "") != "text" {
		t.Errorf("moved as %+v, to %s", moved, answer.Header.Get("Location"))
	}
	s.do(http.MethodHead, "/v1/files/from", "").wantProblem(t, problem.NotFound, "")
	s.wantAudit(`"did":"file.move"`, `"key":"from"`, `"to":"to"`)

	undo, _, found := strings.Cut(strings.TrimPrefix(answer.Header.Get("Link"), "<"), `>; rel="urn:cloudstorage:undo"`)
	if !found {
		t.Fatalf("Link: %s", answer.Header.Get("Link"))
	}
	s.do(http.MethodPost, undo, "").want(t, http.StatusOK, nil)
	if s.content("from", "") != "text" || s.content("to", "") != "text" {
		t.Error("undoing the move lost something")
	}
}

func TestWhatCannotBeCopiedOrMovedIsSaid(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.put("a", "text")
	s.put("there", "text")
	tests := []struct {
		body   asked
		kind   problem.Kind
		wayOut string
	}{
		{asked{"from": "missing", "to": "to"}, problem.NotFound, "no such file"},
		{asked{"from": "a", "to": "a"}, problem.InvalidRequest, "to: it is the same"},
		{asked{"from": "a/../b", "to": "to"}, problem.InvalidRequest, `from: the file name has the path segment`},
		{asked{"from": "a", "to": "\x00"}, problem.InvalidRequest, "to: the file name has the control character"},
		{asked{"from": "a"}, problem.InvalidRequest, "to: it is missing"},
		{asked{"to": "a"}, problem.InvalidRequest, "from: it is missing"},
		{asked{"from": "a", "to": "to", "if_match": `"another"`}, problem.PreconditionFailed, ""},
		{asked{"from": "a", "to": "to", "if_match": "another"}, problem.InvalidRequest, "if_match: "},
		{asked{"from": "a", "to": "there", "if_new": true}, problem.PreconditionFailed, ""},
		{asked{"from": "a", "too": "to"}, problem.InvalidRequest, "too"},
	}
	for _, tt := range tests {
		for _, route := range []string{"/v1/copies", "/v1/moves"} {
			s.do(http.MethodPost, route, toJSON(t, tt.body)).wantProblem(t, tt.kind, tt.wayOut)
		}
	}
	if s.content("a", "") != "text" {
		t.Error("a refused move lost the file")
	}
	s.do(http.MethodHead, "/v1/files/to", "").wantProblem(t, problem.NotFound, "")
}

func TestCopyingAndMovingNeedTheirVerbsOnEitherSide(t *testing.T) {
	t.Parallel()
	tokens := map[string]string{}
	var entries []auth.Key
	add := func(id string, grants ...auth.Key) {
		tokens[id] = auth.NewToken()
		k := key(id, tokens[id], "")
		k.Verbs, k.Prefixes = grants[0].Verbs, grants[0].Prefixes
		entries = append(entries, k)
	}
	under := func(prefix string, verbs ...auth.Verb) auth.Key {
		return auth.Key{Verbs: verbs, Prefixes: []string{prefix}}
	}
	add("all-in-from", under("from/", auth.Verbs()...))
	add("all-in-to", under("to/", auth.Verbs()...))
	add("writer", under("", auth.Write, auth.Delete))
	add("copier", under("", auth.Read, auth.Write))
	s := start(t, func(a *v1.API) { a.Who = keys(t, entries...) })
	s.put("from/a", "text")
	body := toJSON(t, asked{"from": "from/a", "to": "to/a"})
	for _, tt := range []struct{ who, route, wayOut string }{
		{"all-in-from", "/v1/copies", "may not write"},
		{"all-in-from", "/v1/moves", "may not write"},
		{"all-in-to", "/v1/copies", "may not read"},
		{"all-in-to", "/v1/moves", "may not read"},
		{"writer", "/v1/copies", "may not read"},
		{"writer", "/v1/moves", "may not read"},
		{"copier", "/v1/moves", "may not delete"},
	} {
		s.token = tokens[tt.who]
		s.do(http.MethodPost, tt.route, body).wantProblem(t, problem.Forbidden, tt.wayOut)
	}
	s.token = tokens["copier"]
	s.do(http.MethodPost, "/v1/copies", body).want(t, http.StatusCreated, nil)
}

// stubborn is a store in which something happens between a move's copy and its
// deletion.
type stubborn struct {
	v1.Store
	afterCopy func()
	refuse    error
}

func (s stubborn) Copy(ctx context.Context, from, to object.Key, o history.CopyOptions) (object.Info, error) {
	info, err := s.Store.Copy(ctx, from, to, o)
	s.afterCopy()
	return info, err
}

func (s stubborn) Delete(ctx context.Context, k object.Key) (string, error) {
	if s.refuse != nil {
		return "", s.refuse
	}
	return s.Store.Delete(ctx, k)
}

func TestAMoveThatCannotDeleteLosesNothing(t *testing.T) {
	t.Parallel()
	refusal := &object.Error{Code: object.CodeUnavailable, Op: "s3:DeleteObject", Message: "the storage does not answer"}
	s := start(t, func(a *v1.API) { a.Store = stubborn{a.Store, func() {}, refusal} })
	s.put("from", "text")
	s.do(http.MethodPost, "/v1/moves", toJSON(t, asked{"from": "from", "to": "to"})).wantProblem(t, problem.Unavailable, "the copy is at /v1/files/to and stays; the file was not deleted where it was: the storage does not answer")
	if s.content("from", "") != "text" || s.content("to", "") != "text" {
		t.Error("the file is not at both")
	}
	s.wantAudit(`"did":"file.copy"`, `"key":"to"`)
	if strings.Contains(s.Audit.String(), "file.move") {
		t.Error("the audit says that it was moved")
	}
}

func TestAMoveDoesNotDeleteWhatWasWrittenMeanwhile(t *testing.T) {
	t.Parallel()
	var s *service
	s = start(t, func(a *v1.API) { a.Store = stubborn{a.Store, func() { s.put("from", "newer") }, nil} })
	s.put("from", "text")
	s.do(http.MethodPost, "/v1/moves", toJSON(t, asked{"from": "from", "to": "to"})).wantProblem(t, problem.Conflict, "written while it was copied")
	if s.content("from", "") != "newer" || s.content("to", "") != "text" {
		t.Error("the newer content is not where it was written")
	}
}
