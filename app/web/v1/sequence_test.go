package v1_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"cloudstorage/app/web/problem"
)

// TestAnySequenceOfRequestsDoesWhatAMapDoes sends random requests to the API and
// does the same to a map. A failure names its seed, which repeats it.
func TestAnySequenceOfRequestsDoesWhatAMapDoes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			m := model{service: start(t), random: rand.New(rand.NewPCG(seed, 0)), files: map[string]stored{}, deleted: map[string]bool{}}
			for range 150 {
				m.step(t)
			}
		})
	}
}

type stored struct{ key, content, etag, version string }

// model is the API and what it should have.
type model struct {
	*service
	random  *rand.Rand
	files   map[string]stored
	deleted map[string]bool // and not written since
	history []stored        // whatever was there once
}

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

func (m *model) step(t *testing.T) {
	k := pick(m.random, []string{"a", "b/a", "b/b", "b/ü +%.txt", `c/"d"`})
	file, there := m.files[k]
	switch m.random.IntN(6) {
	case 0, 1:
		m.write(t, k)
	case 2: // read the content, with a condition or a range
		answer := m.do(http.MethodGet, at(k)+"?stream=1", "", pick(m.random, []string{"If-None-Match: " + m.anyETag(), "If-Match: " + m.anyETag(), "Range: bytes=1-2"}))
		asked := answer.Request.Header
		switch {
		case !there:
			answer.wantProblem(t, problem.NotFound, "")
		case asked.Get("If-None-Match") == file.etag:
			answer.want(t, http.StatusNotModified, nil)
		case asked.Get("If-Match") != "" && asked.Get("If-Match") != file.etag:
			answer.wantProblem(t, problem.PreconditionFailed, file.etag)
		case asked.Get("Range") != "" && len(file.content) < 2:
			answer.wantProblem(t, problem.RangeNotSatisfiable, "")
		case asked.Get("Range") != "":
			if got, want := answer.want(t, http.StatusPartialContent, nil).Text, file.content[1:min(3, len(file.content))]; got != want {
				t.Fatalf("GET %q: %q, want %q", k, got, want)
			}
		default:
			m.same(t, k, answer.want(t, http.StatusOK, nil))
		}
	case 3:
		status, _, content := m.follow(at(k))
		if there != (status == http.StatusOK) || there && content != file.content {
			t.Fatalf("GET %q: %d %q, want %+v", k, status, content, file)
		}
		head := m.do(http.MethodHead, at(k), "")
		if !there {
			head.wantProblem(t, problem.NotFound, "")
		} else if head.want(t, http.StatusOK, nil); head.ContentLength != int64(len(file.content)) || head.Header.Get("ETag") != file.etag || head.Header.Get("X-Version-Id") != file.version {
			t.Fatalf("HEAD %q: %v, want %+v", k, head.Header, file)
		}
	case 4:
		m.do(http.MethodDelete, at(k), "").want(t, http.StatusNoContent, nil)
		delete(m.files, k)
		m.deleted[k] = true
	case 5:
		m.list(t, pick(m.random, []string{"", "b/", "c", "none"}), 1+m.random.IntN(4))
	}
	if len(m.history) > 0 { // whatever was there once can still be read
		old := pick(m.random, m.history)
		if got := m.do(http.MethodGet, at(old.key)+"?stream=1&version="+url.QueryEscape(old.version), "").want(t, http.StatusOK, nil); got.Text != old.content {
			t.Fatalf("GET %q of version %s: %q, want %q", old.key, old.version, got.Text, old.content)
		}
	}
}

// anyETag is one that was there once, most often.
func (m *model) anyETag() string {
	if len(m.history) == 0 {
		return `"x"`
	}
	return pick(m.random, m.history).etag
}

// write puts content, with a condition or without.
func (m *model) write(t *testing.T, k string) {
	t.Helper()
	content := strings.Repeat("x", m.random.IntN(4)) + fmt.Sprint(m.random.IntN(10))
	file, there := m.files[k]
	field, allowed, status := "Content-Type: text/plain", true, http.StatusOK
	condition := m.random.IntN(3)
	if m.deleted[k] { // the gateway takes a deletion for a file, which S3 does not
		condition = 2
	}
	switch condition {
	case 0:
		field, allowed, status = "If-None-Match: *", !there, http.StatusCreated
	case 1:
		etag := m.anyETag()
		field, allowed = "If-Match: "+etag, there && etag == file.etag
	}
	answer := m.do(http.MethodPut, at(k), content, field)
	if !allowed {
		answer.wantProblem(t, problem.PreconditionFailed, "")
		return
	}
	var put described
	answer.want(t, status, &put)
	m.files[k] = stored{k, content, put.ETag, put.Version}
	delete(m.deleted, k)
	m.history = append(m.history, m.files[k])
}

// same fails the test unless the answer is the file.
func (m *model) same(t *testing.T, k string, answer response) {
	t.Helper()
	if want := m.files[k]; answer.Text != want.content || answer.Header.Get("ETag") != want.etag || answer.Header.Get("X-Version-Id") != want.version {
		t.Fatalf("GET %q: %q, %v, want %+v", k, answer.Text, answer.Header, want)
	}
}

// list lists page by page.
func (m *model) list(t *testing.T, prefix string, limit int) {
	t.Helper()
	var got, want []string
	for target := fmt.Sprintf("/v1/files?limit=%d&prefix=%s", limit, prefix); target != ""; {
		var page listed
		answer := m.do(http.MethodGet, target, "").want(t, http.StatusOK, &page)
		for _, f := range page.Files {
			if file := m.files[f.Key]; f.ETag != file.etag || f.Size != int64(len(file.content)) {
				t.Fatalf("%q is listed as %+v, want %+v", f.Key, f, file)
			}
			got = append(got, f.Key)
		}
		target, _, _ = strings.Cut(strings.TrimPrefix(answer.Header.Get("Link"), "<"), ">")
	}
	for k := range m.files {
		if strings.HasPrefix(k, prefix) {
			want = append(want, k)
		}
	}
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Fatalf("%q lists %q, want %q", prefix, got, want)
	}
}
