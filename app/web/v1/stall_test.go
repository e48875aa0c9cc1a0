package v1_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/web"
	v1 "cloudstorage/app/web/v1"
)

// stalling is a store that pauses, for longer than anyone waits or not.
type stalling struct {
	v1.Store
	pause time.Duration
}

func (s stalling) wait(ctx context.Context) error {
	select {
	case <-time.After(s.pause):
		return nil
	case <-ctx.Done():
		return &object.Error{Code: object.CodeUnavailable, Op: "test", Message: "the storage does not answer", Err: ctx.Err()}
	}
}

func (s stalling) Stat(_ context.Context, k object.Key, _ string) (object.Info, error) {
	return object.Info{Key: k, Size: 8, ETag: `"x"`}, nil
}

func (s stalling) Get(ctx context.Context, k object.Key, _ file.GetOptions) (*file.Content, error) {
	return &file.Content{Info: object.Info{Key: k, Size: 8, ETag: `"x"`}, Length: 8,
		ReadCloser: io.NopCloser(io.MultiReader(strings.NewReader("half"), s.pausing(ctx, "half")))}, nil
}

func (s stalling) Put(ctx context.Context, k object.Key, content io.Reader, o file.PutOptions) (object.Info, error) {
	if _, err := io.CopyN(io.Discard, content, o.Size/2); err != nil {
		return object.Info{}, err
	}
	if err := s.wait(ctx); err != nil {
		return object.Info{}, err
	}
	_, err := io.Copy(io.Discard, content)
	return object.Info{Key: k, Size: o.Size, ETag: `"x"`}, errors.Join(err, s.wait(ctx))
}

// pausing returns a reader of text that comes after the pause.
func (s stalling) pausing(ctx context.Context, text string) io.Reader {
	return readFunc(func(p []byte) (int, error) {
		if text == "" {
			return 0, io.EOF
		}
		if err := s.wait(ctx); err != nil {
			return 0, err
		}
		n := copy(p, text)
		text = text[n:]
		return n, nil
	})
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func TestAStoreThatStallsIsGivenUpAndASlowOneIsNot(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		pause     time.Duration
		get       string
		putStatus int
	}{
		"it stalls":  {time.Hour, "half", http.StatusServiceUnavailable},
		"it is slow": {20 * time.Second, "halfhalf", http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				token := auth.NewToken()
				server := web.New(web.Config{Log: slog.New(slog.DiscardHandler)})
				(&v1.API{Store: stalling{pause: tt.pause}, Who: keys(t, key("root", token, "")), MaxBody: 100, Now: time.Now, Audit: slog.New(slog.DiscardHandler)}).Register(server)
				do := func(method, target string, body io.Reader) *httptest.ResponseRecorder {
					r := httptest.NewRequestWithContext(t.Context(), method, target, body)
					r.Header.Set("Authorization", "Bearer "+token)
					if body != nil {
						r.ContentLength = 8
						r.Header.Set("Content-Length", "8")
					}
					w := httptest.NewRecorder()
					server.ServeHTTP(w, r)
					return w
				}
				if got := do(http.MethodGet, "/v1/files/a?stream=1", nil).Body.String(); got != tt.get {
					t.Errorf("GET: %q, want %q", got, tt.get)
				}
				// The caller's own slowness is not the store's.
				slow := stalling{pause: 10 * time.Minute}
				body := io.MultiReader(slow.pausing(t.Context(), "half"), slow.pausing(t.Context(), "half"))
				if got := do(http.MethodPut, "/v1/files/a", body); got.Code != tt.putStatus {
					t.Errorf("PUT: %d %s, want %d", got.Code, got.Body, tt.putStatus)
				}
			})
		})
	}
}
