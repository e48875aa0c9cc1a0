// Package clientip tells who sends a request when a balancer stands between.
package clientip

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/web"
)

// header is what balancers add the address to that they were called from: the
// rightmost is the nearest balancer's word, the leftmost is anybody's.
const header = "X-Forwarded-For"

type contextKey struct{}

// Middleware finds the client's address once, for Of and the log. Where it is
// the peer's both know it already.
func Middleware(trusted []netip.Prefix) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			client := Find(r, trusted)
			if client == peer(r) {
				return next(c)
			}
			c.SetRequest(r.WithContext(context.WithValue(r.Context(), contextKey{}, client)))
			web.Note(c, slog.String("client", client.String()))
			return next(c)
		}
	}
}

// Of returns the client's address: what Middleware found, or else the peer's.
func Of(r *http.Request) netip.Addr {
	if client, ok := r.Context().Value(contextKey{}).(netip.Addr); ok {
		return client
	}
	return peer(r)
}

// Find returns the client's address: the peer's, unless it is a trusted proxy.
// Then X-Forwarded-For is read from the right, and the first address that is not
// a trusted proxy's is the client. Where all are trusted it is the leftmost;
// where one cannot be read, none is believed and it is the peer. The address is
// invalid only where the connection has none.
func Find(r *http.Request, trusted []netip.Prefix) netip.Addr {
	found := peer(r)
	lines := r.Header[header]
	for i := len(lines) - 1; i >= 0; i-- {
		for rest, more := lines[i], true; more; {
			if !among(trusted, found) {
				return found
			}
			hop := rest
			if comma := strings.LastIndexByte(rest, ','); comma >= 0 {
				rest, hop = rest[:comma], rest[comma+1:]
			} else {
				more = false
			}
			if found = parse(strings.Trim(hop, " \t")); !found.IsValid() {
				return peer(r)
			}
		}
	}
	return found
}

// peer is the other end of the connection, whose form net/http gives.
func peer(r *http.Request) netip.Addr {
	p, _ := netip.ParseAddrPort(r.RemoteAddr) // zero where there is no connection
	return plain(p.Addr())
}

// parse reads an address with or without a port, as balancers write both.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
func parse(s string) netip.Addr {
	addr, err := netip.ParseAddr(s)
	if err != nil {
		if strings.HasSuffix(s, "]") {
			s += ":0"
		}
		withPort, _ := netip.ParseAddrPort(s) // zero where it cannot be read
		addr = withPort.Addr()
	}
	return plain(addr)
}

// plain is one form for each client. The zone goes: it names an interface of this
// machine, not a client.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

func among(blocks []netip.Prefix, addr netip.Addr) bool {
	for _, b := range blocks {
		if b.Contains(addr) {
			return true
		}
	}
	return false
}
