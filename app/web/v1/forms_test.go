package v1_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"testing"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/web/problem"
	v1 "cloudstorage/app/web/v1"
)

type formAnswer struct {
	URL     string
	Fields  map[string]string
	Expires time.Time `json:"expires_at"`
}

// post posts content as a browser does.
func (f formAnswer) post(t testing.TB, content string) int {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range f.Fields {
		if err := form.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile("file", "anything.txt")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	return signed{Method: http.MethodPost, URL: f.URL, Headers: map[string]string{"Content-Type": form.FormDataContentType()}}.send(t, body.String()).StatusCode
}

func TestAFormTakesWhatItSaysAndNothingElse(t *testing.T) {
	t.Parallel()
	s := start(t)
	const k = "a b/ü+%.txt"
	var f formAnswer
	before := time.Now()
	s.do(http.MethodPost, "/v1/forms", toJSON(t, asked{"key": k, "type": "text/x-form", "min_size": 2, "max_size": 4, "expires_in": 60})).want(t, http.StatusOK, &f)
	if f.Expires.Before(before.Add(time.Minute)) || f.Expires.After(time.Now().Add(time.Minute)) {
		t.Errorf("it lives until %s, at %s", f.Expires, before)
	}
	for content, good := range map[string]bool{"1": false, "12345": false, "123": true} {
		if status := f.post(t, content); (status == http.StatusNoContent) != good || !good && status/100 != 4 {
			t.Errorf("%q: %d", content, status)
		}
	}
	if got := s.content(k, ""); got != "123" {
		t.Errorf("it became %q", got)
	}
	s.wantAudit(`"did":"form.sign"`, k, `"expires":"`+f.Expires.Format(time.RFC3339Nano))
}

func TestAFormThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	writer := auth.NewToken()
	s := start(t, func(a *v1.API) { a.Who = keys(t, key("writer", writer, "in/", auth.Write)) })
	s.token = writer
	for _, tt := range []struct {
		body   asked
		kind   problem.Kind
		wayOut string
	}{
		{asked{"key": "in/a"}, problem.InvalidRequest, "max_size: "},
		{asked{"key": "in/a", "max_size": 1, "min_size": 2}, problem.InvalidRequest, "max_size: "},
		{asked{"key": "in/a", "max_size": 1, "min_size": -1}, problem.InvalidRequest, "max_size: "},
		{asked{"key": "in/a", "max_size": 5<<30 + 1}, problem.InvalidRequest, "max_size: "},
		{asked{"key": "in/a", "max_size": 1, "expires_in": 3601}, problem.InvalidRequest, "expires_in"},
		{asked{"key": "in/a", "max_size": 1, "type": "text"}, problem.InvalidRequest, "type: "},
		{asked{"key": "in/a", "max_size": 1, "type": "text/plain; a=\"\u00e9\""}, problem.InvalidRequest, "type: "},
		{asked{"key": "in/${filename}", "max_size": 1}, problem.InvalidRequest, "${filename}"},
		{asked{"key": "", "max_size": 1}, problem.InvalidRequest, "key: "},
		{asked{"key": "out/a", "max_size": 1}, problem.Forbidden, "may not write"},
	} {
		s.do(http.MethodPost, "/v1/forms", toJSON(t, tt.body)).wantProblem(t, tt.kind, tt.wayOut)
	}
}
