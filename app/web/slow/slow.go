// Package slow cuts off clients that send or read so slowly that they hold a
// connection and a place in the server for nothing, and lets all others take as
// long as their files need.
package slow

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/web"
)

// Limits say how slow is too slow. A client has Patience to begin with; waiting
// for it takes from that, each byte of its gives a Rate-th of a second back, and
// it never has more than Patience. Time that the server itself takes is free.
type Limits struct {
	Patience time.Duration
	Rate     int64 // bytes a second
}

// Default are Apache's limits for a body.
// Source: https://httpd.apache.org/docs/2.4/mod/mod_reqtimeout.html
func Default() Limits { return Limits{Patience: 20 * time.Second, Rate: 500} }

// Middleware holds the clients of every route to l, whatever the server's own
// ReadTimeout: a body may take longer than that, and so may an answer.
func Middleware(l Limits) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			// Where the connection takes no deadlines, as in a test without one,
			// there is nobody to cut off: those errors are ignored throughout.
			r, conn := c.Request(), http.NewResponseController(c.Response().Writer)
			w := &writer{ResponseWriter: c.Response().Writer, conn: conn, credit: credit{l, l.Patience}}
			if r.Body != nil && r.Body != http.NoBody {
				// On a copy: net/http looks at the type of its own request's body
				// to find out what is left unread.
				r = r.WithContext(r.Context())
				w.body = &reader{ReadCloser: r.Body, conn: conn, credit: credit{l, l.Patience}}
				r.Body = w.body
				c.SetRequest(r)
			}
			_ = conn.SetWriteDeadline(time.Time{}) // the last answer's on this connection
			c.Response().Writer = w
			err := next(c)
			w.arm() // for what net/http still has in its buffer
			return err
		}
	}
}

// credit is how long a client may still be waited for.
type credit struct {
	Limits
	left time.Duration
}

func (c *credit) spend(since time.Time, bytes int) {
	earned := time.Duration(bytes) * time.Second / time.Duration(c.Rate)
	c.left = min(c.left-time.Since(since)+earned, c.Patience)
}

// reader is a request's body.
type reader struct {
	io.ReadCloser
	conn  *http.ResponseController
	ended atomic.Bool // from here on net/http sets the deadline by itself
	credit
}

// Read waits for the client as long as its credit lasts.
func (r *reader) Read(p []byte) (int, error) {
	start := time.Now()
	_ = r.conn.SetReadDeadline(start.Add(r.left))
	n, err := r.ReadCloser.Read(p)
	r.spend(start, n)
	if err != nil {
		r.ended.Store(true)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = &web.Error{Status: http.StatusRequestTimeout, Message: "the body comes too slowly: send it faster, or in parts", Err: err}
	}
	return n, err
}

// Close lets net/http read what is left of a short body, which must end too. A
// Read may be under way, so the credit is not looked at.
func (r *reader) Close() error {
	if !r.ended.Swap(true) {
		_ = r.conn.SetReadDeadline(time.Now().Add(r.Patience))
	}
	return r.ReadCloser.Close()
}

// pieceBytes is what is written at once. A client that reads no faster than
// Rate must be able to take it within Patience.
const pieceBytes = 8 << 10

// writer is an answer.
type writer struct {
	http.ResponseWriter
	conn *http.ResponseController
	body *reader // nil where there is none
	credit
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// arm lets the next write wait as long as the client's credit lasts. What the
// handler has left of the body is read by net/http before it answers: that must
// end too, and before the write's time does.
func (w *writer) arm() {
	start := time.Now()
	if w.body != nil && !w.body.ended.Load() {
		start = start.Add(w.Patience)
		_ = w.conn.SetReadDeadline(start)
	}
	_ = w.conn.SetWriteDeadline(start.Add(w.left))
}

// Write waits for the client as long as its credit lasts.
func (w *writer) Write(p []byte) (written int, err error) {
	for {
		piece, start := p[:min(len(p), pieceBytes)], time.Now()
		w.arm()
		n, err := w.ResponseWriter.Write(piece)
		w.spend(start, n)
		written += n
		if p = p[n:]; err != nil || len(p) == 0 {
			return written, err
		}
	}
}

// FlushError is Flush for http.ResponseController.
func (w *writer) FlushError() error {
	start := time.Now()
	w.arm()
	err := w.conn.Flush()
	w.spend(start, 0)
	return err
}
