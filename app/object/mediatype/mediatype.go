// Package mediatype suggests a file's media type by its name's ending, the same
// on every machine: the standard library's table depends on files of the system.
package mediatype

import (
	"cmp"
	"strings"

	"cloudstorage/app/object"
)

// Unknown is the media type of any bytes.
// Source: https://www.rfc-editor.org/rfc/rfc2046#section-4.5.1
const Unknown = "application/octet-stream"

// suggestions by ending, in lower case: the registered types, and what is in use
// where none is registered.
// Source: https://www.iana.org/assignments/media-types/media-types.xhtml
var suggestions = map[string]string{
	"7z": "application/x-7z-compressed", "bz2": "application/x-bzip2", "gz": "application/gzip", "tar": "application/x-tar",
	"tgz": "application/gzip", "xz": "application/x-xz", "zip": "application/zip", "zst": "application/zstd",

	"csv": "text/csv", "htm": "text/html", "html": "text/html", "css": "text/css", "ics": "text/calendar", "js": "text/javascript",
	"log": "text/plain", "md": "text/markdown", "mjs": "text/javascript", "txt": "text/plain",

	"json": "application/json", "jsonl": "application/x-ndjson", "ndjson": "application/x-ndjson", "parquet": "application/vnd.apache.parquet",
	"sql": "application/sql", "toml": "application/toml", "wasm": "application/wasm", "xml": "application/xml",
	"yaml": "application/yaml", "yml": "application/yaml",

	"doc": "application/msword", "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	"epub": "application/epub+zip", "odp": "application/vnd.oasis.opendocument.presentation",
	"ods": "application/vnd.oasis.opendocument.spreadsheet", "odt": "application/vnd.oasis.opendocument.text",
	"pdf": "application/pdf", "ppt": "application/vnd.ms-powerpoint",
	"pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation", "rtf": "application/rtf",
	"xls": "application/vnd.ms-excel", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",

	"avif": "image/avif", "bmp": "image/bmp", "gif": "image/gif", "heic": "image/heic", "ico": "image/vnd.microsoft.icon",
	"jpeg": "image/jpeg", "jpg": "image/jpeg", "png": "image/png", "svg": "image/svg+xml", "tif": "image/tiff", "tiff": "image/tiff",
	"webp": "image/webp",

	"aac": "audio/aac", "flac": "audio/flac", "m4a": "audio/mp4", "mp3": "audio/mpeg", "oga": "audio/ogg", "ogg": "audio/ogg",
	"opus": "audio/ogg", "wav": "audio/wav",

	"m4v": "video/mp4", "mkv": "video/matroska", "mov": "video/quicktime", "mp4": "video/mp4", "ogv": "video/ogg", "webm": "video/webm",

	"otf": "font/otf", "ttf": "font/ttf", "woff": "font/woff", "woff2": "font/woff2",
}

// Of suggests the media type of a file, "" where its name's ending tells none.
func Of(k object.Key) string {
	name := string(k[strings.LastIndexByte(string(k), '/')+1:])
	dot := strings.LastIndexByte(name, '.')
	if dot < 1 { // a name that begins with its only dot has no ending
		return ""
	}
	return suggestions[strings.ToLower(name[dot+1:])]
}

// OrUnknown is Of, with Unknown where that suggests none.
func OrUnknown(k object.Key) string { return cmp.Or(Of(k), Unknown) }
