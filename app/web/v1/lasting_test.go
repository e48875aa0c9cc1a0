package v1_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/object/history"
	"cloudstorage/app/object/upload"
	v1 "cloudstorage/app/web/v1"
)

// left is a store whose caller goes as soon as it is asked to change something.
type left struct {
	v1.Store
	leave context.CancelFunc
}

func (s *left) Put(ctx context.Context, k object.Key, body io.Reader, o file.PutOptions) (object.Info, error) {
	s.leave()
	return s.Store.Put(ctx, k, body, o)
}

func (s *left) Copy(ctx context.Context, from, to object.Key, o history.CopyOptions) (object.Info, error) {
	s.leave()
	return s.Store.Copy(ctx, from, to, o)
}

func (s *left) Delete(ctx context.Context, k object.Key) (string, error) {
	s.leave()
	return s.Store.Delete(ctx, k)
}

func (s *left) DeleteMany(ctx context.Context, keys []object.Key) ([]history.Deletion, error) {
	s.leave()
	return s.Store.DeleteMany(ctx, keys)
}

func (s *left) Create(ctx context.Context, k object.Key, o upload.Options) (upload.Upload, error) {
	s.leave()
	return s.Store.Create(ctx, k, o)
}

func (s *left) Complete(ctx context.Context, u upload.Upload, parts []upload.Part, o upload.CompleteOptions) (object.Info, error) {
	s.leave()
	return s.Store.Complete(ctx, u, parts, o)
}

func (s *left) Abort(ctx context.Context, u upload.Upload) error {
	s.leave()
	return s.Store.Abort(ctx, u)
}

func TestWhatWasBegunIsFinishedAndAuditedThoughItsCallerHasGone(t *testing.T) {
	t.Parallel()
	store := &left{leave: func() {}}
	s := start(t, func(a *v1.API) { store.Store, a.Store = a.Store, store })
	old := s.put("versioned", "old")
	s.put("versioned", "new")
	for _, k := range []string{"from", "moved", "deleted", "many"} {
		s.put(k, "x")
	}
	_, whole := s.begin(asked{"key": "uploaded", "size": 1})
	s.sendPart(whole, 1, "x")
	_, dropped := s.begin(asked{"key": "dropped"})
	for _, tt := range []struct{ method, target, body, audited string }{
		{http.MethodPut, "/v1/files/put", "x", `"did":"file.put","key":"put"`},
		{http.MethodPost, "/v1/copies", `{"from":"from","to":"copy"}`, `"did":"file.copy","key":"copy"`},
		{http.MethodPost, "/v1/moves", `{"from":"moved","to":"to"}`, `"did":"file.move","key":"moved"`},
		{http.MethodPost, "/v1/versions/versioned?version=" + old.Version, "", `"did":"version.restore","key":"versioned"`},
		{http.MethodDelete, "/v1/files/deleted", "", `"did":"file.delete","key":"deleted"`},
		{http.MethodPost, "/v1/batch/delete", `{"keys":["many"]}`, `"did":"file.delete","key":"many"`},
		{http.MethodPost, "/v1/uploads", `{"key":"begun"}`, `"did":"upload.create","key":"begun"`},
		{http.MethodPost, whole + "/complete", `{}`, `"did":"upload.complete","key":"uploaded"`},
		{http.MethodDelete, dropped, "", `"did":"upload.abort","key":"dropped"`},
	} {
		ctx, leave := context.WithCancel(t.Context())
		t.Cleanup(leave)
		store.leave = leave
		r := s.request(tt.method, tt.target, tt.body).WithContext(ctx)
		r.RequestURI = tt.target
		if tt.method == http.MethodPut {
			r.Header.Set("Content-Length", "1") // as net/http's server has it
		}
		s.Handler.ServeHTTP(httptest.NewRecorder(), r)
		if ctx.Err() == nil {
			t.Errorf("%s %s: nobody has gone", tt.method, tt.target)
		}
		if !strings.Contains(s.Audit.String(), tt.audited) {
			t.Errorf("%s %s: no %s in the audit: %s", tt.method, tt.target, tt.audited, s.Log)
		}
	}
	for k, there := range map[object.Key]bool{"put": true, "copy": true, "moved": false, "to": true, "deleted": false, "many": false, "uploaded": true} {
		if _, err := s.Store.Stat(t.Context(), k, ""); (err == nil) != there {
			t.Errorf("%s: %v, want it there: %t", k, err, there)
		}
	}
}
