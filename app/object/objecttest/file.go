package objecttest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
)

// write puts text and returns its description.
func write(t testing.TB, s file.Store, k object.Key, text string, o file.PutOptions) object.Info {
	t.Helper()
	o.Size = int64(len(text))
	info, err := s.Put(t.Context(), k, strings.NewReader(text), o)
	if err != nil {
		t.Fatalf("Put %q: %v", k, err)
	}
	return info
}

// read returns what is read of an object.
func read(t testing.TB, s file.Store, k object.Key, o file.GetOptions) (*file.Content, string) {
	t.Helper()
	c, err := s.Get(t.Context(), k, o)
	if err != nil {
		t.Fatalf("Get %q %+v: %v", k, o, err)
	}
	defer c.Close()
	text, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("read %q: %v", k, err)
	}
	return c, string(text)
}

func delimiter(t *testing.T, s Everything, _ *http.Client) {
	for _, k := range []object.Key{"a/1", "a/2", "a b/é/1", "b", "c/d/e", "c/f"} {
		write(t, s, k, "", file.PutOptions{})
	}
	tests := []struct {
		o        object.ListOptions
		items    []string
		prefixes []string
	}{
		{object.ListOptions{Delimiter: "/"}, []string{"b"}, []string{"a b/", "a/", "c/"}},
		{object.ListOptions{Delimiter: "/", Prefix: "c/"}, []string{"c/f"}, []string{"c/d/"}},
		{object.ListOptions{Delimiter: "/", Prefix: "a b/"}, nil, []string{"a b/é/"}},
		{object.ListOptions{Delimiter: "/", Prefix: "nothing"}, nil, nil},
	}
	for _, tt := range tests {
		for _, limit := range []int{0, 1} {
			var items, prefixes []string
			o := tt.o
			for o.Limit = limit; ; {
				page, err := s.List(t.Context(), o)
				if err != nil {
					t.Fatalf("List %+v: %v", o, err)
				}
				if limit > 0 && len(page.Items)+len(page.Prefixes) > limit {
					t.Errorf("%+v: a page has %d items and %d prefixes", o, len(page.Items), len(page.Prefixes))
				}
				for _, item := range page.Items {
					items = append(items, string(item.Key))
				}
				prefixes = append(prefixes, page.Prefixes...)
				if o.Cursor = page.Next; o.Cursor == "" {
					break
				}
			}
			if !slices.Equal(items, tt.items) || !slices.Equal(prefixes, tt.prefixes) {
				t.Errorf("%+v by %d: %q and %q, want %q and %q", tt.o, limit, items, prefixes, tt.items, tt.prefixes)
			}
		}
	}
}

func putGet(t *testing.T, s Everything, _ *http.Client) {
	before := time.Now().Add(-time.Minute)
	for _, name := range Names() {
		k, text := object.Key(name), "content of "+name
		sum := sha256.Sum256([]byte(text))
		put := write(t, s, k, text, file.PutOptions{Type: "text/x-test; charset=utf-8", SHA256: &sum})
		stat, err := s.Stat(t.Context(), k, "")
		if err != nil {
			t.Errorf("Stat %q: %v", name, err)
			continue
		}
		if stat.Key != k || stat.Size != int64(len(text)) || stat.Type != "text/x-test; charset=utf-8" || stat.Modified.Before(before) ||
			stat.ETag == "" || stat.Version == "" {
			t.Errorf("%q is described as %+v", name, stat)
		}
		if put.Key != k || put.Size != stat.Size || put.Type != stat.Type || put.ETag != stat.ETag || put.Version != stat.Version {
			t.Errorf("%q was put as %+v and is described as %+v", name, put, stat)
		}
		if want := base64.StdEncoding.EncodeToString(sum[:]); stat.SHA256 != want {
			t.Errorf("%q has the SHA-256 %q, not %q", name, stat.SHA256, want)
		}
		stat.SHA256 = "" // which only Stat tells
		c, got := read(t, s, k, file.GetOptions{})
		if got != text || c.Info != stat || c.First != 0 || c.Length != stat.Size {
			t.Errorf("%q is read as %q, %+v", name, got, c)
		}
	}
	write(t, s, "empty", "", file.PutOptions{})
	if c, got := read(t, s, "empty", file.GetOptions{}); got != "" || c.Size != 0 {
		t.Errorf("nothing is read as %q, %+v", got, c)
	}
	// More than a buffer, from a reader that cannot be read twice.
	large := strings.Repeat("0123456789abcdef", 1<<19)
	if _, err := s.Put(t.Context(), "large", iotest.OneByteReader(strings.NewReader(large[:1000])), file.PutOptions{Size: 1000}); err != nil {
		t.Errorf("Put byte by byte: %v", err)
	}
	write(t, s, "large", large, file.PutOptions{})
	if _, got := read(t, s, "large", file.GetOptions{}); got != large {
		t.Errorf("read %d bytes that differ from the %d that were put", len(got), len(large))
	}
}

func notThere(t *testing.T, s Everything, _ *http.Client) {
	ctx := t.Context()
	_, err := s.Stat(ctx, "missing", "")
	wantCode(t, "Stat", err, object.CodeNotFound)
	_, err = s.Get(ctx, "missing", file.GetOptions{})
	wantCode(t, "Get", err, object.CodeNotFound)
	gone := write(t, s, "gone", "x", file.PutOptions{})
	marker, err := s.Delete(ctx, "gone")
	if err != nil || marker == "" || marker == gone.Version {
		t.Errorf("Delete: marker %q, %v", marker, err)
	}
	_, err = s.Stat(ctx, "gone", "")
	wantCode(t, "Stat of what was deleted", err, object.CodeNotFound)
	_, err = s.Get(ctx, "gone", file.GetOptions{})
	wantCode(t, "Get of what was deleted", err, object.CodeNotFound)
	_, err = s.Stat(ctx, "gone", marker)
	wantCode(t, "Stat of a deletion", err, object.CodeNotFound)
	_, err = s.Get(ctx, "gone", file.GetOptions{Version: marker})
	wantCode(t, "Get of a deletion", err, object.CodeNotFound)
}

func ranges(t *testing.T, s Everything, _ *http.Client) {
	write(t, s, "ten", "0123456789", file.PutOptions{})
	write(t, s, "empty", "", file.PutOptions{})
	for field, want := range map[string]string{
		"bytes=0-0": "0", "bytes=2-4": "234", "bytes=7-": "789", "bytes=-2": "89", "bytes=8-100": "89", "bytes=-100": "0123456789", "bytes=0-": "0123456789",
	} {
		r, ok := file.ParseRange(field)
		if !ok {
			t.Fatal(field)
		}
		c, got := read(t, s, "ten", file.GetOptions{Range: &r})
		first, length, _ := r.In(10)
		if got != want || c.Size != 10 || c.First != first || c.Length != length {
			t.Errorf("%s: %q, %d of %d from %d; want %q, %d of 10 from %d", field, got, c.Length, c.Size, c.First, want, length, first)
		}
	}
	_, err := s.Get(t.Context(), "ten", file.GetOptions{Range: &file.Range{First: 10, Last: -1}})
	wantCode(t, "a range behind the end", err, object.CodeUnsatisfiable)
}

func readConditions(t *testing.T, s Everything, _ *http.Client) {
	info := write(t, s, "k", "text", file.PutOptions{})
	tests := []struct {
		name string
		o    file.GetOptions
		want object.Code
	}{
		{"the ETag that it has", file.GetOptions{IfMatch: info.ETag}, ""},
		{"another ETag", file.GetOptions{IfMatch: `"another"`}, object.CodePrecondition},
		{"none of another ETag", file.GetOptions{IfNoneMatch: `"another"`}, ""},
		{"none of the ETag that it has", file.GetOptions{IfNoneMatch: info.ETag}, object.CodeNotModified},
	}
	for _, tt := range tests {
		c, err := s.Get(t.Context(), "k", tt.o)
		wantCode(t, tt.name, err, tt.want)
		if err == nil {
			_ = c.Close() // nothing was read
		}
	}
}

func writeConditions(t *testing.T, s Everything, _ *http.Client) {
	put := func(o file.PutOptions) error {
		o.Size = 1
		_, err := s.Put(t.Context(), "k", strings.NewReader("x"), o)
		return err
	}
	wantCode(t, "a new one", put(file.PutOptions{IfNew: true}), "")
	wantCode(t, "a new one where one is", put(file.PutOptions{IfNew: true}), object.CodePrecondition)
	info, err := s.Stat(t.Context(), "k", "")
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "over the one that is", put(file.PutOptions{IfMatch: info.ETag}), "")
	wantCode(t, "over another one", put(file.PutOptions{IfMatch: `"another"`}), object.CodePrecondition)
}

func digests(t *testing.T, s Everything, _ *http.Client) {
	sum := sha256.Sum256([]byte("text"))
	_, err := s.Put(t.Context(), "k", strings.NewReader("TEXT"), file.PutOptions{Size: 4, SHA256: &sum})
	wantCode(t, "another content", err, object.CodeInvalid)
	_, err = s.Stat(t.Context(), "k", "")
	wantCode(t, "what was refused", err, object.CodeNotFound)
}

func cutOff(t *testing.T, s Everything, _ *http.Client) {
	away := errors.New("the client is away")
	_, err := s.Put(t.Context(), "k", io.MultiReader(strings.NewReader("te"), iotest.ErrReader(away)), file.PutOptions{Size: 4})
	wantCode(t, "a source that fails", err, object.CodeInvalid)
	if !errors.Is(err, away) {
		t.Errorf("%v does not say why", err)
	}
	_, err = s.Put(t.Context(), "k", strings.NewReader("te"), file.PutOptions{Size: 4})
	wantCode(t, "a source that ends", err, object.CodeInvalid)
	_, err = s.Stat(t.Context(), "k", "")
	wantCode(t, "what was refused", err, object.CodeNotFound)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.Put(ctx, "k", strings.NewReader("text"), file.PutOptions{Size: 4})
	wantCode(t, "a caller that has gone", err, object.CodeUnavailable)
}

func sizes(t *testing.T, s Everything, _ *http.Client) {
	for size, want := range map[int64]object.Code{-1: object.CodeInvalid, file.MaxPut + 1: object.CodeTooLarge} {
		_, err := s.Put(t.Context(), "k", strings.NewReader(""), file.PutOptions{Size: size})
		wantCode(t, "Put", err, want)
		_, err = s.SignWrite(t.Context(), "k", time.Minute, file.WriteOptions{Size: &size})
		wantCode(t, "SignWrite", err, want)
	}
}

// answer is a whole answer.
type answer struct {
	status int
	header http.Header
	body   string
}

// exchange sends a signed request as it was signed.
func exchange(t testing.TB, do *http.Client, signed object.Signed, body io.Reader) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), signed.Method, signed.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range signed.Header {
		r.Header[name] = values
	}
	got, err := do.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	content, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{got.StatusCode, got.Header, string(content)}
}

func signedAnswer(t *testing.T, s Everything, do *http.Client) {
	const disposition = `attachment; filename="a.txt"; filename*=UTF-8''%C3%A4%20%2B.txt`
	write(t, s, "k", "text", file.PutOptions{Type: "text/html"})
	signed, err := s.SignRead(t.Context(), "k", time.Minute, file.ReadOptions{Type: "application/octet-stream", Disposition: disposition})
	if err != nil {
		t.Fatal(err)
	}
	got := exchange(t, do, signed, nil)
	if got.status != http.StatusOK || got.body != "text" || got.header.Get("Content-Type") != "application/octet-stream" ||
		got.header.Get("Content-Disposition") != disposition {
		t.Errorf("answered %+v", got)
	}
}

func signedHead(t *testing.T, s Everything, do *http.Client) {
	info := write(t, s, "k", "text", file.PutOptions{})
	signed, err := s.SignRead(t.Context(), "k", time.Minute, file.ReadOptions{Head: true})
	if err != nil || signed.Method != http.MethodHead {
		t.Fatalf("%+v, %v", signed, err)
	}
	got := exchange(t, do, signed, nil)
	if got.status != http.StatusOK || got.header.Get("Content-Length") != "4" || got.header.Get("ETag") != info.ETag {
		t.Errorf("answered %+v", got)
	}
	signed.Method = http.MethodGet
	if got := exchange(t, do, signed, nil); got.status != http.StatusForbidden {
		t.Errorf("GET of a URL for HEAD: %d, want 403", got.status)
	}
}

func signedUpload(t *testing.T, s Everything, do *http.Client) {
	sum, size, none := sha256.Sum256([]byte("text")), int64(4), int64(0)
	o := file.WriteOptions{Type: "text/plain; charset=utf-8", Size: &size, SHA256: &sum, IfNew: true}
	tests := []struct {
		name   string
		body   string
		change func(http.Header)
		want   int
	}{
		{"another type", "text", func(h http.Header) { h.Set("Content-Type", "text/html") }, http.StatusForbidden},
		{"no type", "text", func(h http.Header) { h.Del("Content-Type") }, http.StatusForbidden},
		{"without the condition", "text", func(h http.Header) { h.Del("If-None-Match") }, http.StatusForbidden},
		{"without the digest", "text", func(h http.Header) { h.Del("X-Amz-Checksum-Sha256") }, http.StatusForbidden},
		{"another size", "longer text", func(http.Header) {}, http.StatusForbidden},
		{"another content", "TEXT", func(http.Header) {}, http.StatusBadRequest},
		{"as it was signed", "text", func(http.Header) {}, http.StatusOK},
		{"as it was signed, again", "text", func(http.Header) {}, http.StatusPreconditionFailed},
	}
	for _, tt := range tests {
		signed, err := s.SignWrite(t.Context(), "k", time.Minute, o)
		if err != nil {
			t.Fatal(err)
		}
		tt.change(signed.Header)
		if got := exchange(t, do, signed, strings.NewReader(tt.body)); got.status != tt.want {
			t.Errorf("%s: %d %s; want %d", tt.name, got.status, got.body, tt.want)
		}
	}
	info, err := s.Stat(t.Context(), "k", "")
	if err != nil || info.Type != o.Type || info.Size != 4 {
		t.Errorf("it became %+v, %v", info, err)
	}
	for body, want := range map[string]int{"": http.StatusOK, "x": http.StatusForbidden} {
		signed, err := s.SignWrite(t.Context(), "none", time.Minute, file.WriteOptions{Size: &none})
		if err != nil {
			t.Fatal(err)
		}
		if got := exchange(t, do, signed, strings.NewReader(body)); got.status != want {
			t.Errorf("%q where no bytes are signed: %d %s; want %d", body, got.status, got.body, want)
		}
	}
}
