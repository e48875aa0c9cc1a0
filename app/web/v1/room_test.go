package v1_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/web/problem"
)

func TestSoManyRequestsWithLargeJSONAreReadAtOnceAndSmallOnesAlways(t *testing.T) {
	t.Parallel()
	s := start(t)
	// Each is in the middle of its body until its pipe is closed. It sends that when the server asks for it, which has given
	// it a place then.
	transport := &http.Transport{ExpectContinueTimeout: time.Minute}
	t.Cleanup(transport.CloseIdleConnections)
	var bodies []*io.PipeWriter
	statuses := make(chan int, 8)
	for range 8 {
		reader, writer := io.Pipe()
		bodies = append(bodies, writer)
		t.Cleanup(func() { _ = writer.Close() }) // before the server, which waits for it
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/v1/batch/downloads", reader)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+s.token)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Expect", "100-continue")
		go func() { // not s.send, which reads the body first to check it
			answer, err := transport.RoundTrip(r)
			if err != nil {
				statuses <- 0
				return
			}
			_ = answer.Body.Close()
			statuses <- answer.StatusCode
		}()
		// The pipe has no buffer.
		if _, err := io.WriteString(writer, `{"items":[`); err != nil {
			t.Fatal(err)
		}
	}
	large := `{"items":[{"key":"a"}` + strings.Repeat(" ", 70_000) + "]}"
	answer := s.do(http.MethodPost, "/v1/batch/downloads", large)
	answer.wantProblem(t, problem.Unavailable, "large requests")
	if got := answer.Header.Get("Retry-After"); got != "1" {
		t.Errorf("Retry-After: %s", got)
	}
	s.do(http.MethodPost, "/v1/batch/downloads", `{"items":[{"key":"a"}]}`).want(t, http.StatusOK, nil)
	for _, body := range bodies {
		if _, err := io.WriteString(body, `{"key":"a"}]}`); err != nil {
			t.Fatal(err)
		}
		if err := body.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for range bodies {
		if status := <-statuses; status != http.StatusOK {
			t.Errorf("a request that had a place: %d", status)
		}
	}
	s.do(http.MethodPost, "/v1/batch/downloads", large).want(t, http.StatusOK, nil)
}
