// Package apidoc tells what the API can do: programs as OpenAPI, people as a page
// that loads nothing from elsewhere and runs no script.
package apidoc

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/web"
	v1 "cloudstorage/app/web/v1"
)

// documentPath is where programs read about the API.
const documentPath = "/openapi.json"

//go:embed docs.html
var page []byte

// Register adds the document and the page to s. Anyone may read them, from any
// origin: they say nothing about what is stored.
func Register(s *web.Server) {
	document := http.Header{"Content-Type": {"application/json"}, "Access-Control-Allow-Origin": {"*"}}
	s.Get(documentPath, serve(v1.Document(), document))
	s.Get(v1.PagePath, serve(page, http.Header{
		"Content-Type": {"text/html; charset=utf-8"},
		"Content-Security-Policy": {"default-src 'none'; style-src 'sha256-" + styleHash(page) +
			"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
		"Referrer-Policy": {"no-referrer"},
	}))
}

// styleHash is what a policy calls the page's one style sheet, so that the
// browser takes this one and no other.
func styleHash(page []byte) string {
	_, style, _ := bytes.Cut(page, []byte("<style>"))
	style, _, _ = bytes.Cut(style, []byte("</style>"))
	sum := sha256.Sum256(style)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// serve answers with content that stays the same as long as the server runs.
func serve(content []byte, header http.Header) echo.HandlerFunc {
	sum := sha256.Sum256(content)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	return func(c echo.Context) error {
		h := c.Response().Header()
		for name, values := range header {
			h[name] = values
		}
		h.Set("ETag", tag)
		h.Set("Cache-Control", "no-cache") // ask whether it is still that of this server
		h.Set("X-Content-Type-Options", "nosniff")
		http.ServeContent(c.Response(), c.Request(), "", time.Time{}, bytes.NewReader(content))
		return nil
	}
}
