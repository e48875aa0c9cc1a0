package v1_test

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/s3lean"
	"cloudstorage/app/web/baked"
	"cloudstorage/app/web/problem"
	v1 "cloudstorage/app/web/v1"
)

// bakedBeside serves s's bucket to the same keys by the server that is built from
// source.
func bakedBeside(t testing.TB, s *service, ring auth.Keyring) *service {
	t.Helper()
	store, err := s3lean.Open(t.Context(), s3lean.Config{
		Bucket: s.Bucket, Region: s.Gateway.Region, Endpoint: s.Gateway.Endpoint, AccessKeyID: s.Gateway.AccessKey, SecretAccessKey: s.Gateway.SecretKey,
	})
	if err != nil {
		t.Fatal(err)
	}
	other := *s
	other.Audit = &logbook{}
	server := &baked.Server{
		Store: store, Bucket: s.Bucket, Keys: func() auth.Keyring { return ring }, TTL: 10 * time.Minute, MaxTTL: time.Hour,
		Drain: time.Second, Log: slog.New(slog.NewJSONHandler(other.Audit, nil)),
	}
	listener := httptest.NewServer(server.Handler())
	t.Cleanup(listener.Close)
	other.URL = listener.URL
	return &other
}

// both are the whole server and the one that is built from source, with one
// bucket and one keyring.
func both(t testing.TB) (whole, small *service, tokens map[string]string) {
	t.Helper()
	root, reader, ended := auth.NewToken(), auth.NewToken(), auth.NewToken()
	old := key("ended", ended, "")
	old.Expires = time.Now().Add(-time.Hour)
	ring, err := auth.NewKeyring([]auth.Key{key("root", root, ""), key("reader", reader, "in/", auth.Read, auth.List), old})
	if err != nil {
		t.Fatal(err)
	}
	whole = start(t, func(a *v1.API) { a.Who = auth.Authenticator{Keys: func() auth.Keyring { return ring }} })
	whole.token = root
	return whole, bakedBeside(t, whole, ring), map[string]string{"reader": reader, "ended": ended}
}

// What the smaller server answers is what the whole server answers: status, kind
// of problem, fields, JSON. It differs where it is said to.
func TestTheBakedServerAnswersAsTheWholeServerDoes(t *testing.T) {
	t.Parallel()
	whole, small, tokens := both(t)
	old := whole.put("in/a é.txt", "old")
	whole.put("in/a é.txt", "content")
	whole.put("in/b/c.txt", "x")
	whole.put("out/d.txt", "x")
	bearer := func(who string) string { return "Authorization: Bearer " + tokens[who] }
	for _, tt := range []struct {
		method, target, body string
		fields               []string
	}{
		{method: "GET", target: "/v1/files"},
		{method: "HEAD", target: "/v1/files"},
		{method: "GET", target: "/v1/files?prefix=in/&delimiter=/"},
		{method: "GET", target: "/v1/files?limit=2"},
		{method: "GET", target: "/v1/files?limit=0"},
		{method: "GET", target: "/v1/files?limit=1001"},
		{method: "GET", target: "/v1/files?limt=1"},
		{method: "GET", target: "/v1/files?prefix=a&prefix=b"},
		{method: "GET", target: "/v1/files?prefix=%ff"},
		{method: "GET", target: "/v1/files?prefix=%zz"},
		{method: "GET", target: "/v1/files?cursor=never-a-cursor%ff"},
		{method: "POST", target: "/v1/files"},
		{method: "PURGE", target: "/v1/files"},
		{method: "GET", target: at("in/a é.txt")},
		{method: "GET", target: at("in/a é.txt") + "?version=" + old.Version},
		{method: "GET", target: at("in/a é.txt") + "?version=none"},
		{method: "GET", target: at("in/a é.txt") + "?expires_in=60", fields: []string{"Accept: application/json"}},
		{method: "GET", target: at("in/a é.txt") + "?expires_in=3601"},
		{method: "GET", target: at("in/a é.txt") + "?expires_in=0"},
		{method: "GET", target: at("in/a é.txt") + "?sign=1"},
		{method: "HEAD", target: at("in/b/c.txt")},
		{method: "HEAD", target: at("missing")},
		{method: "GET", target: at("missing")},
		{method: "GET", target: "/v1/files/"},
		{method: "GET", target: "/v1/files/a%00b"},
		{method: "GET", target: "/v1/files/a/%2e%2e/b"},
		{method: "GET", target: "/v1/files/" + strings.Repeat("a", 1025)},
		{method: "PATCH", target: at("in/b/c.txt")},
		{method: "MKCOL", target: at("in/b/c.txt")},
		{method: "PUT", target: at("new") + "?sign=1", body: `{}`},
		{method: "PUT", target: at("new") + "?sign=1", body: `{"type":"text/plain","size":4,"if_new":true,"expires_in":60,"sha256":"` + strings.Repeat("0a", 32) + `"}`},
		{method: "PUT", target: at("new") + "?sign=1", body: `{"if_match":"\"x\""}`},
		{method: "PUT", target: at("new") + "?sign=1", body: `{`},
		{method: "PUT", target: at("new") + "?sign=1", body: `{} {}`},
		{method: "PUT", target: at("new") + "?sign=1", body: `{"mime":"a/b"}`},
		{method: "PUT", target: at("new") + "?sign=1", body: `{"type":"text"}`},
		{method: "PUT", target: at("new") + "?sign=1", body: `{"type":"a/b;c=\"\r\nd\""}`},
		{method: "PUT", target: at("new") + "?sign=1", body: `{"sha256":"0a"}`},
		{method: "PUT", target: at("new") + "?sign=1", body: `{"size":-1}`},
		{method: "PUT", target: at("new") + "?sign=1", body: `{"if_match":"x"}`},
		{method: "PUT", target: at("new") + "?sign=1", body: `{"if_match":"\"x\"","if_new":true}`},
		{method: "PUT", target: at("new") + "?sign=1", body: `{"expires_in":3601}`},
		{method: "PUT", target: at("new") + "?sign=1", body: `{}`, fields: []string{"If-None-Match: *"}},
		{method: "PUT", target: at("new") + "?sign=1", body: `x`},
		{method: "DELETE", target: at("in/b/c.txt"), fields: []string{`If-Match: "x"`}},
		{method: "DELETE", target: at("in/b/c.txt") + "?version=1"},
		{method: "DELETE", target: "/v1/files/"},

		{method: "GET", target: "/v1/files", fields: []string{"Authorization: "}},
		{method: "PURGE", target: "/v1/files", fields: []string{"Authorization: "}},
		{method: "GET", target: "/v1/files", fields: []string{"Authorization: Basic eDp5"}},
		{method: "GET", target: "/v1/files", fields: []string{"Authorization: Bearer " + auth.NewToken()}},
		{method: "GET", target: "/v1/files", fields: []string{bearer("ended")}},
		{method: "GET", target: "/v1/files", fields: []string{bearer("reader")}},
		{method: "GET", target: "/v1/files?prefix=in/", fields: []string{bearer("reader")}},
		{method: "GET", target: at("in/b/c.txt"), fields: []string{bearer("reader")}},
		{method: "GET", target: at("out/d.txt"), fields: []string{bearer("reader")}},
		{method: "GET", target: at("missing"), fields: []string{bearer("reader")}},
		{method: "PUT", target: at("in/new") + "?sign=1", body: `{}`, fields: []string{bearer("reader")}},
		{method: "DELETE", target: at("in/b/c.txt"), fields: []string{bearer("reader")}},
	} {
		want, got := whole.do(tt.method, tt.target, tt.body, tt.fields...), small.do(tt.method, tt.target, tt.body, tt.fields...)
		if err := same(want, got); err != nil {
			t.Errorf("%s %s %s %q:\n%d %v %s\nbut %d %v %s\n%v", tt.method, tt.target, tt.body, tt.fields,
				want.StatusCode, want.Header, want.Text, got.StatusCode, got.Header, got.Text, err)
		}
	}
}

// same says how two answers differ, but for what differs each time.
func same(want, got response) error {
	if want.StatusCode != got.StatusCode {
		return errors.New("another status")
	}
	if want.StatusCode < http.StatusBadRequest && want.Header.Get("Referrer-Policy") != got.Header.Get("Referrer-Policy") {
		return errors.New("another Referrer-Policy")
	}
	for _, name := range []string{"Content-Type", "Allow", "Cache-Control", "X-Content-Type-Options", "ETag", "X-Version-Id", "Vary", "WWW-Authenticate"} {
		if want.Header.Get(name) != got.Header.Get(name) {
			return errors.New("another " + name)
		}
	}
	if (want.Header.Get("Link") == "") != (got.Header.Get("Link") == "") {
		return errors.New("another Link")
	}
	var one, other any
	if want.Text == "" && got.Text == "" {
		return location(want, got)
	}
	if err := errors.Join(json.Unmarshal([]byte(want.Text), &one), json.Unmarshal([]byte(got.Text), &other)); err != nil {
		return err
	}
	if !reflect.DeepEqual(steady(one), steady(other)) {
		return errors.New("other JSON")
	}
	return nil
}

// location says how two redirects differ, but for their signatures and how they
// say the name to save by.
func location(want, got response) error {
	one, err := url.Parse(want.Header.Get("Location"))
	other, failure := url.Parse(got.Header.Get("Location"))
	if err != nil || failure != nil || one.Path != other.Path || one.Host != other.Host {
		return errors.New("another Location")
	}
	if a, b := one.Query(), other.Query(); len(a) != len(b) || a.Get("versionId") != b.Get("versionId") || a.Get("X-Amz-Expires") != b.Get("X-Amz-Expires") {
		return errors.New("another query")
	}
	return nil
}

// steady is JSON without what differs each time, and without what the baked server
// says in other words or not at all: details, and the types that names suggest.
func steady(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = steady(v[i])
		}
	case map[string]any:
		for name := range v {
			switch name {
			case "request_id", "detail", "url", "expires_at", "next_cursor":
				v[name] = v[name] != ""
			case "type":
				if problemType, _ := v[name].(string); !strings.HasPrefix(problemType, problem.Path) {
					delete(v, name)
				}
			default:
				v[name] = steady(v[name])
			}
		}
	}
	return v
}

func TestTheBakedServerMovesFilesAndLeavesOutTheRest(t *testing.T) {
	t.Parallel()
	_, small, _ := both(t)
	const name = "näme with + and %.txt"
	var writing, reading signed
	small.do(http.MethodPut, at(name)+"?sign=1", `{"type":"text/plain","if_new":true}`).want(t, http.StatusOK, &writing)
	writing.send(t, "content").want(t, http.StatusOK, nil)
	writing.send(t, "again").want(t, http.StatusPreconditionFailed, nil)
	small.wantAudit(`"did":"file.sign-put"`, `"who":"root"`, name)
	status, header, text := small.follow(at(name))
	if status != http.StatusOK || text != "content" || !strings.HasPrefix(header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%d %q %v", status, text, header)
	}
	small.do(http.MethodGet, at(name), "", "Accept: application/json").want(t, http.StatusOK, &reading)
	if got := reading.send(t, "").want(t, http.StatusOK, nil).Text; got != "content" {
		t.Errorf("read %q", got)
	}
	deleted := small.do(http.MethodDelete, at(name), "").want(t, http.StatusNoContent, nil)
	if undo := deleted.Header.Get("Link"); !strings.Contains(undo, "/v1/versions/") || deleted.Header.Get("X-Version-Id") == "" {
		t.Errorf("deleted without a way back: %v", deleted.Header)
	}
	small.wantAudit(`"did":"file.delete"`, `"who":"root"`, name)
	small.do(http.MethodGet, at(name), "").wantProblem(t, problem.NotFound, "")

	for _, target := range []string{"/v1/versions/a", "/v1/uploads", "/v1/links", "/v1/batch/delete", "/v1/filesystem", "/v1/problems/not-found", "/v1/files2/a"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, small.URL+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusNotFound || !strings.Contains(string(body), problem.NoSuchRoute.Type()) {
			t.Errorf("%s: %d %s", target, answer.StatusCode, body)
		}
	}
	// What it takes no content of, it refuses, and does not lose.
	small.do(http.MethodPut, at("streamed"), "content").wantProblem(t, problem.UnsupportedMediaType, "sign")
}

func TestTheBakedServerPagesThroughAListing(t *testing.T) {
	t.Parallel()
	_, small, _ := both(t)
	for _, name := range []string{"a", "b", "c d", "e"} {
		small.put(name, "x")
	}
	var names []string
	for target := "/v1/files?limit=1"; target != ""; {
		var page listed
		answer := small.do(http.MethodGet, target, "").want(t, http.StatusOK, &page)
		for _, f := range page.Files {
			names = append(names, f.Key)
		}
		next, _, _ := strings.Cut(strings.TrimPrefix(answer.Header.Get("Link"), "<"), ">")
		target = next
	}
	if got := strings.Join(names, ","); got != "a,b,c d,e" {
		t.Errorf("listed %s", got)
	}
}
