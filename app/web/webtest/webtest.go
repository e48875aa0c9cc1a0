// Package webtest sends requests byte by byte, so that no client cleans a path
// or refuses a method before the server sees it.
package webtest

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// timeout bounds an exchange, so that a hanging server fails its test.
const timeout = 30 * time.Second

// Answer is a whole answer.
type Answer struct {
	Raw    string // as it came
	Status int
	Header http.Header
	Body   string
}

// Dial connects to a server.
func Dial(t testing.TB, address string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: timeout}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // it may be closed already
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// Do sends "METHOD target" with a Host and the given header lines, asks the
// server to close the connection, and reads to the end.
func Do(t testing.TB, address, method, target string, header ...string) Answer {
	t.Helper()
	request := method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
	for _, line := range header {
		request += line + "\r\n"
	}
	conn := Dial(t, address)
	if _, err := io.WriteString(conn, request+"\r\n"); err != nil {
		t.Fatal(err)
	}
	return Read(t, conn, method)
}

// Read reads the answer to a request by method until the connection closes.
func Read(t testing.TB, conn net.Conn, method string) Answer {
	t.Helper()
	var raw recorder
	response, err := http.ReadResponse(bufio.NewReader(io.TeeReader(conn, &raw)), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("read the answer: %v after %q", err, raw)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("read the body: %v after %q", err, raw)
	}
	return Answer{Raw: string(raw), Status: response.StatusCode, Header: response.Header, Body: string(body)}
}

type recorder []byte

func (r *recorder) Write(p []byte) (int, error) {
	*r = append(*r, p...)
	return len(p), nil
}
