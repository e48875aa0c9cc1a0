package v1_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/link"
	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/state"
	"cloudstorage/app/web/problem"
	v1 "cloudstorage/app/web/v1"
)

type linkAnswer struct {
	ID, Key, Version, URL, Token string
	Expires                      time.Time `json:"expires_at"`
}

func (s *service) share(what asked) linkAnswer {
	s.t.Helper()
	var l linkAnswer
	answer := s.do(http.MethodPost, "/v1/links", toJSON(s.t, what)).want(s.t, http.StatusCreated, &l)
	if l.URL != "/v1/shared/"+l.Token || answer.Header.Get("Location") != l.URL || l.Key != what["key"] || answer.Header.Get("Cache-Control") != "no-store" {
		s.t.Errorf("shared as %+v, %v", l, answer.Header)
	}
	return l
}

// open uses a link, without a key.
func (s *service) open(l linkAnswer) response {
	s.t.Helper()
	return s.do(http.MethodGet, l.URL, "", "Authorization: ")
}

func TestAShareLinkNeedsNoKeyAndLeadsToTheFile(t *testing.T) {
	t.Parallel()
	s := start(t)
	const k = "a b/ü+%.html"
	old := s.put(k, "<script>old</script>")
	s.put(k, "<script>new</script>")
	for version, want := range map[string]string{"": "<script>new</script>", old.Version: "<script>old</script>"} {
		l := s.share(asked{"key": k, "version": version})
		answer := s.open(l).want(t, http.StatusFound, nil)
		for name, value := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"} {
			if got := answer.Header.Get(name); got != value {
				t.Errorf("%s: %s, want %s", name, got, value)
			}
		}
		got := signed{Method: http.MethodGet, URL: answer.Header.Get("Location")}.send(t, "")
		if got.StatusCode != http.StatusOK || got.Text != want {
			t.Errorf("%d %s, want %s", got.StatusCode, got.Text, want)
		}
		if field := got.Header.Get("Content-Disposition"); !strings.HasPrefix(field, "attachment") || !strings.HasSuffix(field, "filename*=UTF-8''%C3%BC+%25.html") {
			t.Errorf("Content-Disposition: %s", field)
		}
		if inline := s.do(http.MethodGet, l.URL+"?inline=1", "", "Authorization: ").Header.Get("Location"); strings.Contains(inline, "disposition=inline") {
			t.Errorf("a script would be shown: %s", inline)
		}
		s.wantAudit(`"did":"link.create"`, `"who":"root"`, l.ID)
		if strings.Contains(s.Audit.String(), l.Token) {
			t.Error("the audit has a token that reads a file")
		}
	}
}

func TestAShareLinkShowsWhatCannotHurt(t *testing.T) {
	t.Parallel()
	s := start(t)
	info, err := s.Store.Put(t.Context(), "k.txt", strings.NewReader("text"), file.PutOptions{Size: 4, Type: "text/plain"})
	if err != nil {
		t.Fatal(err)
	}
	l := s.share(asked{"key": "k.txt", "version": info.Version})
	for query, want := range map[string]string{"": "attachment", "?inline=1": "inline"} {
		at := s.do(http.MethodGet, l.URL+query, "", "Authorization: ").want(t, http.StatusFound, nil).Header.Get("Location")
		answer := signed{Method: http.MethodGet, URL: at}.send(t, "").want(t, http.StatusOK, nil)
		if got := answer.Header.Get("Content-Disposition"); !strings.HasPrefix(got, want+";") || answer.Header.Get("Content-Type") != "text/plain" {
			t.Errorf("%s: %v", query, answer.Header)
		}
	}
}

func TestHeadOfAShareLinkLeadsToTheHeadOfTheFile(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.put("k", "content")
	l := s.share(asked{"key": "k"})
	answer := s.do(http.MethodHead, l.URL, "", "Authorization: ").want(t, http.StatusFound, nil)
	got := signed{Method: http.MethodHead, URL: answer.Header.Get("Location")}.send(t, "")
	if got.StatusCode != http.StatusOK || got.ContentLength != 7 {
		t.Errorf("%d, %d bytes", got.StatusCode, got.ContentLength)
	}
}

func TestAShareLinkEndsWhenItSays(t *testing.T) {
	t.Parallel()
	var later atomic.Int64
	s := start(t, func(a *v1.API) {
		a.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
		a.MaxLink = 30 * 24 * time.Hour
		a.Links = link.New(a.Sealer, &memory{}, a.MaxLink)
	})
	s.put("k", "text")
	before := time.Now().Truncate(time.Second)
	for _, tt := range []struct {
		expiresIn int
		want      time.Duration
	}{{0, 7 * 24 * time.Hour}, {60, time.Minute}, {30 * 24 * 3600, 30 * 24 * time.Hour}} {
		later.Store(0)
		l := s.share(asked{"key": "k", "expires_in": tt.expiresIn})
		if l.Expires.Before(before.Add(tt.want)) || l.Expires.After(time.Now().Add(tt.want)) {
			t.Errorf("%d: it ends at %s", tt.expiresIn, l.Expires)
		}
		later.Store(int64(tt.want - 30*time.Second))
		answer := s.open(l).want(t, http.StatusFound, nil)
		if got := answer.Header.Get("Location"); strings.Contains(got, "X-Amz-Expires=60") || !strings.Contains(got, "X-Amz-Expires=") {
			t.Errorf("%d: the URL outlives the link: %s", tt.expiresIn, got)
		}
		later.Store(int64(tt.want))
		s.open(l).wantProblem(t, problem.LinkEnded, "ended")
	}
}

func TestALinkThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	reader := auth.NewToken()
	s := start(t, func(a *v1.API) { a.Who = keys(t, key("reader", reader, "in/", auth.Read)) })
	s.token = reader
	s.put("in/a", "text")
	for _, tt := range []struct {
		body   asked
		kind   problem.Kind
		wayOut string
	}{
		{asked{"key": "in/a", "expires_in": -1}, problem.InvalidRequest, "expires_in: -1: ask for 1 to 3600"},
		{asked{"key": "in/a", "expires_in": 3601}, problem.InvalidRequest, "expires_in: 3601"},
		{asked{"key": "in/missing"}, problem.NotFound, "no such file"},
		{asked{"key": "in/a", "version": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}, problem.NotFound, "no such"},
		{asked{"key": "out/a"}, problem.Forbidden, "may not read"},
		{asked{"key": "in/.."}, problem.InvalidRequest, "key: "},
	} {
		s.do(http.MethodPost, "/v1/links", toJSON(t, tt.body)).wantProblem(t, tt.kind, tt.wayOut)
	}
}

func TestWhatIsNoLinkOrLeadsNowhereIsNotFound(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.put("k", "text")
	l := s.share(asked{"key": "k"})
	for _, token := range []string{"x", l.Token[1:], l.Token + "A", l.ID} {
		s.do(http.MethodGet, "/v1/shared/"+token, "").wantProblem(t, problem.NotFound, "no such link")
		s.do(http.MethodDelete, "/v1/links/"+token, "").wantProblem(t, problem.NotFound, "no such link")
	}
	s.remove("k")
	s.open(l).wantProblem(t, problem.NotFound, "no such file")
}

// objects is a bucket for the API's own state.
type objects struct {
	mu   sync.Mutex
	text map[string][]byte
}

func (o *objects) Read(_ context.Context, name, _ string) ([]byte, string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	body, found := o.text[name]
	if !found {
		return nil, "", &object.Error{Code: object.CodeNotFound, Op: "read", Message: "not there"}
	}
	return body, "etag", nil
}

func (o *objects) Create(_ context.Context, name string, body []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, found := o.text[name]; found {
		return state.ErrExists
	}
	o.text[name] = body
	return nil
}

func TestARevokedLinkEndsAtOnceOnEveryInstance(t *testing.T) {
	t.Parallel()
	bucket := &objects{text: map[string][]byte{}}
	var api v1.API
	links := func(a *v1.API) *link.Links { return link.New(a.Sealer, state.NewRevocations(bucket, a.Now), a.MaxLink) }
	one := start(t, func(a *v1.API) {
		a.Links = links(a)
		api = *a
	})
	api.Links = links(&api)
	two := one.another(t, api)
	one.put("k", "text")
	l, other := one.share(asked{"key": "k"}), one.share(asked{"key": "k"})
	two.open(l).want(t, http.StatusFound, nil)
	for range 2 {
		one.do(http.MethodDelete, "/v1/links/"+l.Token, "").want(t, http.StatusNoContent, nil)
		for _, s := range []*service{one, two} {
			s.open(l).wantProblem(t, problem.LinkEnded, "ended")
		}
	}
	two.open(other).want(t, http.StatusFound, nil)
	one.wantAudit(`"did":"link.revoke"`, `"key":"k"`, l.ID)
}

func TestALinkIsRevokedByItsMakerAndByWhoMayDeleteTheFile(t *testing.T) {
	t.Parallel()
	maker, reader, deleter := auth.NewToken(), auth.NewToken(), auth.NewToken()
	s := start(t, func(a *v1.API) {
		a.Who = keys(t, key("maker", maker, "", auth.Read), key("reader", reader, "", auth.Read), key("deleter", deleter, "k", auth.Delete))
	})
	s.put("k", "text")
	s.put("other", "text")
	s.token = maker
	mine, theirs, foreign := s.share(asked{"key": "k"}), s.share(asked{"key": "k"}), s.share(asked{"key": "other"})
	for _, tt := range []struct {
		who  string
		link linkAnswer
		may  bool
	}{
		{reader, mine, false}, {maker, mine, true}, {deleter, theirs, true}, {deleter, foreign, false},
	} {
		s.token = tt.who
		answer := s.do(http.MethodDelete, "/v1/links/"+tt.link.Token, "")
		if !tt.may {
			answer.wantProblem(t, problem.Forbidden, "may not delete")
			s.open(tt.link).want(t, http.StatusFound, nil)
			continue
		}
		answer.want(t, http.StatusNoContent, nil)
		s.open(tt.link).wantProblem(t, problem.LinkEnded, "ended")
	}
	s.do(http.MethodDelete, "/v1/links/"+mine.Token, "", "Authorization: ").wantProblem(t, problem.Unauthenticated, "")
}
