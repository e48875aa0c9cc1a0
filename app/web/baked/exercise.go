package baked

import (
	"context"
	"net/http"
	"strings"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/settings"
	"cloudstorage/app/settings/apisettings"
	"cloudstorage/app/web/problem"
)

// body is what the exercise's routes answer.
type body struct {
	Status  int    `json:"status"`
	Message string `json:"message"`
	Content any    `json:"content,omitempty"`
}

func (c *call) message(text string, content any) error {
	return c.answer(http.StatusOK, typeJSON, body{http.StatusOK, text, content})
}

// exercise answers the routes that the exercises fix, and the probes.
func (c *call) exercise() error {
	_, path, _ := strings.Cut(c.r.URL.Path, "/")
	route, name, named := strings.Cut(path, "/")
	verb := map[string]auth.Verb{"list_files": auth.List, "download": auth.Read, "upload": auth.Write, "delete": auth.Delete}[route]
	public := map[string]bool{"/": true, settings.HealthPath: true, settings.ReadyPath: true}[c.r.URL.Path]
	changes := verb == auth.Write || verb == auth.Delete
	switch {
	case named != (changes || verb == auth.Read) || !public && verb == "", !public && c.Routes == apisettings.NoRoutes, changes && c.Routes == apisettings.ReadRoutes:
		return problem.New(problem.NoSuchRoute, "no such route")
	case c.r.Method != http.MethodGet && c.r.Method != http.MethodHead:
		return &problem.Error{Kind: problem.MethodNotAllowed, Detail: "method not allowed: use GET", Header: http.Header{"Allow": {"GET, HEAD"}}}
	case path == "":
		return c.message("Successfully connected to module02 upload/download API", nil)
	case c.r.URL.Path == settings.ReadyPath:
		return c.ready()
	case public:
		return c.message("alive", nil)
	}
	if err := c.authenticate(); err != nil {
		return err
	}
	if verb == auth.List {
		return c.listAll()
	}
	key, err := c.key(name, verb)
	if err != nil {
		return err
	}
	done := map[auth.Verb]string{auth.Read: "downloaded", auth.Write: "uploaded", auth.Delete: "deleted"}[verb]
	text := "Successfully " + done + " file '" + string(key) + "' on s3 bucket '" + c.Bucket + "'"
	head := c.r.Method == http.MethodHead // which changes nothing
	if verb == auth.Delete {
		if !head {
			_, err = c.remove(key)
		}
		if err != nil {
			return err
		}
		return c.message(text, nil)
	}
	sign := c.Store.SignGet
	if verb == auth.Write {
		sign = c.Store.SignPut
	}
	signed, err := sign(c.r.Context(), key, c.TTL)
	if err != nil {
		return err
	}
	if verb == auth.Write && !head {
		c.changed("file.sign-put", key, "")
	}
	c.set("X-Expires-At", signed.Expires.UTC().Format(time.RFC3339))
	return c.message(text, signed.URL)
}

// listAll answers with every name in the bucket, however many pages it takes.
func (c *call) listAll() error {
	if err := c.caller.May(auth.List, ""); err != nil {
		return err
	}
	names := []string{}
	for o := (object.ListOptions{}); ; {
		page, err := c.Store.List(c.r.Context(), o)
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			names = append(names, string(item.Key))
		}
		if o.Cursor = page.Next; o.Cursor == "" {
			return c.message("Successfully listed files on s3 bucket '"+c.Bucket+"'", names)
		}
	}
}

// authenticate finds who sends the request.
func (c *call) authenticate() error {
	if c.Keys == nil {
		c.caller = auth.Anyone()
		return nil
	}
	// Two fields are no token once they are joined: which of them did the proxy in
	// front believe?
	token, err := auth.Bearer(strings.Join(c.r.Header["Authorization"], ","))
	if err == nil {
		c.caller, err = c.Keys().Authenticate(token, time.Now())
	}
	return err
}

// key is the key called name, if the caller may do v to it.
func (c *call) key(name string, v auth.Verb) (object.Key, error) {
	k, err := object.ParseKey(name)
	if err != nil {
		return "", err
	}
	return k, c.caller.May(v, name)
}

// changed writes what was changed: who, what, to which version.
func (c *call) changed(did string, k object.Key, version string) {
	c.Log.Info("audit", "who", c.caller.ID, "did", did, "key", k, "version", version, "request_id", c.w.Header().Get("X-Request-Id"))
}

// remove deletes a file, and tells the version that is its deletion.
func (c *call) remove(k object.Key) (marker string, err error) {
	marker, err = c.Store.Delete(context.WithoutCancel(c.r.Context()), k) // done or not, it is told
	if err == nil {
		c.changed("file.delete", k, marker)
		c.set("X-Version-Id", marker)
	}
	return marker, err
}
