// Package exercise serves the five routes that the exercises fix, to the
// letter. All are GET, so HEAD must have no side effect.
package exercise

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/object"
	"cloudstorage/app/web"
)

// The routes; a file name follows the last three.
const (
	rootPath     = "/"
	ListPath     = "/list_files"
	DeletePath   = "/delete/"
	DownloadPath = "/download/"
	UploadPath   = "/upload/"
)

// greeting names module02 whatever the project is called: clients look for it.
const greeting = "Successfully connected to module02 upload/download API"

// API is what the routes work on.
type API struct {
	Store  object.Store
	Bucket string        // its name, for the messages
	TTL    time.Duration // how long a presigned URL lives
}

// Register adds the routes to s.
func (a API) Register(s *web.Server) {
	s.Get(rootPath, func(c echo.Context) error { return web.Answer(c, greeting, nil) })
	s.Get(ListPath, a.list)
	s.Get(DeletePath+"*", a.delete)
	s.Get(DownloadPath+"*", a.signed(DownloadPath, "downloaded", a.Store.SignGet))
	s.Get(UploadPath+"*", a.signed(UploadPath, "uploaded", a.Store.SignPut))
}

// list answers with every name in the bucket, however many pages it takes.
func (a API) list(c echo.Context) error {
	names := []string{}
	for cursor := ""; ; {
		page, err := a.Store.List(c.Request().Context(), object.ListOptions{Cursor: cursor})
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			names = append(names, string(item.Key))
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	return web.Answer(c, "Successfully listed files on s3 bucket '"+a.Bucket+"'", names)
}

func (a API) delete(c echo.Context) error {
	key, err := web.Key(c.Request(), DeletePath)
	if err != nil {
		return err
	}
	if c.Request().Method == http.MethodGet {
		marker, err := a.Store.Delete(context.WithoutCancel(c.Request().Context()), key) // done or not, it is told
		if err != nil {
			return err
		}
		if marker != "" {
			c.Response().Header().Set("X-Version-Id", marker)
		}
	}
	return web.Answer(c, a.message("deleted", key), nil)
}

// signed answers with a URL that does what done says.
func (a API) signed(prefix, done string, sign func(context.Context, object.Key, time.Duration) (object.Signed, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		key, err := web.Key(c.Request(), prefix)
		if err != nil {
			return err
		}
		signed, err := sign(c.Request().Context(), key, a.TTL)
		if err != nil {
			return err
		}
		c.Response().Header().Set("X-Expires-At", signed.Expires.UTC().Format(time.RFC3339))
		return web.Answer(c, a.message(done, key), signed.URL)
	}
}

func (a API) message(done string, key object.Key) string {
	return "Successfully " + done + " file '" + string(key) + "' on s3 bucket '" + a.Bucket + "'"
}
