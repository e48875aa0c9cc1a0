package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"

	"cloudstorage/app/object"
)

// Version is one state that a file was in.
type Version struct {
	object.Info
	Newest  bool // it is what is there now
	Deleted bool // it is a deletion: from then on the file was not there
}

// Versions lists a file's versions and deletions, the newest first, a page at a
// time. An error ends it.
func (c *Client) Versions(ctx context.Context, key object.Key) iter.Seq2[Version, error] {
	return func(yield func(Version, error) bool) {
		if _, err := parseKey(key); err != nil {
			yield(Version{}, err)
			return
		}
		query := url.Values{}
		for {
			var page struct {
				Versions []struct {
					fileJSON
					Newest  bool `json:"newest"`
					Deleted bool `json:"deleted"`
				} `json:"versions"`
				Next string `json:"next_cursor"`
			}
			_, body, err := c.v1(ctx, v1Call{method: http.MethodGet, route: "/v1/versions/", rest: string(key), query: query})
			if err == nil {
				err = c.decode(body, &page)
			}
			if err != nil {
				yield(Version{}, needsV1("list versions", err))
				return
			}
			for _, v := range page.Versions {
				if !yield(Version{v.info(), v.Newest, v.Deleted}, nil) {
					return
				}
			}
			switch page.Next {
			case "":
				return
			case query.Get("cursor"): // for ever
				yield(Version{}, c.stranger(http.StatusOK))
				return
			}
			query.Set("cursor", page.Next)
		}
	}
}

// Restore makes an old version of a file the newest, by copying it, and
// describes the new version. What is there now stays a version.
func (c *Client) Restore(ctx context.Context, key object.Key, version string) (object.Info, error) {
	return c.restore(ctx, key, url.Values{"version": {version}})
}

// UndoVersion brings back the content before a version, which must be the newest
// one: the overwrite or the deletion that is to be undone.
func (c *Client) UndoVersion(ctx context.Context, key object.Key, version string) (object.Info, error) {
	return c.restore(ctx, key, url.Values{"before": {version}})
}

func (c *Client) restore(ctx context.Context, key object.Key, query url.Values) (object.Info, error) {
	if _, err := parseKey(key); err != nil {
		return object.Info{}, err
	}
	_, body, err := c.v1(ctx, v1Call{method: http.MethodPost, route: "/v1/versions/", rest: string(key), query: query, once: true})
	if err != nil {
		return object.Info{}, needsV1("restore '"+string(key)+"'", err)
	}
	var f fileJSON
	if err := c.decode(body, &f); err != nil {
		return object.Info{}, err
	}
	return f.info(), nil
}
