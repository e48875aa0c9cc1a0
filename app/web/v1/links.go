package v1

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/link"
	"cloudstorage/app/object"
	"cloudstorage/app/web/problem"
)

const (
	// defaultLink is how long a share link lives where nobody says.
	defaultLink = 7 * 24 * time.Hour
	// sharedTTL is how long the URL lives that a share link leads to: a client
	// follows at once, and a link that was revoked should not live on in it.
	sharedTTL = time.Minute
)

// linkRequest says what to share.
type linkRequest struct {
	Key       string `json:"key" doc:"The file."`
	Version   string `json:"version,omitempty" doc:"This version for ever; where it is not given, the newest whenever the link is used."`
	ExpiresIn int64  `json:"expires_in,omitempty" doc:"Seconds that the link lives; 7 days where it is not given, or as long as this server lets it."`
}

// shareLink is a link that was made.
type shareLink struct {
	ID      string     `json:"id" doc:"Names the link in the audit. It opens nothing."`
	Key     object.Key `json:"key" doc:"The file."`
	Version string     `json:"version,omitempty" doc:"The version that it is bound to."`
	URL     string     `json:"url" doc:"The link, as a path of this server: put the address in front that others know it by."`
	Token   string     `json:"token" doc:"The last segment of the path, which also revokes the link. Whoever has it can read the file, so keep it out of logs."`
	Expires time.Time  `json:"expires_at" doc:"When it ends, in UTC."`
}

func linkOperations() []operation {
	return []operation{{
		id: "createLink", method: http.MethodPost, path: "/links",
		summary: "Make a link by which anyone can read one file.",
		about:   "It needs the verb read. A link lives longer than a presigned URL may, and can be revoked.",
		body:    linkRequest{},
		answers: []answer{{status: http.StatusCreated, about: "The link.", body: shareLink{}, headers: []field{{"Location", "The link."}}}},
		errors:  []problem.Kind{problem.NotFound},
		handle:  createLink,
	}, {
		id: "revokeLink", method: http.MethodDelete, path: "/links/{token}",
		summary: "Revoke a share link, at once, on every server.",
		about: "Whoever made it may, and whoever has the verb delete on its file. A link that has ended is no error. What was being downloaded goes on. " +
			"The token is needed, since the servers keep no list of links: it says which link it is and when it ends.",
		answers: []answer{{status: http.StatusNoContent, about: "It has ended."}},
		errors:  []problem.Kind{problem.NotFound},
		handle:  revokeLink,
	}, {
		id: "openLink", method: http.MethodGet, path: "/shared/{token}",
		summary: "Read a file by a share link.",
		about:   "It needs no key. It leads to a URL of the storage that lives a minute, so ask again rather than keep that.",
		public:  true,
		query:   []param{{name: "inline", about: "1 lets a browser show the file, where its type can run no script; any other is saved, as is every file without this.", kind: flag}},
		answers: []answer{{status: http.StatusFound, about: "The file is there.", headers: []field{{"Location", "The file, at the storage."}}}},
		errors:  []problem.Kind{problem.NotFound, problem.LinkEnded},
		handle:  openLink,
	}}
}

func createLink(c *call) error {
	var asked linkRequest
	if err := c.decode(&asked); err != nil {
		return err
	}
	k, err := c.named("key", asked.Key, auth.Read)
	if err != nil {
		return err
	}
	ttl := min(defaultLink, c.api.MaxLink)
	if asked.ExpiresIn != 0 {
		limit := int64(c.api.MaxLink / time.Second)
		if asked.ExpiresIn < 1 || asked.ExpiresIn > limit {
			return wrong("expires_in", fmt.Sprintf("%d: ask for 1 to %d seconds", asked.ExpiresIn, limit))
		}
		ttl = time.Duration(asked.ExpiresIn) * time.Second
	}
	// A link to a mistyped name would fail where nobody can mend it.
	if _, err := c.api.Store.Stat(c.r.Context(), k, asked.Version); err != nil {
		return err
	}
	l, token, err := c.api.Links.Make(link.Link{Key: k, Version: asked.Version, Expires: c.now.Add(ttl), By: c.caller.ID}, c.now)
	if err != nil {
		return err
	}
	c.audit("link.create", k, l.Version, slog.String("link", l.ID.String()), slog.Time("expires", l.Expires))
	address := Path + "/shared/" + token
	c.w.Header().Set("Location", address)
	return c.answer(http.StatusCreated, shareLink{l.ID.String(), k, l.Version, address, token, l.Expires})
}

func revokeLink(c *call) error {
	l, err := c.api.Links.Read(c.rest)
	if err != nil {
		return err
	}
	if l.By != c.caller.ID {
		if err := c.caller.May(auth.Delete, string(l.Key)); err != nil {
			return err
		}
	}
	if err := c.api.Links.Revoke(c.lasting(), l, c.caller.ID, c.now); err != nil {
		return err
	}
	c.audit("link.revoke", l.Key, l.Version, slog.String("link", l.ID.String()))
	return c.empty(http.StatusNoContent)
}

func openLink(c *call) error {
	l, err := c.api.Links.Open(c.r.Context(), c.rest, c.now)
	if err != nil {
		return err
	}
	info, err := c.api.Store.Stat(c.r.Context(), l.Key, l.Version)
	if err != nil {
		return err
	}
	ttl := min(sharedTTL, c.api.TTL, max(l.Expires.Sub(c.now).Truncate(time.Second), time.Second))
	signed, err := c.api.Store.SignRead(c.r.Context(), l.Key, ttl, c.readOptions(info, l.Version))
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", signed.URL)
	return c.empty(http.StatusFound)
}
