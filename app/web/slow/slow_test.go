package slow_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/web"
	"cloudstorage/app/web/slow"
	"cloudstorage/app/web/webtest"
)

// Times of the tests: a short one is over before a long one by far.
const (
	short  = 50 * time.Millisecond
	longer = 4 * short // what lets a short one pass
	long   = time.Minute
)

// start serves h at / on a server that by itself cuts off requests after the
// read timeout.
func start(t *testing.T, l slow.Limits, readTimeout time.Duration, h echo.HandlerFunc) (address string) {
	t.Helper()
	s := web.New(web.Config{Log: slog.New(slog.DiscardHandler), Ready: func(context.Context) error { return nil }, DrainTimeout: time.Minute})
	s.Use(slow.Middleware(l))
	s.Mount(web.Area{Path: "/v1", Handle: h, Fail: func(err error, c echo.Context) {
		var known *web.Error
		status := http.StatusInternalServerError
		if errors.As(err, &known) {
			status = known.Status
		}
		_ = c.String(status, err.Error())
	}})
	server := httptest.NewUnstartedServer(s)
	server.Config.ReadTimeout = readTimeout
	server.Start()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// send writes a request with a body that is announced to have size bytes.
func send(t *testing.T, conn net.Conn, size int, body string) {
	t.Helper()
	if _, err := fmt.Fprintf(conn, "PUT /v1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", size, body); err != nil {
		t.Fatal(err)
	}
}

// wait lets d pass, in which the server must not answer.
func wait(t *testing.T, conn net.Conn, d time.Duration) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		t.Fatal(err)
	}
	var b [1]byte
	if _, err := conn.Read(b[:]); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the server did not wait: %q, %v", b, err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(long)); err != nil {
		t.Fatal(err)
	}
}

// wantCut checks that the answer is the status and the connection's end.
func wantCut(t *testing.T, conn net.Conn, status int) {
	t.Helper()
	answer := webtest.Read(t, conn, http.MethodPut)
	if answer.Status != status {
		t.Errorf("%s", answer.Raw)
	}
	if n, err := conn.Read(make([]byte, 1)); n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection is open, with a body in it that nobody reads")
	}
}

// read reads the body to its end and answers with it.
func read(c echo.Context) error {
	body, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return err
	}
	return c.String(http.StatusOK, string(body))
}

func TestABodyThatStopsIsCutOff(t *testing.T) {
	t.Parallel()
	conn := webtest.Dial(t, start(t, slow.Limits{Patience: short, Rate: 500}, long, read))
	send(t, conn, 100, "some")
	wantCut(t, conn, http.StatusRequestTimeout)
}

func TestABodyThatDribblesIsCutOff(t *testing.T) {
	t.Parallel()
	conn := webtest.Dial(t, start(t, slow.Limits{Patience: 2 * short, Rate: 1e6}, long, read))
	send(t, conn, 1000, "")
	for range 1000 { // never silent for as long as its patience
		if err := conn.SetReadDeadline(time.Now().Add(short / 10)); err != nil {
			t.Fatal(err)
		}
		answer, err := bufio.NewReader(conn).ReadString('\n')
		if err == nil {
			if !strings.Contains(answer, " 408 ") {
				t.Errorf("%s", answer)
			}
			return
		}
		if _, err := io.WriteString(conn, "."); err != nil {
			return // reset, since what was sent last was not read
		}
	}
	t.Error("not cut off")
}

func TestABodyThatIsNotTooSlowMayTakeLongerThanTheServersOwnTimeout(t *testing.T) {
	t.Parallel()
	conn := webtest.Dial(t, start(t, slow.Limits{Patience: long, Rate: 500}, short, read))
	send(t, conn, 6, "abc")
	wait(t, conn, longer)
	if _, err := io.WriteString(conn, "def"); err != nil {
		t.Fatal(err)
	}
	if answer := webtest.Read(t, conn, http.MethodPut); answer.Status != http.StatusOK || answer.Body != "abcdef" {
		t.Errorf("%s", answer.Raw)
	}
}

func TestTheServersOwnTimeIsNotTheClients(t *testing.T) {
	t.Parallel()
	step := make(chan struct{})
	conn := webtest.Dial(t, start(t, slow.Limits{Patience: short, Rate: 500}, long, func(c echo.Context) error {
		if _, err := io.ReadFull(c.Request().Body, make([]byte, 1)); err != nil {
			return err
		}
		<-step
		return read(c)
	}))
	send(t, conn, 6, "abcdef")
	wait(t, conn, longer)
	close(step)
	if answer := webtest.Read(t, conn, http.MethodPut); answer.Status != http.StatusOK || answer.Body != "bcdef" {
		t.Errorf("%s", answer.Raw)
	}
}

func TestAHandlerMayWorkLongerThanTheServersOwnTimeout(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"after a body": "abc", "without a body": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			step := make(chan struct{})
			conn := webtest.Dial(t, start(t, slow.Limits{Patience: long, Rate: 500}, short, func(c echo.Context) error {
				if _, err := io.Copy(io.Discard, c.Request().Body); err != nil {
					return err
				}
				<-step
				return c.Request().Context().Err()
			}))
			send(t, conn, len(body), body)
			wait(t, conn, longer)
			close(step)
			if answer := webtest.Read(t, conn, http.MethodPut); answer.Status != http.StatusOK {
				t.Errorf("%s", answer.Raw)
			}
		})
	}
}

// leave refuses a request after n bytes of its body.
func leave(n int) echo.HandlerFunc {
	return func(c echo.Context) error {
		if _, err := io.ReadFull(c.Request().Body, make([]byte, n)); err != nil {
			return err
		}
		return &web.Error{Status: http.StatusBadRequest, Message: "enough"}
	}
}

func TestABodyThatTheHandlerLeavesIsNotWaitedForForever(t *testing.T) {
	t.Parallel()
	for n := range 2 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			conn := webtest.Dial(t, start(t, slow.Limits{Patience: short, Rate: 500}, long, leave(n)))
			send(t, conn, 100, "some")
			wantCut(t, conn, http.StatusBadRequest)
		})
	}
}

func TestABodyThatTheHandlerLeavesMayStillCome(t *testing.T) {
	t.Parallel()
	conn := webtest.Dial(t, start(t, slow.Limits{Patience: long, Rate: 500}, long, leave(1)))
	answers := bufio.NewReader(conn)
	for range 2 { // on one connection
		send(t, conn, 6, "abcd")
		wait(t, conn, short)
		if _, err := io.WriteString(conn, "ef"); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusBadRequest {
			t.Errorf("%d, %v", answer.StatusCode, err)
		}
		_ = answer.Body.Close()
	}
}

func TestAHandlerMayCloseABodyAndWorkOn(t *testing.T) {
	t.Parallel()
	step := make(chan struct{})
	conn := webtest.Dial(t, start(t, slow.Limits{Patience: short, Rate: 500}, long, func(c echo.Context) error {
		if err := c.Request().Body.Close(); err != nil {
			return err
		}
		c.Response().Flush()
		<-step
		return c.Request().Context().Err()
	}))
	send(t, conn, 4, "some")
	answers := bufio.NewReader(conn)
	if _, err := answers.Peek(1); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	wait(t, conn, longer)
	close(step)
	if body, err := io.ReadAll(answer.Body); err != nil || len(body) > 0 {
		t.Errorf("%q, %v", body, err)
	}
	_ = answer.Body.Close()
}

func TestWhoAsksBeforeItSendsABodyIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	conn := webtest.Dial(t, start(t, slow.Limits{Patience: long, Rate: 500}, long, leave(0)))
	if _, err := io.WriteString(conn, "PUT /v1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if answer := webtest.Read(t, conn, http.MethodPut); answer.Status != http.StatusBadRequest {
		t.Errorf("%s", answer.Raw)
	}
}

// flood writes until that fails, and tells how.
func flood(failed chan<- error) echo.HandlerFunc {
	return func(c echo.Context) error {
		for block := make([]byte, 1<<20); ; {
			if _, err := c.Response().Write(block); err != nil {
				failed <- err
				return err
			}
		}
	}
}

func TestAClientThatDoesNotReadIsCutOff(t *testing.T) {
	t.Parallel()
	failed := make(chan error, 1)
	conn := webtest.Dial(t, start(t, slow.Limits{Patience: short, Rate: 500}, long, flood(failed)))
	send(t, conn, 0, "")
	if err := <-failed; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
}

func TestAClientThatReadsDropByDropIsCutOff(t *testing.T) {
	t.Parallel()
	failed := make(chan error, 1)
	conn := webtest.Dial(t, start(t, slow.Limits{Patience: short, Rate: 1 << 40}, long, flood(failed)))
	send(t, conn, 0, "")
	for { // until the server closes the connection
		if _, err := io.ReadFull(conn, make([]byte, 4<<10)); err != nil {
			break
		}
	}
	if err := <-failed; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
}

func TestAnAnswerMayTakeLongAndTheConnectionServesOn(t *testing.T) {
	t.Parallel()
	for name, flushed := range map[string]bool{"flushed": true, "left to net/http": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			step := make(chan struct{})
			conn := webtest.Dial(t, start(t, slow.Limits{Patience: short, Rate: 500}, long, func(c echo.Context) error {
				if _, err := io.Copy(c.Response(), c.Request().Body); err != nil {
					return err
				}
				<-step
				if flushed {
					c.Response().Flush()
				}
				return nil
			}))
			for range 2 { // the second finds what the first has left of deadlines
				if _, err := io.WriteString(conn, "PUT /v1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"); err != nil {
					t.Fatal(err)
				}
				answers := bufio.NewReader(conn)
				if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, " 100 ") {
					t.Fatalf("%q, %v", line, err)
				}
				if _, err := answers.Discard(len("\r\n")); err != nil {
					t.Fatal(err)
				}
				if _, err := io.WriteString(conn, "some"); err != nil {
					t.Fatal(err)
				}
				wait(t, conn, longer)
				step <- struct{}{}
				answer, err := http.ReadResponse(answers, nil)
				if err != nil {
					t.Fatal(err)
				}
				if body, err := io.ReadAll(answer.Body); err != nil || string(body) != "some" {
					t.Errorf("%q, %v", body, err)
				}
				_ = answer.Body.Close()
				wait(t, conn, longer)
			}
		})
	}
}
