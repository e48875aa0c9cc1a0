package client

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

// The limits of a call. No call has a limit as a whole: a file takes as long as
// it takes, while bytes flow.
const (
	dialTimeout   = 10 * time.Second
	tlsTimeout    = 10 * time.Second
	headerTimeout = 60 * time.Second // the load balancer gives up then, too
	idleTimeout   = 30 * time.Second // below the server's 75 s, so that no request meets a connection that is just being closed
	pingAfter     = 15 * time.Second // of silence
	pingTimeout   = 10 * time.Second
	maxIdle       = 64        // connections that are kept for the next of many requests
	bufferBytes   = 128 << 10 // a transfer's buffer: fewer system calls than with the default 4 KB
)

// DefaultStallTimeout is how long a call waits while no byte moves: longer than a
// Wi-Fi needs to come back.
const DefaultStallTimeout = 60 * time.Second

// Client talks to one storage API. It is safe for concurrent use.
//
// A call is repeated for 90 s (WithRetryFor) when the connection fails or stalls,
// or the other side answers 502, 503, 504 or 429 (the storage: any 5xx): long
// enough for a balancer to find out that a machine died. Where nothing has answered
// yet, a connection is tried for 3 s only. The pauses are random, and grow; a
// Retry-After is honoured, and one that is longer than what is left ends it. A
// download goes on after what has been written, if the content is still the same;
// an upload is rewound, and signed anew. A connection that brought 1 KiB of a download
// begins the 90 s anew.
type Client struct {
	base      *url.URL
	api       *http.Client
	storage   *http.Client
	userAgent string
	key       string
	stall     time.Duration
	retryFor  time.Duration
	pace      pace
	now       func() time.Time
	sleep     func(context.Context, time.Duration) error

	heard struct{ api, storage atomic.Bool } // who has answered
}

// Option changes a default of New.
type Option func(*Client)

// WithTransport sends all requests through t, which then brings its own dial,
// TLS and header timeouts.
func WithTransport(t http.RoundTripper) Option {
	return func(c *Client) { c.api.Transport, c.storage.Transport = t, t }
}

// WithStallTimeout sets how long a call waits while no byte moves, in place of
// DefaultStallTimeout.
func WithStallTimeout(d time.Duration) Option {
	return func(c *Client) { c.stall = d }
}

// WithRetryFor sets for how long, from its first failure, a call is repeated, in
// place of DefaultRetryFor; 0 repeats none.
func WithRetryFor(d time.Duration) Option {
	return func(c *Client) { c.retryFor = max(0, d) }
}

// WithUserAgent sets the User-Agent header, in place of "cloudstorage-client".
func WithUserAgent(s string) Option {
	return func(c *Client) { c.userAgent = s }
}

// New returns a client of the API at address, which ParseAddress reads. It does
// not contact it. Close the client when it is no longer needed.
func New(address string, opts ...Option) (*Client, error) {
	base, err := ParseAddress(address)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment, // which leaves out loopback addresses
		DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
		ForceAttemptHTTP2:     true,
		TLSHandshakeTimeout:   tlsTimeout,
		ResponseHeaderTimeout: headerTimeout,
		ExpectContinueTimeout: time.Second,
		IdleConnTimeout:       idleTimeout,
		MaxIdleConnsPerHost:   maxIdle,
		ReadBufferSize:        bufferBytes,
		WriteBufferSize:       bufferBytes,
		// Of HTTP/2 many calls share a connection: one that is dead must not be
		// found out by each of them.
		HTTP2: &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
	}
	c := &Client{
		base: base,
		api:  &http.Client{Transport: transport},
		// A signature holds for one host, so following a redirect cannot work
		// and would show the signature to another host.
		storage: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
		userAgent: "cloudstorage-client",
		stall:     DefaultStallTimeout,
		retryFor:  DefaultRetryFor,
		now:       time.Now,
		sleep:     sleep,
	}
	for _, o := range opts {
		o(c)
	}
	if err := c.checkKey(); err != nil {
		return nil, err
	}
	c.api.CheckRedirect = c.checkRedirect
	return c, nil
}

// Address returns the API's address as it is dialled, like http://127.0.0.1:5000.
func (c *Client) Address() string { return c.base.String() }

// Close closes the idle connections. The client stays usable.
func (c *Client) Close() {
	c.api.CloseIdleConnections()
	c.storage.CloseIdleConnections()
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
