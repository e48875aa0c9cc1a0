package v1_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/object/objecttest"
	"cloudstorage/app/web/problem"
	v1 "cloudstorage/app/web/v1"
)

// batched is a line of a batch's answer.
type batched struct {
	Key string
	signed
	Error *problem.Details
}

// batch sends a batch and returns the lines of its answer.
func (s *service) batch(target, body string) []batched {
	s.t.Helper()
	answer := s.do(http.MethodPost, target, body).want(s.t, http.StatusOK, nil)
	if h := answer.Header; h.Get("Content-Type") != "application/x-ndjson" || h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" {
		s.t.Errorf("%s: %v", target, h)
	}
	var lines []batched
	for text := range strings.Lines(answer.Text) {
		var line batched
		if err := json.Unmarshal([]byte(text), &line); err != nil || !strings.HasSuffix(text, "\n") {
			s.t.Fatalf("%q: %v", text, err)
		}
		lines = append(lines, line)
	}
	return lines
}

// items is a batch of all keys.
func items(t *testing.T, keys []string) string {
	t.Helper()
	type item struct {
		Key string `json:"key"`
	}
	var all struct {
		Items []item `json:"items"`
	}
	for _, k := range keys {
		all.Items = append(all.Items, item{k})
	}
	body, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestABatchSignsEachOfItsItemsInTheirOrder(t *testing.T) {
	t.Parallel()
	s := start(t)
	names := objecttest.Names()
	up := s.batch("/v1/batch/uploads", items(t, names))
	down := s.batch("/v1/batch/downloads", items(t, names))
	if len(up) != len(names) || len(down) != len(names) {
		t.Fatalf("%d and %d lines for %d names", len(up), len(down), len(names))
	}
	for i, name := range names {
		if up[i].Key != name || down[i].Key != name || up[i].Error != nil || down[i].Error != nil {
			t.Fatalf("%q: %+v, %+v", name, up[i], down[i])
		}
		if lives := time.Until(down[i].Expires); lives < 9*time.Minute || lives > 10*time.Minute || down[i].Headers == nil {
			t.Errorf("%q: %+v", name, down[i])
		}
		up[i].send(t, "content of "+name).want(t, http.StatusOK, nil)
		answer := down[i].send(t, "")
		if answer.Text != "content of "+name || !strings.HasPrefix(answer.Header.Get("Content-Disposition"), "attachment;") {
			t.Errorf("%q: %q, %v", name, answer.Text, answer.Header)
		}
		s.wantAudit(`"did":"file.sign-put"`, fmt.Sprintf(`"key":%s`, quoted(t, name)))
	}
}

// quoted is name as slog writes it.
func quoted(t *testing.T, name string) string {
	t.Helper()
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(name); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(text.String(), "\n")
}

func TestAnItemThatCannotBeSignedHindersNoOther(t *testing.T) {
	t.Parallel()
	some := auth.NewToken()
	s := start(t, func(a *v1.API) { a.Who = keys(t, key("some", some, "in/", auth.Read, auth.Write)) })
	s.token = some
	old := s.put("in/a", "old")
	s.put("in/a", "new")
	kinds := func(lines []batched) (names []string) {
		for _, l := range lines {
			if l.Error == nil {
				names = append(names, "")
				continue
			}
			if l.URL != "" || l.Headers != nil || l.Error.Status == 0 {
				t.Errorf("a line with an error is %+v", l)
			}
			names = append(names, strings.TrimPrefix(l.Error.Type, problem.Path))
		}
		return names
	}
	down := s.batch("/v1/batch/downloads", `{"items":[{"key":"in/a"},{"key":"out/a"},{"key":""},{"key":"in/../a"},{"key":"in/a","version":"`+old.Version+`"}],"expires_in":60}`)
	if got := fmt.Sprint(kinds(down)); got != "[ forbidden invalid-request invalid-request ]" {
		t.Fatalf("downloads: %s", got)
	}
	if lives := time.Until(down[0].Expires); lives > time.Minute {
		t.Errorf("asked for a minute, it lives until %s", down[0].Expires)
	}
	for i, want := range map[int]string{0: "new", 4: "old"} {
		if got := down[i].send(t, "").Text; got != want {
			t.Errorf("line %d reads %q, want %q", i, got, want)
		}
	}
	up := s.batch("/v1/batch/uploads", `{"items":[{"key":"in/b","type":"text/html","if_new":true},{"key":"out/b"},{"key":"in/b","sha256":"x"},{"key":"in/b","size":-1},{"key":"in/b","expires_in":3601},{"key":"in/b"}]}`)
	if got := fmt.Sprint(kinds(up)); got != "[ forbidden invalid-request invalid-request invalid-request ]" {
		t.Fatalf("uploads: %s", got)
	}
	if h := up[0].Headers; h["Content-Type"] != "text/html" || h["If-None-Match"] != "*" {
		t.Errorf("signed with %v", h)
	}
	if got := strings.Count(s.Audit.String(), "file.sign-put"); got != 2 {
		t.Errorf("%d lines of audit, want 2: %s", got, s.Audit)
	}
}

// failing is a store that signs no read but the first few.
type failing struct {
	v1.Store
	good atomic.Int64
}

func (f *failing) SignRead(ctx context.Context, k object.Key, ttl time.Duration, o file.ReadOptions) (object.Signed, error) {
	if f.good.Add(-1) < 0 {
		return object.Signed{}, &object.Error{Code: object.CodeUnavailable, Op: "s3:GetObject", Key: k, Message: "there are no credentials"}
	}
	return f.Store.SignRead(ctx, k, ttl, o)
}

func TestABatchThatTheServerCannotSignIsAProblemOrHasOneInItsLine(t *testing.T) {
	t.Parallel()
	store := &failing{}
	s := start(t, func(a *v1.API) {
		store.Store = a.Store
		a.Store = store
	})
	body := items(t, []string{"a", "b"})
	s.do(http.MethodPost, "/v1/batch/downloads", body).wantProblem(t, problem.Unavailable, "credentials")
	store.good.Store(1)
	lines := s.batch("/v1/batch/downloads", body)
	if len(lines) != 2 || lines[0].Error != nil || lines[1].Error == nil || lines[1].Error.Type != problem.Unavailable.Type() {
		t.Errorf("answered %+v", lines)
	}
}

func TestABatchHasOneToAThousandItems(t *testing.T) {
	t.Parallel()
	s := start(t)
	names := make([]string, object.MaxPage+1)
	for i := range names {
		names[i] = strings.Repeat("ä", 500) + fmt.Sprint(i)
	}
	for _, target := range []string{"/v1/batch/downloads", "/v1/batch/uploads"} {
		if got := len(s.batch(target, items(t, names[1:]))); got != object.MaxPage {
			t.Errorf("%s: %d lines", target, got)
		}
		for _, body := range []string{items(t, names), `{"items":[]}`, `{}`} {
			s.do(http.MethodPost, target, body).wantProblem(t, problem.InvalidRequest, "1 to 1000")
		}
		s.do(http.MethodPost, target, `{"items":[{"key":"a","name":"b"}]}`).wantProblem(t, problem.InvalidRequest, "name")
		s.do(http.MethodPost, target, `[]`, "Content-Type: application/json").wantProblem(t, problem.InvalidRequest, "")
	}
	s.do(http.MethodPost, "/v1/batch/downloads", `{"items":[{"key":"a"}],"expires_in":3601}`).wantProblem(t, problem.InvalidRequest, "3600")
}
