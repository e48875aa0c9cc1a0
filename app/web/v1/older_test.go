package v1_test

import (
	"net/http"
	"testing"
)

func TestTheOlderRoutesAnswerAsTheDocumentSays(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.put("a/b c", "1")
	for _, target := range []string{"/", "/list_files", "/download/a/b%20c", "/upload/a%2Fb", "/delete/a/b%20c", "/healthz", "/readyz"} {
		s.do(http.MethodGet, target, "").want(t, http.StatusOK, nil)
		s.do(http.MethodHead, target, "").want(t, http.StatusOK, nil)
	}
	for _, target := range []string{"/download/", "/upload/../a", "/delete/%00"} {
		s.do(http.MethodGet, target, "").want(t, http.StatusBadRequest, nil)
	}
}
