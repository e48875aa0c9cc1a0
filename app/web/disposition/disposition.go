// Package disposition decides how a browser treats a file that somebody else
// stored: it is saved under its name, or shown where that can hurt nobody.
package disposition

import (
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"cloudstorage/app/object"
)

// maxName is the longest name, in bytes, that common file systems take.
// Source: https://docs.kernel.org/filesystems/ext4/directory.html
const maxName = 255

// shown are the media types that a browser may show. None of them can run a
// script, and a browser that distrusts the type never takes one of them for one
// that can. HTML, XML and SVG run scripts; so may PDF, as a document's own or by
// a fault of the viewer (CVE-2024-4367).
// Source: https://mimesniff.spec.whatwg.org/#sniffing-a-mislabeled-binary-resource
// Source: https://nvd.nist.gov/vuln/detail/CVE-2024-4367
var shown = []string{
	"audio/aac", "audio/flac", "audio/mp4", "audio/mpeg", "audio/ogg", "audio/wav", "audio/webm",
	"image/avif", "image/bmp", "image/gif", "image/jpeg", "image/png", "image/webp",
	"text/plain",
	"video/mp4", "video/ogg", "video/webm",
}

// MayShow says whether a browser may show a file with that Content-Type.
func MayShow(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && slices.Contains(shown, media)
}

// Of returns the field Content-Disposition for a file; show asks to show it, and
// MayShow says whether it is.
// Source: https://www.rfc-editor.org/rfc/rfc6266
func Of(k object.Key, contentType string, show bool) string {
	kind := "attachment"
	if show && MayShow(contentType) {
		kind = "inline"
	}
	name := fileName(k)
	plain := strings.Map(plainRune, name)
	field := kind + `; filename="` + plain + `"`
	if plain != name {
		field += "; filename*=UTF-8''" + escape(name)
	}
	return field
}

// fileName is the last segment of the key that has a name in it.
func fileName(k object.Key) string {
	name := strings.TrimRight(string(k), "/")
	name = name[strings.LastIndexByte(name, '/')+1:]
	if name == "" {
		return "download"
	}
	return shorten(strings.Map(visible, name))
}

// visible replaces the marks that turn the order of what follows around: with
// them, a program can look like a picture.
// Source: https://attack.mitre.org/techniques/T1036/002/
func visible(r rune) rune {
	if r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
		return '_'
	}
	return r
}

// shorten cuts a name that no file system takes, before its ending.
func shorten(name string) string {
	if len(name) <= maxName {
		return name
	}
	ending := ""
	if i := strings.LastIndexByte(name, '.'); i > 0 && len(name)-i <= 16 {
		name, ending = name[:i], name[i:]
	}
	cut := maxName - len(ending)
	for !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut] + ending
}

// plainRune keeps what every client takes as it is in filename: some unescape %,
// and some read \ their own way.
// Source: https://www.rfc-editor.org/rfc/rfc6266#appendix-D
func plainRune(r rune) rune {
	if r < ' ' || r > '~' || r == '"' || r == '\\' || r == '%' {
		return '_'
	}
	return r
}

// escape percent-encodes all but what RFC 8187 calls attr-char.
// Source: https://www.rfc-editor.org/rfc/rfc8187#section-3.2.1
func escape(s string) string {
	const hex = "0123456789ABCDEF"
	to := make([]byte, 0, 3*len(s))
	for _, c := range []byte(s) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("!#$&+-.^_`|~", c) >= 0 {
			to = append(to, c)
		} else {
			to = append(to, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(to)
}
