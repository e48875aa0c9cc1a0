// Package bench says how fast the API is beside what could be had without it, on
// the same machine and in the same run, since only ratios travel.
package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// load is a closed loop: each connection sends its next request when it has the
// answer to the one before.
type load struct {
	address     string
	path        string
	connections int
	duration    time.Duration
}

// result is what came of a load.
type result struct {
	answers  int
	rate     float64 // answers a second
	p50, p99 time.Duration
	cpu      time.Duration // of the server, for one answer
	size     int           // of the last answer's body
}

// run sends requests until the duration is over. An answer other than 200 is an
// error.
func (l load) run(ctx context.Context) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, l.duration)
	defer cancel()
	results := make([]connection, l.connections)
	var wg sync.WaitGroup
	began := time.Now()
	for i := range results {
		wg.Go(func() { results[i].run(ctx, l) })
	}
	wg.Wait()
	took := time.Since(began)

	var all []time.Duration
	var r result
	for _, c := range results {
		if c.err != nil {
			return result{}, fmt.Errorf("%s%s: %w", l.address, l.path, c.err)
		}
		all = append(all, c.latencies...)
		r.size = c.size
	}
	if len(all) == 0 {
		return result{}, fmt.Errorf("%s%s: no answer within %s", l.address, l.path, l.duration)
	}
	slices.Sort(all)
	r.answers, r.rate = len(all), float64(len(all))/took.Seconds()
	r.p50, r.p99 = all[len(all)/2], all[len(all)*99/100]
	return r, nil
}

// connection is one client. It speaks just enough HTTP, so that it costs less
// than what it measures.
type connection struct {
	latencies []time.Duration
	size      int
	err       error

	conn   net.Conn
	reader *bufio.Reader
}

func (c *connection) run(ctx context.Context, l load) {
	defer c.close()
	request := []byte("GET " + l.path + " HTTP/1.1\r\nHost: " + l.address + "\r\n\r\n")
	for ctx.Err() == nil {
		began := time.Now()
		if c.err = c.exchange(ctx, l.address, request); c.err != nil {
			if cut := net.Error(nil); ctx.Err() != nil || errors.As(c.err, &cut) && cut.Timeout() {
				c.err = nil // the end of the load cut it
			}
			return
		}
		c.latencies = append(c.latencies, time.Since(began))
	}
}

// exchange sends the request, on a new connection where the last was closed.
func (c *connection) exchange(ctx context.Context, address string, request []byte) error {
	if c.conn == nil {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		c.conn, c.reader = conn, bufio.NewReader(conn)
		if deadline, ok := ctx.Deadline(); ok {
			if err := conn.SetDeadline(deadline); err != nil {
				return err
			}
		}
	}
	if _, err := c.conn.Write(request); err != nil {
		return err
	}
	return c.read()
}

// read reads one answer.
func (c *connection) read() error {
	line, err := c.reader.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.Contains(line, []byte(" 200 ")) {
		return fmt.Errorf("answered %q", line)
	}
	closes := bytes.HasPrefix(line, []byte("HTTP/1.0"))
	size := -1
	for {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if size, err = strconv.Atoi(string(value)); err != nil {
				return err
			}
		case bytes.EqualFold(name, []byte("Connection")) && bytes.EqualFold(value, []byte("close")):
			closes = true
		}
	}
	if size < 0 {
		return errors.New("the answer has no Content-Length")
	}
	if _, err := io.CopyN(io.Discard, c.reader, int64(size)); err != nil {
		return err
	}
	c.size = size
	if closes {
		c.close()
	}
	return nil
}

func (c *connection) close() {
	if c.conn != nil {
		_ = c.conn.Close() // nothing is lost: each answer was read whole
		c.conn = nil
	}
}
