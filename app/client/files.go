package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"cloudstorage/app/object"
)

// FilesOptions selects what Files lists. The zero value lists everything.
type FilesOptions struct {
	Prefix    string // only names that begin with it
	Delimiter string // names that have it after the prefix are rolled up to there: / makes folders
	PageSize  int    // names that one request asks for, 1 to 1,000; 0 is 1,000
}

// Entry is a file, or what names were rolled up to. Of the latter only Key is
// set: "photos/".
type Entry struct {
	object.Info
	IsPrefix bool
}

// fileJSON is a file as the API describes it.
type fileJSON struct {
	Key      string    `json:"key"`
	Size     int64     `json:"size"`
	ETag     string    `json:"etag"`
	Modified time.Time `json:"modified"`
	Type     string    `json:"type"`
	Version  string    `json:"version"`
}

func (f fileJSON) info() object.Info {
	return object.Info{Key: object.Key(f.Key), Size: f.Size, ETag: f.ETag, Modified: f.Modified, Type: f.Type, Version: f.Version}
}

// Files lists files in the order of their names' bytes, a page at a time, while
// the loop asks for more. An error ends it. Type is what a name's ending
// suggests; Stat tells the file's own.
//
// A server without /v1 is asked for all names at once and tells nothing else:
// Size is UnknownSize then.
func (c *Client) Files(ctx context.Context, o FilesOptions) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		query := url.Values{}
		set := func(name, value string) {
			if value != "" {
				query.Set(name, value)
			}
		}
		set("prefix", o.Prefix)
		set("delimiter", o.Delimiter)
		if o.PageSize != 0 {
			set("limit", strconv.Itoa(o.PageSize))
		}
		for {
			var page struct {
				Files    []fileJSON `json:"files"`
				Prefixes []string   `json:"prefixes"`
				Next     string     `json:"next_cursor"`
			}
			_, body, err := c.v1(ctx, v1Call{method: http.MethodGet, route: "/v1/files", query: query})
			if errors.Is(err, ErrOlderServer) && !query.Has("cursor") {
				c.olderFiles(ctx, o, yield)
				return
			}
			if err == nil {
				err = c.decode(body, &page)
			}
			if err == nil && page.Files == nil { // it is no list, and least of all an empty one
				err = c.stranger(http.StatusOK)
			}
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for len(page.Files)+len(page.Prefixes) > 0 {
				var e Entry
				if len(page.Prefixes) == 0 || len(page.Files) > 0 && page.Files[0].Key < page.Prefixes[0] {
					e.Info, page.Files = page.Files[0].info(), page.Files[1:]
				} else {
					e.Key, e.IsPrefix, page.Prefixes = object.Key(page.Prefixes[0]), true, page.Prefixes[1:]
				}
				if !yield(e, nil) {
					return
				}
			}
			switch page.Next {
			case "":
				return
			case query.Get("cursor"): // for ever
				yield(Entry{}, c.stranger(http.StatusOK))
				return
			}
			query.Set("cursor", page.Next)
		}
	}
}

// olderFiles selects from what a server without /v1 lists.
func (c *Client) olderFiles(ctx context.Context, o FilesOptions, yield func(Entry, error) bool) {
	files, err := c.List(ctx)
	if err != nil {
		yield(Entry{}, err)
		return
	}
	last := ""
	for _, f := range files {
		rest, found := strings.CutPrefix(string(f.Key), o.Prefix)
		if !found {
			continue
		}
		e := Entry{Info: f}
		if before, _, found := strings.Cut(rest, o.Delimiter); found && o.Delimiter != "" {
			folder := o.Prefix + before + o.Delimiter
			if folder == last {
				continue
			}
			last = folder
			e = Entry{Info: object.Info{Key: object.Key(folder)}, IsPrefix: true}
		}
		if !yield(e, nil) {
			return
		}
	}
}

// Stat describes a file, or one version of it; "" is the newest.
func (c *Client) Stat(ctx context.Context, key object.Key, version string) (object.Info, error) {
	if _, err := parseKey(key); err != nil {
		return object.Info{}, err
	}
	query := url.Values{}
	if version != "" {
		query.Set("version", version)
	}
	header, _, err := c.v1(ctx, v1Call{method: http.MethodHead, route: "/v1/files/", rest: string(key), query: query})
	if refused := (*Problem)(nil); errors.As(err, &refused) && refused.Status < 500 {
		// An answer to HEAD has no body: the same GET says why.
		if _, _, why := c.v1(ctx, v1Call{method: http.MethodGet, route: "/v1/files/", rest: string(key), query: query}); why != nil {
			err = why
		}
	}
	if err != nil {
		return object.Info{}, err
	}
	size, err := strconv.ParseInt(header.Get("Content-Length"), 10, 64)
	modified, notTime := http.ParseTime(header.Get("Last-Modified"))
	if err != nil || notTime != nil {
		return object.Info{}, c.stranger(http.StatusOK)
	}
	return object.Info{Key: key, Size: size, ETag: header.Get("ETag"), Modified: modified, Type: header.Get("Content-Type"), Version: header.Get("X-Version-Id"), SHA256: header.Get("X-Checksum-Sha256")}, nil
}

// needsV1 explains what an older server cannot do.
func needsV1(doing string, err error) error {
	if !errors.Is(err, ErrOlderServer) {
		return err
	}
	return &Error{Code: object.CodeInvalid, Peer: API, Err: ErrOlderServer,
		Message: fmt.Sprintf("cannot %s: this server knows the exercise's five routes only, or /v1/files beside them", doing)}
}
