package v1_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"cloudstorage/app/object/objecttest"
)

// percent encodes every byte.
func percent(name string) string {
	return strings.ReplaceAll(fmt.Sprintf("% X", "\x00"+name)[2:], " ", "%")
}

// storable are the units that names have. Slashes part their segments.
func storable() []objecttest.Unit {
	return slices.DeleteFunc(objecttest.Units(), func(u objecttest.Unit) bool { return !u.Storable() || u == '/' })
}

// post asks without a connection, since there is so much to ask.
func (s *service) post(target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(s.t.Context(), http.MethodPost, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.Handler.ServeHTTP(w, r)
	return w
}

func TestEveryUTF16CodeUnitThatNoNameHasIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, u := range objecttest.Units() {
		if u.Storable() {
			continue
		}
		for _, name := range []string{u.Bytes(), "a" + u.Bytes() + "b"} {
			// A path that was taken would be told that it has no versions.
			if w := s.post("/v1/versions/"+percent(name)+"?version=none", ""); w.Code != http.StatusBadRequest {
				t.Errorf("%q in a path: %d %s", name, w.Code, w.Body)
			}
		}
		// As an escape, JSON can write half of a character. encoding/json would
		// make it U+FFFD, the name of another file.
		w := s.post("/v1/batch/downloads", fmt.Sprintf(`{"items":[{"key":"a\u%04xb"}]}`, uint16(u)))
		if !strings.Contains(w.Body.String(), `"status":400`) {
			t.Errorf("U+%04X in JSON: %d %s", uint16(u), w.Code, w.Body)
		}
	}
}

func TestEveryUTF16CodeUnitThatNamesHaveIsSignedAsItself(t *testing.T) {
	t.Parallel()
	s := start(t)
	names := objecttest.NamesOf(storable())
	var items []string
	for _, name := range names {
		escaped := ""
		for _, r := range name {
			escaped += fmt.Sprintf(`\u%04x`, r) // so that no encoder of ours decides what is sent
		}
		items = append(items, `{"key":"`+escaped+`"}`)
	}
	lines := bufio.NewScanner(s.post("/v1/batch/uploads", `{"items":[`+strings.Join(items, ",")+`]}`).Body)
	for _, name := range names {
		var line struct{ Key, URL string }
		if !lines.Scan() || json.Unmarshal(lines.Bytes(), &line) != nil || line.Key != name {
			t.Fatalf("%q is answered by %s", name, lines.Text())
		}
		path, found := strings.CutPrefix(line.URL, s.Gateway.Endpoint+"/"+s.Bucket+"/")
		path, query, _ := strings.Cut(path, "?")
		// S3 decodes the path once.
		if got, err := url.PathUnescape(path); !found || err != nil || got != name || !strings.Contains(query, "X-Amz-Signature=") {
			t.Errorf("%q is signed as %s", name, line.URL)
		}
		// Clients may take anything but unreserved characters for something else.
		if strings.ContainsFunc(path, func(r rune) bool {
			return r >= 0x7f || !strings.ContainsRune("-._~/%0123456789", r) && (r|0x20 < 'a' || r|0x20 > 'z')
		}) {
			t.Errorf("%q is not encoded in %s", name, line.URL)
		}
	}
}

func TestEveryUTF16CodeUnitThatNamesHaveIsStoredListedReadAndDeletedAsItself(t *testing.T) {
	t.Parallel()
	s := start(t)
	names := objecttest.NamesOf(storable())
	s.each(names, func(name string) error {
		return s.expect(http.StatusOK, http.MethodPut, name, "", "content of "+name)
	})
	// The gateway lists in XML without the encoding that S3 has for what XML
	// cannot write.
	last := len(names) - 1
	want := slices.Sorted(slices.Values(append(names[:last:last], strings.NewReplacer("\ufffe", "\ufffd", "\uffff", "\ufffd").Replace(names[last]))))
	if got := s.listed("/v1/files?limit=100"); !slices.Equal(got, want) {
		for i, name := range got {
			if i >= len(want) || name != want[i] {
				t.Fatalf("listed %d names of %d; number %d is %q", len(got), len(want), i, name)
			}
		}
		t.Fatalf("listed %d names of %d", len(got), len(want))
	}
	s.each(names, func(name string) error {
		return errors.Join(
			s.expect(http.StatusOK, http.MethodHead, name, "", ""),
			s.expect(http.StatusOK, http.MethodGet, name, "?stream=1", "content of "+name),
			s.expect(http.StatusNoContent, http.MethodDelete, name, "", ""),
			s.expect(http.StatusNotFound, http.MethodHead, name, "", ""))
	})
}

// listed are the names of all pages, from the one at target.
func (s *service) listed(target string) []string {
	s.t.Helper()
	var names []string
	for target != "" {
		var page listed
		answer := s.do(http.MethodGet, target, "").want(s.t, http.StatusOK, &page)
		for _, f := range page.Files {
			names = append(names, f.Key)
		}
		target, _, _ = strings.Cut(strings.TrimPrefix(answer.Header.Get("Link"), "<"), ">")
	}
	return names
}

// each calls f with all names, some of them at the same time.
func (s *service) each(names []string, f func(string) error) {
	s.t.Helper()
	var all sync.WaitGroup
	for chunk := range slices.Chunk(names, len(names)/8+1) {
		all.Go(func() {
			for _, name := range chunk {
				if err := f(name); err != nil {
					s.t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

// expect sends a request about the file of that name; content is what PUT sends
// and what GET shall answer.
func (s *service) expect(status int, method, name, query, content string) error {
	sent := ""
	if method == http.MethodPut {
		sent = content
	}
	got, err := exchange(s.request(method, "/v1/files/"+percent(name)+query, sent))
	switch {
	case err != nil:
		return err
	case got.StatusCode != status:
		return fmt.Errorf("%s %q: %d %s, want %d", method, name, got.StatusCode, got.Text, status)
	case method == http.MethodGet && got.Text != content:
		return fmt.Errorf("%q has %q, want %q", name, got.Text, content)
	}
	return nil
}
