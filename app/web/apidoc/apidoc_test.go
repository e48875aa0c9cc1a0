package apidoc

import (
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"cloudstorage/app/web"
	"cloudstorage/app/web/problem"
	v1 "cloudstorage/app/web/v1"
)

var update = flag.Bool("update", false, "write docs.html anew")

func TestThePageIsThatOfTheOpenAPIDocument(t *testing.T) {
	t.Parallel()
	got, err := writePage()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("docs.html", got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(page), string(got)); diff != "" {
		t.Errorf("run `go test ./app/web/apidoc -update` if this is meant:\n%s", diff)
	}
}

// ask sends a request to a server that only describes itself.
func ask(t *testing.T, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	s := web.New(web.Config{Log: slog.New(slog.DiscardHandler)})
	Register(s)
	w, r := httptest.NewRecorder(), httptest.NewRequest(method, path, http.NoBody)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	s.ServeHTTP(w, r)
	return w
}

func TestWhatWasReadBeforeIsNotSentAgain(t *testing.T) {
	t.Parallel()
	for _, path := range []string{documentPath, v1.PagePath} {
		first := ask(t, http.MethodGet, path)
		if first.Code != http.StatusOK || first.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Fatalf("%s: %d %v", path, first.Code, first.Header())
		}
		if again := ask(t, http.MethodGet, path, "If-None-Match", first.Header().Get("ETag")); again.Code != http.StatusNotModified {
			t.Errorf("%s again: %d", path, again.Code)
		}
		if other := ask(t, http.MethodGet, path, "If-None-Match", `"other"`); other.Code != http.StatusOK {
			t.Errorf("%s after a change: %d", path, other.Code)
		}
		if head := ask(t, http.MethodHead, path); head.Code != http.StatusOK || head.Header().Get("Content-Length") != first.Header().Get("Content-Length") || head.Body.Len() > 0 {
			t.Errorf("HEAD %s: %d %v", path, head.Code, head.Header())
		}
	}
}

func TestPagesOfOtherOriginsMayReadTheDocument(t *testing.T) {
	t.Parallel()
	if got := ask(t, http.MethodGet, documentPath, "Origin", "https://editor.example").Header().Get("Access-Control-Allow-Origin"); got != "*" {
		t.Errorf("Access-Control-Allow-Origin: %q", got)
	}
}

// elements are all elements of the page.
func elements(t *testing.T) []*html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(string(page)))
	if err != nil {
		t.Fatal(err)
	}
	var all []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			all = append(all, n)
		}
	}
	return all
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func TestThePageLoadsNothingAndRunsNothing(t *testing.T) {
	t.Parallel()
	policy := ask(t, http.MethodGet, v1.PagePath).Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "style-src 'sha256-", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %s", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") {
		t.Errorf("the policy allows scripts: %s", policy)
	}
	styles := 0
	for _, n := range elements(t) {
		if slices.Contains([]string{"script", "link", "img", "iframe", "object", "embed", "base", "form", "audio", "video", "svg"}, n.Data) {
			t.Errorf("the page has <%s>", n.Data)
		}
		if n.Data == "style" {
			styles++
			if text := n.FirstChild.Data; strings.Contains(text, "url(") || strings.Contains(text, "@import") {
				t.Error("the style loads something")
			}
		}
		for _, a := range n.Attr {
			if a.Key == "style" || a.Key == "src" || a.Key == "srcset" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s %s=%q>: the policy refuses it", n.Data, a.Key, a.Val)
			}
		}
	}
	if styles != 1 {
		t.Errorf("%d style sheets, but the policy knows one", styles)
	}
}

func TestEveryLinkOfThePageLeadsSomewhere(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for _, n := range elements(t) {
		if id := attribute(n, "id"); id != "" {
			if ids[id] {
				t.Errorf("there are two of id %q", id)
			}
			ids[id] = true
		}
	}
	for _, n := range elements(t) {
		for _, name := range []string{"href", "aria-labelledby"} {
			value := attribute(n, name)
			if value != "" && value != documentPath && !ids[strings.TrimPrefix(value, "#")] {
				t.Errorf("<%s %s=%q> leads nowhere", n.Data, name, value)
			}
		}
	}
}

// TestThePageIsWellFormed: html.Parse mends everything, so what was opened is
// counted against what was closed.
func TestThePageIsWellFormed(t *testing.T) {
	t.Parallel()
	alone := []string{"meta", "br"}
	var open []string
	tokens := html.NewTokenizer(strings.NewReader(string(page)))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("never closed: %v", open)
			}
			return
		case html.StartTagToken:
			if name, _ := tokens.TagName(); !slices.Contains(alone, string(name)) {
				open = append(open, string(name))
			}
		case html.EndTagToken:
			name, _ := tokens.TagName()
			if len(open) == 0 || open[len(open)-1] != string(name) {
				t.Fatalf("</%s> closes nothing: open are %v", name, open)
			}
			open = open[:len(open)-1]
		}
	}
}

func TestThePageHasAllOfEveryOperationAndEveryProblem(t *testing.T) {
	t.Parallel()
	document, err := openapi3.NewLoader().LoadFromData(v1.Document())
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, n := range elements(t) {
		texts[attribute(n, "id")] = text(n)
	}
	for path, item := range document.Paths.Map() {
		for method, operation := range item.Operations() {
			words := strings.Fields(texts[operation.OperationID])
			want := []string{method, path}
			for status := range operation.Responses.Map() {
				if status != "default" {
					want = append(want, status)
				}
			}
			for _, p := range operation.Parameters {
				want = append(want, p.Value.Name)
			}
			for _, word := range want {
				if !slices.Contains(words, word) {
					t.Errorf("%s %s: %s is not there", method, path, word)
				}
			}
		}
	}
	for _, k := range problem.Kinds() {
		if !strings.Contains(texts["problem-"+k.Name], k.Way()) {
			t.Errorf("the problem %s is not there", k.Name)
		}
	}
}

// text is what a reader sees of an element, a word apart from the next.
func text(n *html.Node) string {
	var all strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			all.WriteString(d.Data + " ")
		}
	}
	return all.String()
}
