package v1

import (
	"net/http"
	"net/url"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/object/mediatype"
)

// fileInfo describes a file.
type fileInfo struct {
	Key      object.Key `json:"key" doc:"The file's name, with its slashes."`
	Size     int64      `json:"size" doc:"Bytes."`
	ETag     string     `json:"etag" doc:"Changes with the content; in quotes, as HTTP writes it."`
	Modified time.Time  `json:"modified,omitzero" doc:"When it was written, in UTC; absent in the answer to a PUT."`
	Type     string     `json:"type,omitempty" doc:"Its media type. In a listing it is the one that the name's ending suggests, absent where it suggests none: HEAD tells the file's own."`
	Version  string     `json:"version,omitempty" doc:"The id of this version."`
}

func describe(i object.Info) fileInfo {
	return fileInfo{i.Key, i.Size, i.ETag, i.Modified.UTC(), i.Type, i.Version}
}

// fileList is a page of a listing.
type fileList struct {
	Files    []fileInfo `json:"files" doc:"In the order of their names' bytes."`
	Prefixes []string   `json:"prefixes" doc:"What names were rolled up to, with the delimiter at the end."`
	Next     string     `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent on the last one."`
}

func listOperations() []operation {
	return []operation{{
		id: "listFiles", method: http.MethodGet, path: "/files",
		summary: "List files, a page at a time.",
		about:   "A page may have fewer items than limit asks for: only an absent next_cursor is the end. The Link field (RFC 8288) of the answer has the next page's address.",
		query: []param{
			{name: "prefix", about: "Only files whose name begins with it."},
			{name: "delimiter", about: "Names that have it after the prefix are rolled up to there: / makes folders."},
			{name: "limit", about: "At most this many items; 1,000 where it is not given.", kind: integer, low: 1, high: object.MaxPage},
			{name: "cursor", about: "The next_cursor of the page before."},
		},
		answers: []answer{{status: http.StatusOK, about: "A page.", body: fileList{}, headers: []field{{"Link", "The next page, with rel=\"next\"."}}}},
		handle:  listFiles,
	}}
}

func listFiles(c *call) error {
	prefix, delimiter := c.query.text("prefix"), c.query.text("delimiter")
	if err := c.caller.May(auth.List, prefix); err != nil {
		return err
	}
	cursor, err := c.resume(prefix, delimiter)
	if err != nil {
		return err
	}
	page, err := c.api.Store.List(c.r.Context(), object.ListOptions{
		Prefix: prefix, Delimiter: delimiter, Limit: int(c.query.number("limit")), Cursor: cursor,
	})
	if err != nil {
		return err
	}
	list := fileList{Files: make([]fileInfo, 0, len(page.Items)), Prefixes: append([]string{}, page.Prefixes...)}
	for _, item := range page.Items {
		item.Type = mediatype.Of(item.Key) // S3 lists none
		list.Files = append(list.Files, describe(item))
	}
	if list.Next, err = c.cursor(page.Next, prefix, delimiter); err != nil {
		return err
	}
	c.linkNext(list.Next)
	return c.answer(http.StatusOK, list)
}

// linkNext tells where the next page is, where there is one.
func (c *call) linkNext(cursor string) {
	if cursor == "" {
		return
	}
	values := c.r.URL.Query()
	values.Set("cursor", cursor)
	next := url.URL{Path: c.r.URL.Path, RawQuery: values.Encode()}
	c.w.Header().Add("Link", "<"+next.RequestURI()+`>; rel="next"`)
}
