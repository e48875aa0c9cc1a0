package v1

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/auth"
	"cloudstorage/app/link"
	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/object/history"
	"cloudstorage/app/object/upload"
	"cloudstorage/app/seal"
	"cloudstorage/app/web"
	"cloudstorage/app/web/problem"
	"cloudstorage/app/web/route"
)

// Path is where the API is mounted.
const Path = "/v1"

// Store is all that a store can do.
type Store interface {
	object.Store
	file.Store
	history.Store
	upload.Store
}

// API is what the operations work on.
type API struct {
	Store  Store
	Links  *link.Links
	Sealer *seal.Sealer // of cursors and upload ids
	Who    auth.Authenticator
	// Charge charges whoever sends a request for it; its error is the answer. Who
	// is not known is a caller without an id. Nil is any number of requests.
	Charge func(r *http.Request, caller auth.Caller, now time.Time) error

	TTL     time.Duration // how long a URL lives, where the caller does not say
	MaxTTL  time.Duration // how long it may live at most
	MaxLink time.Duration // how long a share link may live at most
	MaxBody int64         // bytes that a PUT through the API takes

	Now   func() time.Time
	Audit *slog.Logger // gets one line for each mutation

	large chan struct{} // a place for each request with large JSON
}

// Register adds the API to s.
func (a *API) Register(s *web.Server) {
	a.large = make(chan struct{}, largeAtOnce)
	t := table(operations())
	s.Mount(web.Area{
		Path: Path,
		Handle: func(c echo.Context) error {
			return a.dispatch(t, c)
		},
		Fail: func(err error, c echo.Context) {
			// A failing write means that the client is gone.
			_ = problem.Write(c.Response(), err, c.Response().Header().Get(requestIDHeader))
		},
		Secret: []string{Path + "/shared/", Path + "/links/"},
	})
}

// dispatch finds the operation, who asks for it, and with what, and lets it
// answer.
func (a *API) dispatch(t table, echoed echo.Context) error {
	r, w := echoed.Request(), echoed.Response()
	if r.Method == http.MethodOptions {
		allow, err := t.methods(r.URL.Path)
		if err != nil {
			return err
		}
		w.Header().Set("Allow", allow)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	op, rest, err := t.find(r.Method, r.URL.Path)
	if err != nil {
		return err
	}
	route.Set(echoed, Path+op.path)
	c := &call{api: a, w: w, r: r, op: op, rest: rest, now: a.Now()}
	err = a.admit(c)
	web.Note(echoed, slog.String("caller", c.caller.ID))
	if err != nil {
		return err
	}
	if c.query, err = parseQuery(r.URL.RawQuery, op.query); err != nil {
		return err
	}
	if err := op.unchecked(c.r); err != nil {
		return err
	}
	return op.handle(c)
}

// admit finds out who sends the request, where the operation asks, and charges
// them for it: guessing keys costs as well.
func (a *API) admit(c *call) error {
	var unknown error
	if !c.op.public {
		if c.caller, unknown = a.Who.Authenticate(c.r.Context(), c.r.Header["Authorization"], c.now); unknown != nil {
			c.caller = auth.Caller{}
		}
	}
	if a.Charge != nil {
		if err := a.Charge(c.r, c.caller, c.now); err != nil {
			return err
		}
	}
	return unknown
}
