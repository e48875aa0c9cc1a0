package v1_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/e2e/toxictest"
	"cloudstorage/app/s3store"
	"cloudstorage/app/web/problem"
	v1 "cloudstorage/app/web/v1"
)

// What happens between the API and the store. A toxin that is on every
// connection leaves no way around it.
var (
	late      = toxictest.Toxic{Type: "latency", Stream: "downstream", Attributes: map[string]int{"latency": 150}}
	jittering = toxictest.Toxic{Type: "latency", Stream: "upstream", Attributes: map[string]int{"latency": 50, "jitter": 50}}
	narrow    = toxictest.Toxic{Type: "bandwidth", Stream: "downstream", Attributes: map[string]int{"rate": 100}}
	sliced    = toxictest.Toxic{Type: "slicer", Stream: "downstream", Attributes: map[string]int{"average_size": 64, "size_variation": 32, "delay": 100}}
	reset     = toxictest.Toxic{Type: "reset_peer", Stream: "downstream"}
	refused   = toxictest.Toxic{Type: "reset_peer", Stream: "upstream"}
	mute      = toxictest.Toxic{Type: "timeout", Stream: "downstream", Attributes: map[string]int{"timeout": 0}}
	deaf      = toxictest.Toxic{Type: "timeout", Stream: "upstream", Attributes: map[string]int{"timeout": 0}}
	hungUp    = toxictest.Toxic{Type: "timeout", Stream: "upstream", Attributes: map[string]int{"timeout": 100}}
	tooLate   = toxictest.Toxic{Type: "latency", Stream: "downstream", Attributes: map[string]int{"latency": 30_000}}
	unclosed  = toxictest.Toxic{Type: "slow_close", Stream: "downstream", Attributes: map[string]int{"delay": 60_000}}
)

// cutAfter ends every connection after so many bytes of requests or answers.
func cutAfter(n int, stream string) toxictest.Toxic {
	return toxictest.Toxic{Type: "limit_data", Stream: stream, Attributes: map[string]int{"bytes": n}}
}

// large is more bytes than connections keep between their ends.
const large = 32 << 20

// grace is what an answer may take on a busy machine beyond its limit.
const grace = 5 * time.Second

// startToxic serves the API, with a proxy between it and the store.
func startToxic(t *testing.T) (*service, toxictest.Proxy) {
	t.Helper()
	g := gatewaytest.Start(t)
	p := toxictest.Start(t, g.Endpoint)
	return serve(t, g, p.URL, func(a *v1.API) { a.MaxBody = large }), p
}

// question is a request that the store must answer before the API can, and how
// the API answers when it does.
type question struct {
	request, body string
	status        int
}

// questions are about files that are there before any toxin.
func questions(s *service) []question {
	for i := range 20 {
		s.put(fmt.Sprintf("a/%02d %s", i, strings.Repeat("é", 50)), "content")
	}
	k := "/a/00%20" + strings.Repeat("%C3%A9", 50)
	return []question{
		{"GET /v1/files", "", http.StatusOK},
		{"GET /v1/files?prefix=a/&delimiter=/&limit=7", "", http.StatusOK},
		{"HEAD /v1/files" + k, "", http.StatusOK},
		{"GET /v1/files" + k, "", http.StatusTemporaryRedirect},
		{"GET /v1/files" + k + "?stream=1", "", http.StatusOK},
		{"GET /v1/versions" + k, "", http.StatusOK},
		{"PUT /v1/files/put", "whole", http.StatusOK},
		{"DELETE /v1/files/deleted", "", http.StatusNoContent},
		{"POST /v1/batch/delete", `{"keys":["deleted"]}`, http.StatusOK},
		{"POST /v1/copies", `{"from":"a/00 ` + strings.Repeat("é", 50) + `","to":"copied"}`, http.StatusCreated},
		{"POST /v1/moves", `{"from":"a/01 ` + strings.Repeat("é", 50) + `","to":"moved"}`, http.StatusCreated},
		{"POST /v1/uploads", `{"key":"uploaded"}`, http.StatusCreated},
		{"POST /v1/links", `{"key":"a/00 ` + strings.Repeat("é", 50) + `"}`, http.StatusCreated},
	}
}

func TestASlowStoreIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, toxics := range map[string][]toxictest.Toxic{
		"latency": {late}, "latency with jitter": {late, jittering}, "bandwidth": {narrow}, "answers in slices": {sliced},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := startToxic(t)
			asked := questions(s)
			p.Add(t, toxics...)
			s.wantAnswers(asked)
		})
	}
}

func TestAStoreThatFailsIsAnAnswerAndForgottenWhenItIsBack(t *testing.T) {
	t.Parallel()
	for name, toxics := range map[string][]toxictest.Toxic{
		"reset":                {reset},
		"reset by a request":   {refused},
		"hung up":              {hungUp},
		"cut in a request":     {cutAfter(200, "upstream")},
		"cut before an answer": {cutAfter(0, "downstream")},
		"cut in its fields":    {cutAfter(30, "downstream")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := startToxic(t)
			asked := questions(s)
			p.Add(t, toxics...)
			got, err := atOnce(s, asked)
			wantUnavailable(t, got, err)
			p.Heal(t)
			s.wantAnswers(asked)
		})
	}
}

// All of them wait for their whole time, so they do it together.
func TestAStoreThatDoesNotAnswerIsAnAnswerInTime(t *testing.T) {
	t.Parallel()
	toxics := [][]toxictest.Toxic{{mute}, {deaf}, {unclosed, cutAfter(10, "upstream")}, {tooLate}}
	failing, proxies := make([]*service, len(toxics)), make([]toxictest.Proxy, len(toxics))
	got, failed := make([][]response, len(toxics)), make([]error, len(toxics))
	var all sync.WaitGroup
	for i := range toxics {
		failing[i], proxies[i] = startToxic(t)
		asked := questions(failing[i])
		proxies[i].Add(t, toxics[i]...)
		all.Go(func() { got[i], failed[i] = atOnce(failing[i], asked) })
	}
	all.Wait()
	for i := range toxics {
		wantUnavailable(t, got[i], failed[i])
		proxies[i].Heal(t)
		failing[i].do(http.MethodGet, "/v1/files", "").want(t, http.StatusOK, nil)
	}
}

// A page that breaks off is no page.
func TestAListingThatTheStoreCutsIsNotAShorterOne(t *testing.T) {
	t.Parallel()
	s, p := startToxic(t)
	asked := questions(s)[:1]
	p.Add(t, cutAfter(3000, "downstream"))
	got, err := atOnce(s, asked)
	wantUnavailable(t, got, err)
}

func TestAFileThatTheStoreCutsIsNeverTakenForTheWhole(t *testing.T) {
	t.Parallel()
	s, p := startToxic(t)
	s.put("large", strings.Repeat("x", large))
	p.Add(t, cutAfter(large/2, "downstream"))
	answer, err := exchange(s.request(http.MethodGet, "/v1/files/large?stream=1", ""))
	if !errors.Is(err, io.ErrUnexpectedEOF) || answer.StatusCode != http.StatusOK || len(answer.Text) >= large {
		t.Errorf("%d with %d bytes, %v", answer.StatusCode, len(answer.Text), err)
	}
	p.Heal(t)
	if got := s.do(http.MethodGet, "/v1/files/large?stream=1", "").want(t, http.StatusOK, nil).Text; len(got) != large {
		t.Errorf("got %d bytes of %d", len(got), large)
	}
}

// S3 refuses a body that is shorter than its Content-Length; the gateway does
// only where a digest tells it, or the connection's end is a reset.
func TestABodyThatTheStoreDoesNotGetWholeIsNotStored(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("x", large)
	sum := sha256.Sum256([]byte(body))
	digest := "Content-Digest: sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
	for name, toxic := range map[string]toxictest.Toxic{"cut": cutAfter(large/2, "upstream"), "lost": deaf} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := startToxic(t)
			s.put("large", "as it was")
			p.Add(t, toxic)
			start := time.Now()
			answer, err := exchange(s.request(http.MethodPut, "/v1/files/large", body, digest))
			if err == nil { // otherwise the answer came before the body's end, and the connection's end before the answer
				wantUnavailable(t, []response{answer}, inTime(start))
			}
			p.Heal(t)
			if got := s.do(http.MethodGet, "/v1/files/large?stream=1", "").want(t, http.StatusOK, nil).Text; got != "as it was" {
				t.Errorf("%d bytes are stored", len(got))
			}
			if s.Audit.String() != "" {
				t.Errorf("it is in the audit: %s", s.Audit)
			}
			s.do(http.MethodPut, "/v1/files/large", "again").want(t, http.StatusOK, nil)
		})
	}
}

// wantAnswers fails the test unless every question is answered.
func (s *service) wantAnswers(asked []question) {
	s.t.Helper()
	got, err := atOnce(s, asked)
	if err != nil {
		s.t.Fatal(err)
	}
	for i, answer := range got {
		answer.want(s.t, asked[i].status, nil)
	}
}

// wantUnavailable fails the test unless all answers came, and say that the store
// is away, and when to come back.
func wantUnavailable(t testing.TB, got []response, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, answer := range got {
		answer.wantProblem(t, problem.Unavailable, "try again in a few seconds")
		if wait := answer.Header.Get("Retry-After"); wait != "5" {
			t.Errorf("%s: Retry-After: %q, want 5", answer.Request.URL.Path, wait)
		}
	}
}

// atOnce asks all questions at the same time. It is an error if an answer does
// not come, or too late.
func atOnce(s *service, asked []question) ([]response, error) {
	got, failed := make([]response, len(asked)), make([]error, len(asked))
	start := time.Now()
	var all sync.WaitGroup
	for i, q := range asked {
		method, target, _ := strings.Cut(q.request, " ")
		r := s.request(method, target, q.body)
		all.Go(func() { got[i], failed[i] = exchange(r) })
	}
	all.Wait()
	return got, errors.Join(append(failed, inTime(start))...)
}

// inTime is an error where more time has passed than a call to the store may
// take.
func inTime(start time.Time) error {
	if took := time.Since(start); took > s3store.CallTimeout+grace {
		return fmt.Errorf("answered after %s, want %s at most", took, s3store.CallTimeout)
	}
	return nil
}
