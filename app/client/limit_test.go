package client_test

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

// storage keeps nothing and gives zeros.
func storage(size int) network {
	return func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodPut {
			_, err := io.Copy(io.Discard, r.Body)
			if err != nil {
				return nil, err
			}
			return answer(200, nil, "")
		}
		return answer(200, http.Header{"Etag": {`"x"`}}, string(make([]byte, size)))
	}
}

func TestALimitHoldsForAllConnectionsTogether(t *testing.T) {
	t.Parallel()
	const size, count, limit = 500_000, 4, 100_000
	for name, move := range map[string]func(*testing.T, *client.Client) error{
		"up": func(t *testing.T, c *client.Client) error {
			_, err := c.Send(t.Context(), object.Signed{Method: "PUT", URL: "http://s3.example.com/x"}, "x", bytes.NewReader(make([]byte, size)), size, nil)
			return err
		},
		"down": func(t *testing.T, c *client.Client) error {
			content, err := c.Open(t.Context(), object.Signed{Method: "GET", URL: "http://s3.example.com/x"}, "x", client.Want{})
			if err != nil {
				return err
			}
			defer content.Close()
			_, err = io.Copy(io.Discard, content)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := over(t, storage(size), client.WithLimitRate(limit))
				began := time.Now()
				var all sync.WaitGroup
				for range count {
					all.Go(func() {
						if err := move(t, c); err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
				// The first chunk is free.
				if took := time.Since(began); took < 19500*time.Millisecond || took > 20*time.Second {
					t.Errorf("%d × %d bytes at %d a second took %s", count, size, limit, took)
				}
			})
		})
	}
}

// At the least rate a chunk takes longer than a stall may.
func TestALimitIsNoStall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := over(t, storage(0), client.WithLimitRate(10))
		began := time.Now()
		_, err := c.Send(t.Context(), object.Signed{Method: "PUT", URL: "http://s3.example.com/x"}, "x", bytes.NewReader(make([]byte, 5000)), 5000, nil)
		if took := time.Since(began); err != nil || took < 6*time.Minute {
			t.Errorf("%v after %s", err, took)
		}
	})
}

// slow writes, and reads, as slowly as somebody who turns pages.
type slow struct{ bytes.Buffer }

func (s *slow) Write(p []byte) (int, error) { time.Sleep(10 * time.Minute); return s.Buffer.Write(p) }

func TestAReaderThatTakesItsTimeIsNoStall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := storage(1_000_000)
		c := over(t, func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == "api.example.com" {
				return answer(200, nil, `{"status":200,"message":"signed","content":"http://s3.example.com/x"}`)
			}
			return s(r)
		})
		var got slow
		if _, err := c.Download(t.Context(), "x", &got, nil); err != nil || got.Len() != 1_000_000 {
			t.Errorf("%d bytes, %v", got.Len(), err)
		}
	})
}

// trickle gives a byte a second.
type trickle struct{}

func (trickle) Read([]byte) (int, error) { time.Sleep(time.Second); return 1, nil }
func (trickle) Close() error             { return nil }

func TestATrickleIsAStall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := over(t, func(r *http.Request) (*http.Response, error) {
			body := &until{trickle{}, r}
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Etag": {`"x"`}}, ContentLength: 1 << 20, Body: body}, nil
		})
		content, err := c.Open(t.Context(), object.Signed{Method: "GET", URL: "http://s3.example.com/x"}, "x", client.Want{})
		if err != nil {
			t.Fatal(err)
		}
		defer content.Close()
		began := time.Now()
		for err == nil {
			_, err = content.Read(make([]byte, 100))
			content.Rest()
		}
		if took := time.Since(began); !client.Temporary(err) || took < time.Minute || took > 70*time.Second {
			t.Errorf("%v after %s", err, took)
		}
	})
}

// until reads while a request lasts.
type until struct {
	io.ReadCloser
	r *http.Request
}

func (u *until) Read(p []byte) (int, error) {
	if err := u.r.Context().Err(); err != nil {
		return 0, err
	}
	return u.ReadCloser.Read(p)
}
