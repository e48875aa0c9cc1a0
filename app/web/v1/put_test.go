package v1_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/web/problem"
	v1 "cloudstorage/app/web/v1"
)

func TestAFileIsWrittenAsItsFieldsSay(t *testing.T) {
	t.Parallel()
	s := start(t)
	raw := make([]byte, 1<<20) // as much as the API takes
	_, _ = rand.Read(raw)      // never fails
	sum := sha256.Sum256(raw)
	var put described
	answer := s.do(http.MethodPut, "/v1/files/a/raw.PNG", string(raw), "Content-Digest: sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":", "If-None-Match: *").
		want(t, http.StatusCreated, &put)
	if put.Key != "a/raw.PNG" || put.Size != 1<<20 || put.Type != "image/png" || put.Modified != "" || strings.Contains(answer.Text, "modified") {
		t.Errorf("answered %s", answer.Text)
	}
	if h := answer.Header; h.Get("Location") != "/v1/files/a/raw.PNG" || h.Get("ETag") != put.ETag || h.Get("X-Version-Id") != put.Version || put.Version == "" {
		t.Errorf("answered %v", h)
	}
	s.wantAudit(`"did":"file.put"`, `"who":"root"`, `"key":"a/raw.PNG"`, put.Version, `"size":1048576`, answer.Header.Get("X-Request-Id"))
	if got := s.do(http.MethodGet, "/v1/files/a/raw.PNG?stream=1", ""); got.Text != string(raw) || got.Header.Get("ETag") != put.ETag {
		t.Errorf("got %d bytes, %v", len(got.Text), got.Header)
	}
	s.do(http.MethodPut, "/v1/files/a/raw.PNG", "over", "If-Match: "+put.ETag).want(t, http.StatusOK, nil)

	for name, tt := range map[string]struct{ body, field, want string }{
		"named.txt": {"x", "Content-Type: application/x-own; a=b", "application/x-own; a=b"},
		"by.txt":    {"x", "Content-Type: ", "text/plain"},
		"unknown":   {"x", "Content-Type: ", "application/octet-stream"},
		"encoded":   {"x", "Content-Encoding: identity", "application/octet-stream"},
		"empty":     {"", "Content-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:", "application/octet-stream"},
	} {
		s.do(http.MethodPut, at(name), tt.body, tt.field).want(t, http.StatusOK, nil)
		if got := s.do(http.MethodHead, at(name), "").Header; got.Get("Content-Type") != tt.want || got.Get("Content-Length") != strconv.Itoa(len(tt.body)) {
			t.Errorf("%s, %s: %v, want %s", name, tt.field, got, tt.want)
		}
	}
}

// writing is a store that tells when a Put has ended.
type writing struct {
	v1.Store
	ended chan error
}

func (w writing) Put(ctx context.Context, k object.Key, content io.Reader, o file.PutOptions) (object.Info, error) {
	info, err := w.Store.Put(ctx, k, content, o)
	w.ended <- err
	return info, err
}

// raw sends what no client sends, and returns the connection.
func (s *service) raw(request string) *net.TCPConn {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, strings.Replace(request, "\r\n", "\r\nHost: localhost\r\nAuthorization: Bearer "+s.token+"\r\n", 1)); err != nil {
		s.t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

// answered reads the answer to a request with that method.
func answered(t *testing.T, conn io.Reader, method string) response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "/v1/files/raw", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{answer, string(text)}
}

func TestHalfABodyStoresNothing(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	s := start(t, func(a *v1.API) { a.Store = writing{a.Store, ended} })
	const half = "PUT /v1/files/half HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nhalf"

	conn := s.raw(half)
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answered(t, conn, http.MethodPut).wantProblem(t, problem.InvalidRequest, "to its end")
	if err := <-ended; err == nil {
		t.Error("half a body was put")
	}

	conn = s.raw(half)
	if err := conn.SetLinger(0); err != nil { // the client dies
		t.Fatal(err)
	}
	_ = conn.Close()
	if err := <-ended; err == nil {
		t.Error("half a body was put")
	}

	if _, err := s.Store.Stat(t.Context(), "half", ""); object.CodeOf(err) != object.CodeNotFound {
		t.Errorf("half a body was stored: %v", err)
	}
	if s.Audit.String() != "" {
		t.Errorf("it is in the audit: %s", s.Audit)
	}
}

func TestABodyWithoutALengthIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	for name, request := range map[string]string{
		"chunked": "PUT /v1/files/raw HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
		"nothing": "PUT /v1/files/raw HTTP/1.1\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			answered(t, s.raw(request), http.MethodPut).wantProblem(t, problem.LengthRequired, "Content-Length")
		})
	}
}

func TestARefusedBodyIsNotAskedFor(t *testing.T) {
	t.Parallel()
	s := start(t)
	const expect = "\r\nExpect: 100-continue\r\n"
	for length, want := range map[string]int{"4": http.StatusContinue, "4000000": http.StatusRequestEntityTooLarge} {
		conn := s.raw("PUT /v1/files/raw HTTP/1.1" + expect + "Content-Length: " + length + "\r\n\r\n")
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, fmt.Sprintf("HTTP/1.1 %d ", want)) {
			t.Errorf("Content-Length: %s is answered %q, %v", length, line, err)
		}
	}
}
