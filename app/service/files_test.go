package service

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"cloudstorage/app/auth"
	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/e2e/gatewaytest"
)

// call sends a request as a program does, and follows redirects.
func call(t *testing.T, method, target, body string, status int, header ...string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	// A transport of the test's own, so that its connections end with the test.
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != status {
		t.Fatalf("%s %s: %s %s, %v; want %d", method, target, answer.Status, text, err, status)
	}
	return string(text)
}

func TestAFileGoesThroughTheWholeServerAndItsDeletionIsAudited(t *testing.T) {
	t.Parallel()
	token := auth.NewToken()
	s := daemontest.Start(t, Program(), restricted(t, key("ci", token, "", auth.Verbs()...)))
	file := "http://" + s.Address + "/v1/files/n%C3%A4me%20with%20+%20and%20%25.txt"
	content := strings.Repeat("content ", 1<<17)
	call(t, "PUT", file, content, http.StatusOK, bearer(token))
	if got := call(t, "GET", file, "", http.StatusOK, bearer(token)); got != content {
		t.Errorf("%d bytes came back from the storage", len(got))
	}
	if got := call(t, "GET", file+"?stream=1", "", http.StatusOK, bearer(token)); got != content {
		t.Errorf("%d bytes came back through the API", len(got))
	}
	call(t, "DELETE", file, "", http.StatusNoContent, bearer(token))
	call(t, "GET", file+"?stream=1", "", http.StatusNotFound, bearer(token))
	for line := range strings.SplitSeq(s.Log.String(), "\n") {
		if strings.Contains(line, `"msg":"audit","who":"ci"`) && strings.Contains(line, `"key":"näme with + and %.txt"`) && strings.Contains(line, "delete") {
			return
		}
	}
	t.Errorf("no audit of the deletion:\n%s", s.Log)
}

func TestALinkThatOneServerRevokesEndsAtTheOthers(t *testing.T) {
	t.Parallel()
	env := daemontest.Environ(t, gatewaytest.Start(t), nil)
	put(t, env, "STORAGE_BUCKET", "a", "content")
	one, two := daemontest.Start(t, Program(), env), daemontest.Start(t, Program(), env)
	var link struct{ Token string }
	made := call(t, "POST", "http://"+one.Address+"/v1/links", `{"key":"a","expires_in":3600}`, http.StatusCreated, "Content-Type: application/json")
	if err := json.Unmarshal([]byte(made), &link); err != nil || link.Token == "" {
		t.Fatalf("%s, %v", made, err)
	}
	for _, s := range []*daemontest.Server{one, two} {
		if got := call(t, "GET", "http://"+s.Address+"/v1/shared/"+link.Token, "", http.StatusOK); got != "content" {
			t.Errorf("shared %q", got)
		}
	}
	call(t, "DELETE", "http://"+two.Address+"/v1/links/"+link.Token, "", http.StatusNoContent)
	for _, s := range []*daemontest.Server{one, two} {
		call(t, "GET", "http://"+s.Address+"/v1/shared/"+link.Token, "", http.StatusGone)
	}
}
