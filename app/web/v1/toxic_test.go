package v1_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/e2e/toxictest"
	"cloudstorage/app/s3store"
	"cloudstorage/app/web/problem"
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

// grace is what an answer may take on a busy machine beyond its limit.
const grace = 5 * time.Second

// startToxic serves the API, with a proxy between it and the store.
func startToxic(t *testing.T) (*service, toxictest.Proxy) {
	t.Helper()
	g := gatewaytest.Start(t)
	p := toxictest.Start(t, g.Endpoint)
	return serve(t, g, p.URL), p
}

// questions are requests that the store must answer before the API can, about
// files that were put past all toxins.
func questions(s *service) []string {
	for i := range 20 {
		s.put(fmt.Sprintf("a/%02d %s", i, strings.Repeat("é", 50)), "content")
	}
	return []string{"GET /v1/files", "GET /v1/files?prefix=a/&delimiter=/&limit=7", "HEAD /v1/files/a/00%20" + strings.Repeat("%C3%A9", 50)}
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
			want := atOnce(t, s, asked)
			p.Add(t, toxics...)
			for i, got := range atOnce(t, s, asked) {
				if got.want(t, http.StatusOK, nil).Text != want[i].Text {
					t.Errorf("%s: answered %s, want %s", asked[i], got.Text, want[i].Text)
				}
			}
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
			for _, answer := range atOnce(t, s, asked) {
				answer.wantUnavailable(t)
			}
			p.Heal(t)
			for _, answer := range atOnce(t, s, asked) {
				answer.want(t, http.StatusOK, nil)
			}
		})
	}
}

// All of them wait for their whole time, so they do it together.
func TestAStoreThatDoesNotAnswerIsAnAnswerInTime(t *testing.T) {
	t.Parallel()
	var failing []*service
	var proxies []toxictest.Proxy
	var asked []*http.Request
	for _, toxics := range [][]toxictest.Toxic{{mute}, {deaf}, {unclosed, cutAfter(10, "upstream")}, {tooLate}} {
		s, p := startToxic(t)
		for _, q := range questions(s) {
			asked = append(asked, s.question(q))
		}
		p.Add(t, toxics...)
		failing, proxies = append(failing, s), append(proxies, p)
	}
	for _, answer := range answers(t, asked) {
		answer.wantUnavailable(t)
	}
	for i, p := range proxies {
		p.Heal(t)
		failing[i].do(http.MethodGet, "/v1/files", "").want(t, http.StatusOK, nil)
	}
}

// A page that breaks off is no page.
func TestAListingThatTheStoreCutsIsNotAShorterOne(t *testing.T) {
	t.Parallel()
	s, p := startToxic(t)
	asked := questions(s)[:1]
	p.Add(t, cutAfter(3000, "downstream"))
	atOnce(t, s, asked)[0].wantUnavailable(t)
}

// question is a request such as "GET /v1/files".
func (s *service) question(q string) *http.Request {
	method, target, _ := strings.Cut(q, " ")
	return s.request(method, target, "")
}

// atOnce asks a service.
func atOnce(t *testing.T, s *service, questions []string) []response {
	t.Helper()
	var asked []*http.Request
	for _, q := range questions {
		asked = append(asked, s.question(q))
	}
	return answers(t, asked)
}

// answers sends requests at once, none of which may take longer than a call to
// the store.
func answers(t *testing.T, asked []*http.Request) []response {
	t.Helper()
	got, failed := make([]response, len(asked)), make([]error, len(asked))
	start := time.Now()
	var all sync.WaitGroup
	for i, r := range asked {
		all.Go(func() { got[i], failed[i] = exchange(r) })
	}
	all.Wait()
	if err := errors.Join(failed...); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > s3store.CallTimeout+grace {
		t.Errorf("answered after %s, want %s at most", took, s3store.CallTimeout)
	}
	return got
}

// wantUnavailable fails the test unless the answer says that the store is away,
// and when to come back.
func (r response) wantUnavailable(t testing.TB) {
	t.Helper()
	r.wantProblem(t, problem.Unavailable, "try again in a few seconds")
	if got := r.Header.Get("Retry-After"); got != "5" {
		t.Errorf("Retry-After: %q, want 5", got)
	}
}
