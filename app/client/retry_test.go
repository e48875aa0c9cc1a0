package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

// network answers a client in place of one, in the time of a bubble.
type network func(*http.Request) (*http.Response, error)

func (n network) RoundTrip(r *http.Request) (*http.Response, error) { return n(r) }

func over(t *testing.T, n network, opts ...client.Option) *client.Client {
	t.Helper()
	return newClient(t, "http://api.example.com", append([]client.Option{client.WithTransport(n)}, opts...)...)
}

func answer(status int, header http.Header, body string) (*http.Response, error) {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: status, ProtoMajor: 1, Header: header, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body))}, nil
}

func hello() (*http.Response, error) { return answer(200, nil, `{"status":200,"message":"hello"}`) }

func dialError(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }

// 65 s is the most that health checks take.
func TestAMachinesDeathIsOutlasted(t *testing.T) {
	t.Parallel()
	const foundOut = 65 * time.Second
	for name, dead := range map[string]network{
		"the balancer cannot connect":       func(*http.Request) (*http.Response, error) { return answer(502, nil, "") },
		"the balancer has nobody":           func(*http.Request) (*http.Response, error) { return answer(503, nil, "") },
		"the balancer waits for the answer": func(*http.Request) (*http.Response, error) { time.Sleep(10 * time.Second); return answer(504, nil, "") },
		"connections are reset":             func(*http.Request) (*http.Response, error) { return nil, syscall.ECONNRESET },
		"connections are refused":           func(*http.Request) (*http.Response, error) { return nil, dialError(syscall.ECONNREFUSED) },
		"nothing answers": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, context.Cause(r.Context())
		},
		"the resolver is away": func(*http.Request) (*http.Response, error) {
			return nil, dialError(&net.DNSError{Err: "no such host", Name: "api.example.com", IsNotFound: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				first := true
				c := over(t, func(r *http.Request) (*http.Response, error) {
					if first || time.Since(began) > foundOut {
						first = false
						return hello()
					}
					return dead(r)
				})
				for range 2 {
					if _, err := c.Ping(t.Context()); err != nil {
						t.Fatalf("after %s: %v", time.Since(began), err)
					}
				}
				if took := time.Since(began); took < foundOut || took > 2*foundOut {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

func TestWhereNothingIsThatIsSaidSoon(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{"refused": syscall.ECONNREFUSED, "unreachable": syscall.EHOSTUNREACH,
		"no such host": &net.DNSError{Err: "no such host", Name: "api.example.com", IsNotFound: true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				_, got := over(t, func(*http.Request) (*http.Response, error) { return nil, dialError(err) }).Ping(t.Context())
				if !errors.Is(got, err) || !strings.Contains(got.Error(), "cannot reach the storage API at http://api.example.com") || time.Since(began) > 3*time.Second {
					t.Errorf("%v after %s", got, time.Since(began))
				}
			})
		})
	}
}

func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		opts         []client.Option
		after        string // Retry-After
		least, limit time.Duration
		says         string
	}{
		"the default":             {nil, "", 80 * time.Second, 90 * time.Second, "tried "},
		"as the caller wants":     {[]client.Option{client.WithRetryFor(20 * time.Second)}, "", 14 * time.Second, 20 * time.Second, "tried "},
		"none":                    {[]client.Option{client.WithRetryFor(0)}, "", 0, 0, "503"},
		"more is asked than is":   {nil, "3600", 0, 0, "it asks for a pause of 1h0m0s"},
		"as much is asked as is":  {nil, "40", 80 * time.Second, 81 * time.Second, "it asks for a pause of 40s"},
		"a time by another clock": {nil, "Thu, 01 Jan 1970 00:00:30 GMT", 60 * time.Second, 61 * time.Second, "it asks for a pause of 30s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				_, err := over(t, func(*http.Request) (*http.Response, error) {
					return answer(503, http.Header{"Retry-After": {tt.after}, "Date": {"Thu, 01 Jan 1970 00:00:00 GMT"}}, "")
				}, tt.opts...).Ping(t.Context())
				if took := time.Since(began); took < tt.least || took > tt.limit || err == nil || !strings.Contains(err.Error(), tt.says) || client.Temporary(err) {
					t.Errorf("%v after %s", err, took)
				}
			})
		})
	}
}

func TestNobodyWaitsForAPauseThatWasCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Second, context.Canceled)
		defer cancel()
		began := time.Now()
		_, err := over(t, func(*http.Request) (*http.Response, error) {
			return answer(503, http.Header{"Retry-After": {"60"}}, "")
		}).Ping(ctx)
		if !errors.Is(err, context.Canceled) || time.Since(began) != 10*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

func TestTheClocksNeedNotAgree(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{-24 * time.Hour, -time.Hour, 0, time.Hour, 24 * time.Hour} {
		t.Run(fmt.Sprint(ahead), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				theirs := func() time.Time { return time.Now().Add(-ahead).UTC() }
				c := over(t, func(*http.Request) (*http.Response, error) {
					return answer(200, http.Header{"Date": {theirs().Format(http.TimeFormat)}},
						fmt.Sprintf(`{"url":"http://s3.example.com/x","method":"GET","expires_at":%q}`, theirs().Add(10*time.Minute).Format(time.RFC3339)))
				})
				got, err := c.SignReads(t.Context(), []client.ReadTerms{{Key: "x"}})
				if err != nil || got[0].Err != nil {
					t.Fatal(err, got[0].Err)
				}
				if left := time.Until(got[0].Expires); left != 10*time.Minute {
					t.Errorf("it is taken to live %s", left)
				}
			})
		})
	}
}

func TestASignatureForSomethingElseIsRefused(t *testing.T) {
	t.Parallel()
	c := over(t, func(*http.Request) (*http.Response, error) {
		return answer(200, nil, `{"url":"http://s3.example.com/x","method":"DELETE"}`)
	})
	if _, err := c.SignReads(t.Context(), []client.ReadTerms{{Key: "x"}}); object.CodeOf(err) != object.CodeInternal {
		t.Errorf("%v", err)
	}
}

func TestAListingThatGoesInCirclesEnds(t *testing.T) {
	t.Parallel()
	c := over(t, func(*http.Request) (*http.Response, error) {
		return answer(200, nil, `{"files":[{"key":"a"}],"versions":[{"key":"a"}],"arrived":[{"number":1}],"next_cursor":"again"}`)
	})
	ends := func(err error) bool { return object.CodeOf(err) == object.CodeInternal }
	n := 0
	for _, err := range c.Files(t.Context(), client.FilesOptions{}) {
		if n++; n > 3 || err != nil && !ends(err) {
			t.Fatal(n, err)
		}
	}
	n = 0
	for _, err := range c.Versions(t.Context(), "a") {
		if n++; n > 3 || err != nil && !ends(err) {
			t.Fatal(n, err)
		}
	}
	if _, err := c.Arrived(t.Context(), "id"); !ends(err) {
		t.Errorf("%v", err)
	}
}

func TestAnAnswerBeforeTheContentWasSentIsNoSuccess(t *testing.T) {
	t.Parallel()
	c := over(t, func(r *http.Request) (*http.Response, error) {
		if r.URL.Host == "api.example.com" {
			return answer(200, nil, `{"status":200,"message":"signed","content":"http://s3.example.com/x"}`)
		}
		return answer(200, nil, "welcome to the Wi-Fi of this hotel")
	}, client.WithRetryFor(0))
	if _, err := c.Upload(t.Context(), "x", strings.NewReader("content"), 7, nil); object.CodeOf(err) != object.CodeUnavailable {
		t.Errorf("%v", err)
	}
}
