package v1_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/web"
	"cloudstorage/app/web/limit"
	"cloudstorage/app/web/problem"
	"cloudstorage/app/web/slow"
	v1 "cloudstorage/app/web/v1"
)

// inside is what S3 says to those who run the API.
const inside = "User: arn:aws:sts::123456789012:assumed-role/storage is not authorized: https://b/k?X-Amz-Signature=0123"

// talkative is a store that tells what nobody outside should read.
type talkative struct{ v1.Store }

func (s talkative) Stat(ctx context.Context, k object.Key, version string) (object.Info, error) {
	switch k {
	case "panic":
		panic(inside)
	case "unknown":
		return object.Info{}, errors.New(inside)
	case "denied":
		return object.Info{}, &object.Error{Code: object.CodeDenied, Op: "s3:GetObject", Key: k, Message: "the storage refused it", Err: errors.New(inside)}
	}
	return s.Store.Stat(ctx, k, version)
}

func (s talkative) Put(ctx context.Context, k object.Key, content io.Reader, o file.PutOptions) (object.Info, error) {
	if k == "conflict" {
		return object.Info{}, &object.Error{Code: object.CodeConflict, Op: "s3:PutObject", Key: k, Message: "somebody else writes", Err: errors.New(inside)}
	}
	return s.Store.Put(ctx, k, content, o)
}

// secrets are what no problem tells: a stack, a signature, an ARN, a place in
// the source, an address of the storage.
var secrets = regexp.MustCompile(`goroutine|panic|\.go\b|[Ss]ignature|arn:|/s3store|module02-|127\.0\.0\.1`)

func TestEachKindOfProblemHappensAndTellsNoSecret(t *testing.T) {
	t.Parallel()
	root, reader := auth.NewToken(), auth.NewToken()
	s := start(t, func(a *v1.API) {
		a.Store = talkative{a.Store}
		a.Who = keys(t, key("root", root, ""), key("reader", reader, "in/", auth.Read))
	})
	s.token = root
	s.put("there", "content")

	g := gatewaytest.Start(t)
	stranger := g
	stranger.AccessKey, stranger.SecretKey = g.GuestAccessKey, g.GuestSecretKey
	guest := serve(t, stranger, g.Endpoint)
	away := start(t)
	away.Gateway.Stop()
	hasty := start(t)
	hasty.Handler.(*web.Server).Use(slow.Middleware(slow.Limits{Patience: 50 * time.Millisecond, Rate: 1 << 20}))
	thrifty := start(t)
	thrifty.Handler.(*web.Server).Use(limit.Addresses(1))

	_, incomplete := s.begin(asked{"key": "upload", "size": 3})
	revoked := s.share(asked{"key": "there"})
	s.do(http.MethodDelete, "/v1/links/"+revoked.Token, "").want(t, http.StatusNoContent, nil)

	never, stop := io.Pipe()
	t.Cleanup(func() { _ = stop.Close() })
	stream := func(s *service, length int64, body io.Reader) response {
		r := s.request(http.MethodPut, "/v1/files/new", "")
		r.Body, r.ContentLength = io.NopCloser(body), length
		r.Header.Set("Expect", "100-continue")
		return s.send(r)
	}
	occasions := []struct {
		problem.Kind
		response
	}{
		{problem.InvalidRequest, s.do(http.MethodGet, "/v1/files?limit=0", "")},
		{problem.InvalidRequest, s.do(http.MethodGet, "/v1/files/a%00b", "")},
		{problem.Unauthenticated, s.do(http.MethodGet, "/v1/files", "", "Authorization: ")},
		{problem.Forbidden, s.do(http.MethodGet, "/v1/files/out", "", "Authorization: Bearer "+reader)},
		{problem.NoSuchRoute, s.do(http.MethodGet, "/v1/none", "")},
		{problem.NotFound, s.do(http.MethodGet, "/v1/files/missing", "")},
		{problem.MethodNotAllowed, s.do(http.MethodPatch, "/v1/files", "")},
		{problem.TooSlow, stream(hasty, 10, never)},
		{problem.Conflict, s.do(http.MethodPut, "/v1/files/conflict", "x")}, // of which S3 has none at a test's will
		{problem.UploadIncomplete, s.do(http.MethodPost, incomplete+"/complete", "{}")},
		{problem.LinkEnded, s.do(http.MethodGet, "/v1/shared/"+revoked.Token, "", "Authorization: ")},
		{problem.LengthRequired, stream(s, -1, strings.NewReader("content"))},
		{problem.PreconditionFailed, s.do(http.MethodPut, "/v1/files/there", "again", "If-None-Match: *")},
		{problem.BodyTooLarge, stream(s, 2<<20, strings.NewReader(strings.Repeat("x", 2<<20)))},
		{problem.UnsupportedMediaType, s.do(http.MethodPost, "/v1/copies", "{}", "Content-Type: text/plain")},
		{problem.RangeNotSatisfiable, s.do(http.MethodGet, "/v1/files/there?stream=1", "", "Range: bytes=100-")},
		{problem.RateLimited, thrifty.untilRefused()},
		{problem.Internal, s.do(http.MethodGet, "/v1/files/panic", "")},
		{problem.Internal, s.do(http.MethodGet, "/v1/files/unknown", "")},
		{problem.StorageRefused, s.do(http.MethodGet, "/v1/files/denied", "")},
		{problem.StorageRefused, guest.do(http.MethodGet, "/v1/files", "")},
		{problem.Unavailable, away.do(http.MethodGet, "/v1/files", "")},
	}
	happened := map[string]bool{}
	for _, o := range occasions {
		o.wantProblem(t, o.Kind, "")
		happened[o.Name] = true
		var fields strings.Builder
		if err := o.Header.Write(&fields); err != nil {
			t.Fatal(err)
		}
		if found := secrets.FindString(o.Text + fields.String()); found != "" {
			t.Errorf("%s tells %q: %s %s", o.Name, found, fields.String(), o.Text)
		}
	}
	for _, k := range problem.Kinds() {
		if !happened[k.Name] {
			t.Errorf("no request here has the problem %s", k.Name)
		}
	}
	if !strings.Contains(s.Log.String(), "goroutine") || !strings.Contains(s.Log.String(), "arn:aws") {
		t.Error("the log does not tell who runs the API what the answer keeps from others")
	}
}

// untilRefused asks until the server has had enough.
func (s *service) untilRefused() response {
	for {
		if answer := s.do(http.MethodGet, "/v1/problems/not-found", ""); answer.StatusCode != http.StatusOK {
			return answer
		}
	}
}

// Whoever reads the log must not be able to do what the requests in it do.
func TestTheLogHasNothingThatLetsAnyoneIn(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.put("a", "x")
	l := s.share(asked{"key": "a"})
	var read, written signed
	s.do(http.MethodGet, "/v1/files/a", "", "Accept: application/json").want(t, http.StatusOK, &read)
	s.do(http.MethodPut, "/v1/files/a?sign=1", "{}").want(t, http.StatusOK, &written)
	s.open(l)
	s.do(http.MethodDelete, "/v1/links/"+l.Token, "").want(t, http.StatusNoContent, nil)
	s.do(http.MethodGet, "/v1/files", "", "Authorization: Bearer "+s.token+"x").wantProblem(t, problem.Unauthenticated, "")
	s.Gateway.Stop()
	s.do(http.MethodGet, "/v1/files", "").wantProblem(t, problem.Unavailable, "")
	for name, log := range map[string]string{"log": s.Log.String(), "audit": s.Audit.String()} {
		for what, secret := range map[string]string{"a key": s.token, "a share link": l.Token, "a signature": "Signature="} {
			if strings.Contains(log, secret) {
				t.Errorf("the %s has %s: %s", name, what, log)
			}
		}
	}
}
