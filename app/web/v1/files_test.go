package v1_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/object/objecttest"
	"cloudstorage/app/web/problem"
	v1 "cloudstorage/app/web/v1"
)

// at is a file's path, as a client writes it.
func at(k string) string { return (&url.URL{Path: "/v1/files/" + k}).EscapedPath() }

// everyByteEscaped is at for a client that trusts no character.
func everyByteEscaped(k string) string {
	const hex = "0123456789abcdef"
	path := "/v1/files/"
	for _, c := range []byte(k) {
		path += string([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return path
}

// follow reads a file as any HTTP client does that follows redirects.
func (s *service) follow(target string) (status int, header http.Header, body string) {
	s.t.Helper()
	// By another name than the storage's, as in every deployment.
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, strings.Replace(s.URL, "127.0.0.1", "localhost", 1)+target, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(content)
}

func TestWhatIsPutIsGotUnderEveryName(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, name := range append(objecttest.Names(), "näme with + and %.txt") {
		content := "content of \x00\xff\r\n" + name
		var put described
		s.do(http.MethodPut, at(name), content).want(t, http.StatusOK, &put)
		if put.Key != name || put.Size != int64(len(content)) || put.ETag == "" || put.Version == "" || put.Type == "" {
			t.Errorf("%q was put as %+v", name, put)
		}
		for _, target := range []string{at(name), everyByteEscaped(name)} {
			streamed := s.do(http.MethodGet, target+"?stream=1", "").want(t, http.StatusOK, nil)
			if streamed.Text != content || streamed.Header.Get("ETag") != put.ETag || streamed.Header.Get("X-Version-Id") != put.Version {
				t.Errorf("%q is streamed as %q, %v", name, streamed.Text, streamed.Header)
			}
			status, header, got := s.follow(target)
			if status != http.StatusOK || got != content || header.Get("ETag") != put.ETag {
				t.Errorf("%q is redirected to %d %q, %v", name, status, got, header)
			}
			if got, want := header.Get("Content-Disposition"), streamed.Header.Get("Content-Disposition"); got != want || !strings.HasPrefix(got, "attachment;") {
				t.Errorf("%q is saved by %s there, and by %s here", name, got, want)
			}
		}
	}
}

func TestARedirectKeepsItsURLSecret(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.put("a.txt", "x")
	answer := s.do(http.MethodGet, "/v1/files/a.txt", "").want(t, http.StatusTemporaryRedirect, nil)
	for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Vary": "Accept"} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if answer.Text != "" || !strings.HasPrefix(answer.Header.Get("Location"), s.Gateway.Endpoint+"/"+s.Bucket+"/a.txt?") {
		t.Errorf("%s %q", answer.Header.Get("Location"), answer.Text)
	}
}

func TestWhoAcceptsJSONGetsTheURLInIt(t *testing.T) {
	t.Parallel()
	s := start(t)
	old := s.put("a.txt", "old")
	s.put("a.txt", "new")
	for _, tt := range []struct{ query, want string }{{"", "new"}, {"?version=" + old.Version, "old"}} {
		before := time.Now()
		var got signed
		answer := s.do(http.MethodGet, "/v1/files/a.txt"+tt.query, "", "Accept: application/json, text/plain, */*").want(t, http.StatusOK, &got)
		if answer.Header.Get("Cache-Control") != "no-store" || answer.Header.Get("Vary") != "Accept" || got.Method != http.MethodGet || got.Headers == nil {
			t.Errorf("%s, %v", answer.Text, answer.Header)
		}
		if lives := got.Expires.Sub(before); lives < 9*time.Minute || lives > 11*time.Minute || got.Expires.Location() != time.UTC {
			t.Errorf("it lives until %s", got.Expires)
		}
		if text := got.send(t, "").want(t, http.StatusOK, nil).Text; text != tt.want {
			t.Errorf("%s: %q, want %q", tt.query, text, tt.want)
		}
	}
	var short signed
	s.do(http.MethodGet, "/v1/files/a.txt?expires_in=60", "", "Accept: application/json").want(t, http.StatusOK, &short)
	if lives := time.Until(short.Expires); lives > time.Minute || lives < 50*time.Second {
		t.Errorf("asked for a minute, it lives until %s", short.Expires)
	}
	s.do(http.MethodGet, "/v1/files/a.txt", "", "Accept: application/json;q=0.5, */*").want(t, http.StatusTemporaryRedirect, nil)
}

func TestOnlyAHarmlessTypeIsShownAndStaysWhatItWas(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, tt := range []struct{ name, contentType, query, want string }{
		{"a.png", "image/png", "inline=1", `inline; filename="a.png"`},
		{"a.png", "image/png", "", `attachment; filename="a.png"`},
		{"a.svg", "image/svg+xml", "inline=1", `attachment; filename="a.svg"`},
		{"page", "text/html; charset=utf-8", "inline=1", `attachment; filename="page"`},
	} {
		s.do(http.MethodPut, at(tt.name), "x", "Content-Type: "+tt.contentType).want(t, http.StatusOK, nil)
		location := s.do(http.MethodGet, at(tt.name)+"?"+tt.query, "").want(t, http.StatusTemporaryRedirect, nil).Header.Get("Location")
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			h := s.do(method, at(tt.name)+"?stream=1&"+tt.query, "").want(t, http.StatusOK, nil).Header
			if h.Get("Content-Disposition") != tt.want || h.Get("Content-Type") != tt.contentType || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Security-Policy") != "sandbox" {
				t.Errorf("%s %s?%s: %v", method, tt.name, tt.query, h)
			}
		}
		// Somebody puts a page there while the URL lives.
		s.do(http.MethodPut, at(tt.name), "<script>", "Content-Type: text/html").want(t, http.StatusOK, nil)
		answer := signed{Method: http.MethodGet, URL: location}.send(t, "")
		if got := answer.Header.Get("Content-Disposition"); got != tt.want {
			t.Errorf("%s?%s: %s, want %s", tt.name, tt.query, got, tt.want)
		}
		if got := answer.Header.Get("Content-Type"); strings.HasPrefix(tt.want, "inline") && got != tt.contentType {
			t.Errorf("%s?%s is shown as %s", tt.name, tt.query, got)
		}
	}
}

func TestConditionsOfAReadAreAnsweredWithoutTheStorage(t *testing.T) {
	t.Parallel()
	s := start(t)
	info := s.put("a.txt", "content")
	earlier, later := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	date := func(d time.Time) string { return d.UTC().Format(http.TimeFormat) }
	for _, tt := range []struct {
		field string
		want  int // 0 is an answer as without the field
	}{
		{"If-None-Match: " + info.ETag, http.StatusNotModified},
		{`If-None-Match: "x", W/` + info.ETag, http.StatusNotModified},
		{"If-None-Match: *", http.StatusNotModified},
		{`If-None-Match: "x"`, 0},
		{"If-Match: " + info.ETag, 0},
		{`If-Match: "x"`, http.StatusPreconditionFailed},
		{`If-Match: x`, http.StatusBadRequest},
		{"If-Modified-Since: " + date(later), http.StatusNotModified},
		{"If-Modified-Since: " + date(earlier), 0},
		{"If-Unmodified-Since: " + date(earlier), http.StatusPreconditionFailed},
		{"If-Unmodified-Since: " + date(later), 0},
	} {
		for _, request := range []struct {
			method, target string
			without        int
		}{
			{http.MethodGet, "/v1/files/a.txt", http.StatusTemporaryRedirect},
			{http.MethodGet, "/v1/files/a.txt?stream=1", http.StatusOK},
			{http.MethodHead, "/v1/files/a.txt", http.StatusOK},
		} {
			want := tt.want
			if want == 0 {
				want = request.without
			}
			answer := s.do(request.method, request.target, "", tt.field)
			switch {
			case answer.StatusCode != want:
				t.Errorf("%s %s, %s: %d, want %d", request.method, request.target, tt.field, answer.StatusCode, want)
			case want == http.StatusNotModified && (answer.Text != "" || answer.Header.Get("ETag") != info.ETag || answer.Header.Get("Content-Type") != ""):
				t.Errorf("%s %s, %s: %q, %v", request.method, request.target, tt.field, answer.Text, answer.Header)
			case want == http.StatusPreconditionFailed:
				answer.wantProblem(t, problem.PreconditionFailed, info.ETag)
			}
		}
	}
}

func TestADeletionTellsHowItIsUndone(t *testing.T) {
	t.Parallel()
	s := start(t)
	name := `ä <b>, "c"; d/%.txt`
	s.put(name, "content")
	answer := s.do(http.MethodDelete, at(name), "").want(t, http.StatusNoContent, nil)
	marker := answer.Header.Get("X-Version-Id")
	undo, rel, _ := strings.Cut(strings.TrimPrefix(answer.Header.Get("Link"), "<"), ">")
	if marker == "" || rel != `; rel="urn:cloudstorage:undo"` || strings.ContainsAny(undo, `<>" `) {
		t.Fatalf("answered %v", answer.Header)
	}
	s.wantAudit(`"did":"file.delete"`, `"who":"root"`, marker, answer.Header.Get("X-Request-Id"))
	s.do(http.MethodGet, at(name), "").wantProblem(t, problem.NotFound, "")
	s.do(http.MethodPost, undo, "").want(t, http.StatusOK, nil)
	if got := s.content(name, ""); got != "content" {
		t.Errorf("undone, it is %q", got)
	}
	s.do(http.MethodDelete, at(name), "").want(t, http.StatusNoContent, nil)
	s.do(http.MethodDelete, at(name), "").want(t, http.StatusNoContent, nil)
	s.do(http.MethodDelete, at("never there"), "").want(t, http.StatusNoContent, nil)
}

func TestAListingSuggestsTypesByTheirNames(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.do(http.MethodPut, "/v1/files/a.pdf", "x", "Content-Type: text/plain").want(t, http.StatusOK, nil)
	s.put("b", "x")
	var page listed
	s.do(http.MethodGet, "/v1/files", "").want(t, http.StatusOK, &page)
	if len(page.Files) != 2 || page.Files[0].Type != "application/pdf" || page.Files[1].Type != "" {
		t.Errorf("listed %+v", page)
	}
}

func TestWhatCannotBeDoneToAFileIsAProblemThatTellsTheWayOut(t *testing.T) {
	t.Parallel()
	reader := auth.NewToken()
	s := start(t, func(a *v1.API) {
		a.Who = keys(t, key("reader", reader, "in/", auth.Read))
		a.MaxBody = 10
	})
	s.token = reader
	s.put("in/ten", "0123456789")
	s.put("out/a", "x")
	mine := start(t, func(a *v1.API) { a.MaxBody = 10 })
	mine.put("ten", "0123456789")
	const digest = "Content-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:" // of nothing
	for _, tt := range []struct {
		s              *service
		method, target string
		body           string
		field          string
		kind           problem.Kind
		wayOut         string
	}{
		{mine, "GET", "/v1/files/", "", "", problem.InvalidRequest, "put it after the route"},
		{mine, "GET", "/v1/files/a%00b", "", "", problem.InvalidRequest, "U+0000"},
		{mine, "GET", "/v1/files/a/%2e%2e/b", "", "", problem.InvalidRequest, `".."`},
		{mine, "GET", "/v1/files/a%ff", "", "", problem.InvalidRequest, "UTF-8"},
		{mine, "GET", "/v1/files/" + strings.Repeat("a", object.MaxKeyBytes+1), "", "", problem.InvalidRequest, "1024"},
		{mine, "GET", "/v1/files/missing", "", "", problem.NotFound, ""},
		{mine, "GET", "/v1/files/missing?stream=1", "", "", problem.NotFound, ""},
		{mine, "GET", "/v1/files/missing", "", "If-Match: *", problem.NotFound, ""},
		{mine, "GET", "/v1/files/ten?version=none", "", "", problem.InvalidRequest, "/v1/versions/ten"},
		{mine, "GET", "/v1/files/ten?expires_in=3601", "", "", problem.InvalidRequest, "3600"},
		{mine, "GET", "/v1/files/ten?expires_in=0", "", "", problem.InvalidRequest, "1 to"},
		{mine, "GET", "/v1/files/ten?stream=yes", "", "", problem.InvalidRequest, "1 or 0"},
		{mine, "GET", "/v1/files/ten?sign=1", "", "", problem.InvalidRequest, "stream"},
		{mine, "GET", "/v1/files/ten?stream=1", "", "Range: bytes=10-", problem.RangeNotSatisfiable, "10 bytes"},
		{mine, "GET", "/v1/files/ten?stream=1", "", "Range: bytes=-0", problem.RangeNotSatisfiable, "10 bytes"},

		{mine, "PUT", "/v1/files/", "x", "", problem.InvalidRequest, "put it after the route"},
		{mine, "PUT", "/v1/files/a", "0123456789a", "", problem.BodyTooLarge, "PUT /v1/files/a?sign=1"},
		{mine, "PUT", "/v1/files/a", "0123456789a", "", problem.BodyTooLarge, "/v1/uploads"},
		{mine, "PUT", "/v1/files/a", "x", "Content-Range: bytes 0-0/2", problem.InvalidRequest, "/v1/uploads"},
		{mine, "PUT", "/v1/files/a", "x", "Content-Encoding: gzip", problem.UnsupportedMediaType, ".gz"},
		{mine, "PUT", "/v1/files/a", "x", "Content-Type: text", problem.InvalidRequest, "media type"},
		{mine, "PUT", "/v1/files/a", "x", digest, problem.InvalidRequest, "SHA-256"},
		{mine, "PUT", "/v1/files/a", "x", "Content-Digest: md5=:AA==:", problem.InvalidRequest, "sha-256"},
		{mine, "PUT", "/v1/files/a", "x", "Content-Digest: x", problem.InvalidRequest, "base64"},
		{mine, "PUT", "/v1/files/ten", "x", "If-None-Match: *", problem.PreconditionFailed, ""},
		{mine, "PUT", "/v1/files/ten", "x", `If-Match: "x"`, problem.PreconditionFailed, ""},
		{mine, "PUT", "/v1/files/missing", "x", `If-Match: "x"`, problem.PreconditionFailed, "no such file"},
		{mine, "PUT", "/v1/files/ten", "x", "If-Match: *", problem.InvalidRequest, "exactly one"},
		{mine, "PUT", "/v1/files/ten", "x", `If-None-Match: "x"`, problem.InvalidRequest, "only *"},
		{mine, "PUT", "/v1/files/ten", "x", "If-Unmodified-Since: Sun, 01 Mar 2026 12:00:00 GMT", problem.InvalidRequest, "If-Unmodified-Since"},
		{mine, "PUT", "/v1/files/a?version=1", "x", "", problem.InvalidRequest, "sign"},

		{mine, "PUT", "/v1/files/a?sign=1", "x", "", problem.UnsupportedMediaType, "application/json"},
		{mine, "PUT", "/v1/files/a?sign=1", "{", "", problem.InvalidRequest, "ends early"},
		{mine, "PUT", "/v1/files/a?sign=1", `{"mime":"a/b"}`, "", problem.InvalidRequest, "mime"},
		{mine, "PUT", "/v1/files/a?sign=1", `{"type":"text"}`, "", problem.InvalidRequest, "type"},
		{mine, "PUT", "/v1/files/a?sign=1", `{"type":"a/b;c=\"\r\nd\""}`, "", problem.InvalidRequest, "type"},
		{mine, "PUT", "/v1/files/a?sign=1", `{"sha256":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}`, "", problem.InvalidRequest, "hexadecimal"},
		{mine, "PUT", "/v1/files/a?sign=1", `{"size":-1}`, "", problem.InvalidRequest, "/v1/uploads"},
		{mine, "PUT", "/v1/files/a?sign=1", `{"size":5368709121}`, "", problem.InvalidRequest, "/v1/uploads"},
		{mine, "PUT", "/v1/files/a?sign=1", `{"if_match":"x"}`, "", problem.InvalidRequest, "quotes"},
		{mine, "PUT", "/v1/files/a?sign=1", `{"if_match":"\"x\"","if_new":true}`, "", problem.InvalidRequest, "contradicts"},
		{mine, "PUT", "/v1/files/a?sign=1", `{"expires_in":3601}`, "", problem.InvalidRequest, "3600"},
		{mine, "PUT", "/v1/files/a?sign=1", `{}`, "If-None-Match: *", problem.InvalidRequest, "if_new"},
		{mine, "PUT", "/v1/files/a?sign=1", `{}`, digest, problem.InvalidRequest, "sha256"},

		{mine, "DELETE", "/v1/files/", "", "", problem.InvalidRequest, "put it after the route"},
		{mine, "DELETE", "/v1/files/ten", "", `If-Match: "x"`, problem.InvalidRequest, "without it"},
		{mine, "DELETE", "/v1/files/ten", "", "If-None-Match: *", problem.InvalidRequest, "without it"},
		{mine, "DELETE", "/v1/files/ten?version=1", "", "", problem.InvalidRequest, "takes none"},

		{s, "GET", "/v1/files/out/a", "", "", problem.Forbidden, "read"},
		{s, "GET", "/v1/files/out/missing?stream=1", "", "", problem.Forbidden, "read"},
		{s, "PUT", "/v1/files/in/ten", "x", "", problem.Forbidden, "write"},
		{s, "PUT", "/v1/files/in/ten?sign=1", "{}", "", problem.Forbidden, "write"},
		{s, "DELETE", "/v1/files/in/ten", "", "", problem.Forbidden, "delete"},
	} {
		var fields []string
		if tt.field != "" {
			fields = append(fields, tt.field)
		}
		tt.s.do(tt.method, tt.target, tt.body, fields...).wantProblem(t, tt.kind, tt.wayOut)
	}
	for _, s := range []*service{s, mine} {
		if s.Audit.String() != "" {
			t.Errorf("what was refused is in the audit: %s", s.Audit)
		}
	}
	if got := mine.content("ten", ""); got != "0123456789" {
		t.Errorf("what was refused changed the file to %q", got)
	}
	mine.do(http.MethodHead, "/v1/files/a", "").wantProblem(t, problem.NotFound, "")
}
