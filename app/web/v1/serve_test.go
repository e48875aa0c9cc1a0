package v1_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/link"
	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/s3store"
	"cloudstorage/app/s3store/s3file"
	"cloudstorage/app/s3store/s3history"
	"cloudstorage/app/s3store/s3sign"
	"cloudstorage/app/s3store/s3upload"
	"cloudstorage/app/seal"
	"cloudstorage/app/web"
	"cloudstorage/app/web/exercise"
	"cloudstorage/app/web/problem"
	v1 "cloudstorage/app/web/v1"
)

// everything is the store with all that is built on it.
type everything struct {
	*s3sign.Store
	s3file.Files
	s3history.History
	s3upload.Uploads
}

// service is the API on a versioned bucket of a real S3 server.
type service struct {
	URL     string
	Bucket  string
	Store   v1.Store
	Gateway gatewaytest.Gateway
	Audit   *logbook
	Log     *logbook     // a line for each request
	Handler http.Handler // what listens at URL
	t       testing.TB
	token   string // that do sends: who has it may do everything
}

// logbook keeps what is logged.
type logbook struct {
	mu    sync.Mutex
	lines []byte
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, p...)
	return len(p), nil
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.lines)
}

// start serves the API to keys; change may set what differs from the default.
func start(t testing.TB, change ...func(*v1.API)) *service {
	t.Helper()
	g := gatewaytest.Start(t)
	return serve(t, g, g.Endpoint, change...)
}

// serve serves the API to keys, which finds the gateway at endpoint.
func serve(t testing.TB, g gatewaytest.Gateway, endpoint string, change ...func(*v1.API)) *service {
	t.Helper()
	bucket := g.NewBucket(t)
	base, err := s3store.Open(t.Context(), s3store.Config{
		Bucket: bucket, Region: g.Region, Endpoint: endpoint, AccessKeyID: g.AccessKey, SecretAccessKey: g.SecretKey,
	})
	if err != nil {
		t.Fatal(err)
	}
	signing := s3sign.New(base)
	store := everything{signing, s3file.Files{Store: signing}, s3history.New(base), s3upload.New(signing)}
	sealer, err := seal.New([]byte(strings.Repeat("k", seal.KeyBytes)))
	if err != nil {
		t.Fatal(err)
	}
	s := &service{Bucket: bucket, Store: store, Gateway: g, Audit: &logbook{}, Log: &logbook{}, t: t, token: auth.NewToken()}
	api := &v1.API{
		Store: store, Sealer: sealer, Links: link.New(sealer, &memory{}, time.Hour),
		Who: keys(t, key("root", s.token, "")),
		TTL: 10 * time.Minute, MaxTTL: time.Hour, MaxLink: time.Hour, MaxBody: 1 << 20,
		Now: time.Now, Audit: slog.New(slog.NewJSONHandler(s.Audit, nil)),
	}
	for _, f := range change {
		f(api)
	}
	server := web.New(web.Config{Log: slog.New(slog.NewJSONHandler(s.Log, nil)), Ready: base.Ready, DrainTimeout: time.Second})
	api.Register(server)
	exercise.API{Store: store, Bucket: bucket, TTL: api.TTL}.Register(server)
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	s.URL, s.Handler = listener.URL, server
	return s
}

// key is a key's entry; no verbs are all of them.
func key(id, token, prefix string, verbs ...auth.Verb) auth.Key {
	if len(verbs) == 0 {
		verbs = auth.Verbs()
	}
	return auth.Key{ID: id, SHA256: auth.Hash(token), Verbs: verbs, Prefixes: []string{prefix}}
}

// keys lets the keys in.
func keys(t testing.TB, keys ...auth.Key) auth.Authenticator {
	t.Helper()
	ring, err := auth.NewKeyring(keys)
	if err != nil {
		t.Fatal(err)
	}
	return auth.Authenticator{Keys: func() auth.Keyring { return ring }}
}

// memory keeps revocations, which app/state keeps in a bucket.
type memory struct {
	mu      sync.Mutex
	revoked map[link.ID]bool
}

func (m *memory) Revoke(_ context.Context, l link.Link, _ string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.revoked == nil {
		m.revoked = map[link.ID]bool{}
	}
	m.revoked[l.ID] = true
	return nil
}

func (m *memory) Revoked(_ context.Context, id link.ID) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.revoked[id], nil
}

// response is an answer, read to its end.
type response struct {
	*http.Response
	Text string
}

// do sends a request as who may do everything, unless the fields name somebody
// else, and follows no redirect. Fields are "Name: value"; an empty value sends
// none.
func (s *service) do(method, target, body string, fields ...string) response {
	s.t.Helper()
	return s.send(s.request(method, target, body, fields...))
}

// request is what do sends.
func (s *service) request(method, target, body string, fields ...string) *http.Request {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+target, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	if strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Del(name)
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	return r
}

// send sends a request as it is and follows no redirect. The test fails where
// the OpenAPI document does not describe the answer.
func (s *service) send(r *http.Request) response {
	s.t.Helper()
	answer, err := exchange(r)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer
}

// exchange is send where only the test's own goroutine may end the test.
func exchange(r *http.Request) (response, error) {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		return response{}, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return response{answer, string(text)}, err
	}
	if err := contract().check(r, answer, string(text)); err != nil {
		return response{answer, string(text)}, fmt.Errorf("openapi.json does not describe %s %s, answered %d: %w", r.Method, r.URL.RequestURI(), answer.StatusCode, err)
	}
	return response{answer, string(text)}, nil
}

// want fails the test unless the answer has that status, and reads its JSON into
// v, which may be nil.
func (r response) want(t testing.TB, status int, v any) response {
	t.Helper()
	if r.StatusCode != status {
		t.Fatalf("%s %s: %d %s, want %d", r.Request.Method, r.Request.URL.RequestURI(), r.StatusCode, r.Text, status)
	}
	if v == nil {
		return r
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(r.Text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		t.Fatalf("%s: %v", r.Text, err)
	}
	return r
}

// wantProblem fails the test unless the answer is a problem of that kind whose
// detail has the way out.
func (r response) wantProblem(t testing.TB, kind problem.Kind, wayOut string) {
	t.Helper()
	if r.StatusCode != kind.Status || r.Header.Get("Content-Type") != problem.ContentType {
		t.Fatalf("%s %s: %d %s %s, want %s", r.Request.Method, r.Request.URL.RequestURI(), r.StatusCode, r.Header.Get("Content-Type"), r.Text, kind.Name)
	}
	if r.Request.Method == http.MethodHead {
		return
	}
	var d problem.Details
	if err := json.Unmarshal([]byte(r.Text), &d); err != nil {
		t.Fatal(err)
	}
	if d.Type != kind.Type() || d.Title != kind.Title || d.Status != kind.Status || d.RequestID != r.Header.Get("X-Request-Id") {
		t.Errorf("problem %+v is not of kind %s", d, kind.Name)
	}
	if !strings.Contains(d.Detail, wayOut) {
		t.Errorf("detail %q does not say %q", d.Detail, wayOut)
	}
}

// put stores a file, past the API, and returns its version.
func (s *service) put(k, content string) object.Info {
	s.t.Helper()
	info, err := s.Store.Put(s.t.Context(), object.Key(k), strings.NewReader(content), file.PutOptions{Size: int64(len(content))})
	if err != nil {
		s.t.Fatal(err)
	}
	return info
}
