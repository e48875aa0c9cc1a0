package browser

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/web"
)

// NavigationOnly guards routes whose GET changes something. A browser may ask for
// them only when its user opens them as a page: not for a page of another site,
// not as part of a page, not by a script, and not ahead of a click that may never
// come. A route is the router's pattern.
func NavigationOnly(routes ...string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if slices.Contains(routes, c.Path()) && !navigation(c.Request()) {
				return &web.Error{Status: http.StatusForbidden, Message: "a browser may open this only as a page of its own, since it changes something: type the address, or use a program such as curl"}
			}
			return next(c)
		}
	}
}

// navigation says whether a request can be what a user asked for by opening a
// page, or comes from no browser at all.
//
// Site is "none" when the user typed the address or took a bookmark, and
// "same-origin" when a page of this server leads here; "same-site" is another
// server. Scripts are refused even from there: the server has no page with one
// that calls these routes.
// Source: https://www.w3.org/TR/fetch-metadata/
func navigation(r *http.Request) bool {
	if ahead(r.Header) {
		return false
	}
	site := r.Header.Get("Sec-Fetch-Site")
	if site == "" {
		// Programs, and browsers that ask over plain HTTP, which they trust with
		// these fields on loopback only. Those may still tell where they come from.
		return sameHost(r, "Origin") && sameHost(r, "Referer")
	}
	return (site == "none" || site == "same-origin") &&
		r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// ahead says whether a browser asks before its user does.
// Sources: https://wicg.github.io/nav-speculation/prefetch.html (Sec-Purpose),
// https://http.dev/purpose (what it was called before).
func ahead(h http.Header) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		for _, value := range h.Values(name) {
			value = strings.ToLower(value)
			if strings.Contains(value, "prefetch") || strings.Contains(value, "prerender") || strings.Contains(value, "preview") {
				return true
			}
		}
	}
	return false
}

// sameHost says whether a field that holds a URL names this server, or is not
// there.
func sameHost(r *http.Request, field string) bool {
	value := r.Header.Get(field)
	if value == "" {
		return true
	}
	u, err := url.Parse(value)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}
