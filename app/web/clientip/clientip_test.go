package clientip_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/web"
	"cloudstorage/app/web/clientip"
)

var trusted = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16"), netip.MustParsePrefix("fd00::/8")}

func request(peer string, forwarded ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = peer
	r.Header["X-Forwarded-For"] = forwarded
	return r
}

func TestOnlyTrustedProxiesAreBelieved(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		peer      string
		forwarded []string
		want      string
	}{
		"nobody between":                      {"203.0.113.7:4711", nil, "203.0.113.7"},
		"a client that names somebody":        {"203.0.113.7:4711", []string{"198.51.100.1"}, "203.0.113.7"},
		"a proxy":                             {"10.0.0.1:80", []string{"203.0.113.7"}, "203.0.113.7"},
		"a client that lies to a proxy":       {"10.0.0.1:80", []string{"198.51.100.1, 203.0.113.7"}, "203.0.113.7"},
		"a client that lies in two lines":     {"10.0.0.1:80", []string{"198.51.100.1", "198.51.100.2", "203.0.113.7"}, "203.0.113.7"},
		"a lie that looks like a proxy":       {"10.0.0.1:80", []string{"198.51.100.1, 10.0.0.9, 203.0.113.7"}, "203.0.113.7"},
		"a lie that cannot be read":           {"10.0.0.1:80", []string{"<script>, 203.0.113.7"}, "203.0.113.7"},
		"two proxies":                         {"10.0.0.1:80", []string{"198.51.100.1, 203.0.113.7,\t10.0.0.2"}, "203.0.113.7"},
		"two proxies in two lines":            {"10.0.0.1:80", []string{"203.0.113.7", "10.0.0.2"}, "203.0.113.7"},
		"a proxy that nobody trusts":          {"10.0.0.1:80", []string{"203.0.113.7, 10.1.0.2"}, "10.1.0.2"},
		"a proxy itself":                      {"10.0.0.1:80", nil, "10.0.0.1"},
		"proxies all the way":                 {"10.0.0.1:80", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"an IPv6 client":                      {"10.0.0.1:80", []string{"2001:db8::1"}, "2001:db8::1"},
		"an IPv6 client with a port":          {"10.0.0.1:80", []string{"[2001:db8::1]:4711"}, "2001:db8::1"},
		"an IPv6 client in brackets":          {"10.0.0.1:80", []string{"[2001:db8::1]"}, "2001:db8::1"},
		"an IPv4 client with a port":          {"10.0.0.1:80", []string{"203.0.113.7:4711"}, "203.0.113.7"},
		"an IPv4 client of an IPv6 socket":    {"[::ffff:203.0.113.7]:4711", nil, "203.0.113.7"},
		"an IPv4 proxy of an IPv6 socket":     {"[::ffff:10.0.0.1]:80", []string{"::ffff:203.0.113.7"}, "203.0.113.7"},
		"an IPv6 proxy":                       {"[fd00::1]:80", []string{"203.0.113.7"}, "203.0.113.7"},
		"an IPv6 peer with a zone":            {"[fe80::1%eth0]:80", nil, "fe80::1"},
		"a name":                              {"10.0.0.1:80", []string{"example.org"}, "10.0.0.1"},
		"unknown, as RFC 7239 allows":         {"10.0.0.1:80", []string{"unknown"}, "10.0.0.1"},
		"an empty field":                      {"10.0.0.1:80", []string{""}, "10.0.0.1"},
		"an empty place":                      {"10.0.0.1:80", []string{"203.0.113.7,"}, "10.0.0.1"},
		"IPv4 in brackets":                    {"10.0.0.1:80", []string{"[203.0.113.7]"}, "10.0.0.1"},
		"half a bracket":                      {"10.0.0.1:80", []string{"2001:db8::1]"}, "10.0.0.1"},
		"what cannot be read behind proxies":  {"10.0.0.1:80", []string{"203.0.113.7, x, 10.0.0.2"}, "10.0.0.1"},
		"octets with zeros, which are octal?": {"10.0.0.1:80", []string{"203.0.113.007"}, "10.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := clientip.Find(request(tt.peer, tt.forwarded...), trusted).String(); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestTheClientIsInTheRequestAndInItsLineOfLog(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := web.New(web.Config{Log: slog.New(slog.NewJSONHandler(&log, nil)), Ready: func(context.Context) error { return nil }, DrainTimeout: time.Minute})
	s.Use(clientip.Middleware(trusted))
	var got netip.Addr
	s.Get("/", func(c echo.Context) error {
		got = clientip.Of(c.Request())
		return web.Answer(c, "seen", nil)
	})
	s.ServeHTTP(httptest.NewRecorder(), request("10.0.0.1:80", "203.0.113.7"))
	if got.String() != "203.0.113.7" || !strings.Contains(log.String(), `"client":"203.0.113.7"`) {
		t.Errorf("the handler sees %s, the log says %s", got, &log)
	}
}

func TestWithoutTheMiddlewareTheClientIsThePeer(t *testing.T) {
	t.Parallel()
	if got := clientip.Of(request("10.0.0.1:80", "203.0.113.7")).String(); got != "10.0.0.1" {
		t.Errorf("%s", got)
	}
}

// FuzzXForwardedFor promises that nothing a client writes makes it somebody
// else, and that what is found is a plain address.
func FuzzXForwardedFor(f *testing.F) {
	for _, lie := range []string{"", ",", "10.0.0.9", "198.51.100.1, 10.0.0.9", "[::1]:80", "::ffff:10.0.0.1", "fe80::1%eth0", "unknown", "\t, ,", "[", "1.2.3.4:99999"} {
		f.Add(lie)
	}
	f.Fuzz(func(t *testing.T, lie string) {
		for _, forwarded := range [][]string{{lie + ",203.0.113.7, 10.0.0.2"}, {lie, "203.0.113.7", "10.0.0.2"}} {
			if got := clientip.Find(request("10.0.0.1:80", forwarded...), trusted).String(); got != "203.0.113.7" {
				t.Errorf("%q makes the client %s", forwarded, got)
			}
		}
		if got := clientip.Find(request("203.0.113.7:1", lie), trusted).String(); got != "203.0.113.7" {
			t.Errorf("%q makes the client %s past no proxy", lie, got)
		}
		got := clientip.Find(request("10.0.0.1:80", lie), trusted)
		if !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Errorf("%q gives %s", lie, got)
		}
	})
}
