package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cloudstorage/app/client"
	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/object"
	"cloudstorage/app/service"
)

// whole is a client of the whole server, in front of an empty bucket.
func whole(t *testing.T) *client.Client {
	t.Helper()
	s := daemontest.Start(t, service.Program(), daemontest.Environ(t, gatewaytest.Start(t), nil))
	return newClient(t, s.Address)
}

// older is a client of the server that has the exercise's routes alone.
func older(t *testing.T) *client.Client {
	t.Helper()
	s := daemontest.Start(t, daemontest.Exercise(), daemontest.Environ(t, gatewaytest.Start(t), nil))
	return newClient(t, s.Address)
}

func put(t *testing.T, c *client.Client, key object.Key, content string) {
	t.Helper()
	r := strings.NewReader(content)
	if got, err := c.Put(t.Context(), key, r, r.Size(), client.PutOptions{}, nil); err != nil || got.Size != r.Size() || got.Key != key {
		t.Fatalf("put %s: %+v, %v", key, got, err)
	}
}

func wantContent(t *testing.T, c *client.Client, key object.Key, version, want string) {
	t.Helper()
	var got bytes.Buffer
	if _, err := c.Get(t.Context(), key, version, &got, nil); err != nil || got.String() != want {
		t.Errorf("get %s (version %q): %q, %v; want %q", key, version, got.String(), err, want)
	}
}

// wantProblem checks an error's kind and code.
func wantProblem(t *testing.T, err error, kind string, code object.Code) {
	t.Helper()
	var p *client.Problem
	if !errors.As(err, &p) || p.Kind != kind || p.Title == "" || p.Status == 0 || object.CodeOf(err) != code {
		t.Errorf("%v (%+v, %s), want %s and %s", err, p, object.CodeOf(err), kind, code)
	}
}

func listed(t *testing.T, c *client.Client, o client.FilesOptions) []string {
	t.Helper()
	var keys []string
	for e, err := range c.Files(t.Context(), o) {
		if err != nil {
			t.Fatal(err)
		}
		if e.IsPrefix {
			keys = append(keys, "folder "+string(e.Key))
			continue
		}
		keys = append(keys, string(e.Key))
	}
	return keys
}

func TestFilesListsWhatIsThereOnAnyServer(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*testing.T) *client.Client{"the whole server": whole, "an older server": older} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t)
			if got := listed(t, c, client.FilesOptions{}); got != nil {
				t.Errorf("an empty bucket lists %q", got)
			}
			keys := []string{"a b+%", "photos/1.jpg", "photos/2.jpg", "photos/old/1.jpg", "photos.txt", "ü/ü"}
			for _, k := range keys {
				put(t, c, object.Key(k), "content of "+k)
			}
			slices.Sort(keys)
			for _, tt := range []struct {
				o    client.FilesOptions
				want []string
			}{
				{client.FilesOptions{}, keys},
				{client.FilesOptions{PageSize: 1}, keys},
				{client.FilesOptions{Prefix: "photos/"}, []string{"photos/1.jpg", "photos/2.jpg", "photos/old/1.jpg"}},
				{client.FilesOptions{Delimiter: "/"}, []string{"a b+%", "photos.txt", "folder photos/", "folder ü/"}},
				{client.FilesOptions{Delimiter: "/", PageSize: 1}, []string{"a b+%", "photos.txt", "folder photos/", "folder ü/"}},
				{client.FilesOptions{Prefix: "photos/", Delimiter: "/"}, []string{"photos/1.jpg", "photos/2.jpg", "folder photos/old/"}},
				{client.FilesOptions{Prefix: "none"}, nil},
			} {
				if got := listed(t, c, tt.o); !slices.Equal(got, tt.want) {
					t.Errorf("%+v: %q, want %q", tt.o, got, tt.want)
				}
			}
			for _, k := range keys {
				wantContent(t, c, object.Key(k), "", "content of "+k)
			}
		})
	}
}

func TestFilesAsksForNoPageThatNobodyWants(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = w.Write([]byte(`{"files":[{"key":"a"},{"key":"b"}],"prefixes":[],"next_cursor":"more"}`))
	}))
	defer api.Close()
	c := newClient(t, api.URL)
	for e, err := range c.Files(t.Context(), client.FilesOptions{}) {
		if e.Key != "a" || err != nil {
			t.Errorf("%+v, %v", e, err)
		}
		break
	}
	if asked.Load() != 1 {
		t.Errorf("%d requests, want 1", asked.Load())
	}
}

func TestAFileIsDescribedAsItIs(t *testing.T) {
	t.Parallel()
	c := whole(t)
	before := time.Now().Add(-time.Minute)
	put(t, c, "dir/näme + %.txt", "content")
	info, err := c.Stat(t.Context(), "dir/näme + %.txt", "")
	if err != nil || info.Size != 7 || info.ETag == "" || info.Version == "" || !strings.HasPrefix(info.Type, "text/plain") || info.Modified.Before(before) {
		t.Errorf("%+v, %v", info, err)
	}
	if same, err := c.Stat(t.Context(), info.Key, info.Version); err != nil || same != info {
		t.Errorf("by its version: %+v, %v; want %+v", same, err, info)
	}
	put(t, c, "empty", "")
	if info, err := c.Stat(t.Context(), "empty", ""); err != nil || info.Size != 0 {
		t.Errorf("%+v, %v", info, err)
	}
	_, err = c.Stat(t.Context(), "none", "")
	wantProblem(t, err, "not-found", object.CodeNotFound)
	_, err = c.Get(t.Context(), "none", "", &bytes.Buffer{}, nil)
	wantProblem(t, err, "not-found", object.CodeNotFound)
}

func TestPutKeepsTheTypeAndReplacesNothingThatItShallNot(t *testing.T) {
	t.Parallel()
	c := whole(t)
	write := func(o client.PutOptions) error {
		_, err := c.Put(t.Context(), "a.bin", strings.NewReader("content"), 7, o, nil)
		return err
	}
	if err := write(client.PutOptions{Type: "text/x-own", IfNew: true}); err != nil {
		t.Fatal(err)
	}
	if info, err := c.Stat(t.Context(), "a.bin", ""); err != nil || info.Type != "text/x-own" {
		t.Errorf("%+v, %v", info, err)
	}
	if err := write(client.PutOptions{IfNew: true}); object.CodeOf(err) != object.CodePrecondition {
		t.Errorf("%v, want it refused", err)
	}
}

func TestWhatWasDeletedComesBack(t *testing.T) {
	t.Parallel()
	c := whole(t)
	put(t, c, "a +%", "first")
	gone, err := c.Remove(t.Context(), "a +%")
	if err != nil || gone.Key != "a +%" || gone.Version == "" || gone.Undo == "" {
		t.Fatalf("%+v, %v", gone, err)
	}
	_, err = c.Stat(t.Context(), "a +%", "")
	wantProblem(t, err, "not-found", object.CodeNotFound)
	if info, err := c.Undo(t.Context(), gone.Undo); err != nil || info.Key != "a +%" || info.Version == "" {
		t.Fatalf("%+v, %v", info, err)
	}
	wantContent(t, c, "a +%", "", "first")
	// It is not undone twice: something was written since.
	_, err = c.Undo(t.Context(), gone.Undo)
	wantProblem(t, err, "precondition-failed", object.CodePrecondition)
	for _, token := range []string{"", "https://evil.example/v1/versions/a?before=x", "/v1/files/a", "%zz"} {
		if _, err := c.Undo(t.Context(), token); object.CodeOf(err) != object.CodeInvalid {
			t.Errorf("%q: %v, want it refused", token, err)
		}
	}
	if _, err := c.Remove(t.Context(), "never there"); err != nil {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestManyFilesAreDeletedInBatches(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*testing.T) *client.Client{"the whole server": whole, "an older server": older} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t)
			var keys []object.Key
			for i := range 1001 {
				keys = append(keys, object.Key(fmt.Sprintf("never/%04d", i)))
			}
			put(t, c, "a", "content")
			keys[1000] = "a"
			keys[3] = "bad\x00name"
			var got []object.Key
			for d, err := range c.RemoveMany(t.Context(), slices.Values(keys)) {
				if bad := d.Key == keys[3]; bad != (object.CodeOf(err) == object.CodeInvalid) || !bad && err != nil {
					t.Errorf("%q: %v", d.Key, err)
				}
				got = append(got, d.Key)
			}
			if !slices.Equal(got, keys) {
				t.Errorf("told of %d files, want each of the %d in their order", len(got), len(keys))
			}
			if left := listed(t, c, client.FilesOptions{}); left != nil {
				t.Errorf("left: %q", left)
			}
		})
	}
}

func TestAFileIsCopiedAndMoved(t *testing.T) {
	t.Parallel()
	c := whole(t)
	put(t, c, "a", "first")
	first, err := c.Stat(t.Context(), "a", "")
	if err != nil {
		t.Fatal(err)
	}
	put(t, c, "a", "second")
	if info, err := c.Copy(t.Context(), "a", "b", client.CopyOptions{Version: first.Version}); err != nil || info.Key != "b" || info.Size != 5 {
		t.Errorf("%+v, %v", info, err)
	}
	wantContent(t, c, "b", "", "first")
	_, err = c.Copy(t.Context(), "a", "b", client.CopyOptions{IfNew: true})
	wantProblem(t, err, "precondition-failed", object.CodePrecondition)
	_, err = c.Copy(t.Context(), "a", "b", client.CopyOptions{IfMatch: `"other"`})
	wantProblem(t, err, "precondition-failed", object.CodePrecondition)
	_, err = c.Copy(t.Context(), "none", "b", client.CopyOptions{})
	wantProblem(t, err, "not-found", object.CodeNotFound)

	info, undo, err := c.Move(t.Context(), "a", "c/a", client.CopyOptions{})
	if err != nil || info.Key != "c/a" || undo == "" {
		t.Fatalf("%+v, %q, %v", info, undo, err)
	}
	if got := listed(t, c, client.FilesOptions{}); !slices.Equal(got, []string{"b", "c/a"}) {
		t.Errorf("after the move there are %q", got)
	}
	if _, err := c.Undo(t.Context(), undo); err != nil {
		t.Error(err)
	}
	wantContent(t, c, "a", "", "second")
	if _, _, err := c.Move(t.Context(), "a", "b", client.CopyOptions{Version: first.Version}); object.CodeOf(err) != object.CodeInvalid {
		t.Errorf("a version was moved: %v", err)
	}
}

func TestVersionsAreListedAndRestored(t *testing.T) {
	t.Parallel()
	c := whole(t)
	put(t, c, "a", "first")
	put(t, c, "a", "second!")
	if _, err := c.Remove(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	var versions []client.Version
	for v, err := range c.Versions(t.Context(), "a") {
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, v)
	}
	type state struct {
		size            int64
		newest, deleted bool
	}
	var got []state
	for _, v := range versions {
		got = append(got, state{v.Size, v.Newest, v.Deleted})
		if v.Key != "a" || v.Version == "" || v.Modified.IsZero() {
			t.Errorf("%+v", v)
		}
	}
	if want := []state{{0, true, true}, {7, false, false}, {5, false, false}}; !slices.Equal(got, want) {
		t.Fatalf("versions %+v, want %+v", got, want)
	}
	if _, err := c.UndoVersion(t.Context(), "a", versions[0].Version); err != nil {
		t.Fatal(err)
	}
	wantContent(t, c, "a", "", "second!")
	if info, err := c.Restore(t.Context(), "a", versions[2].Version); err != nil || info.Size != 5 {
		t.Errorf("%+v, %v", info, err)
	}
	wantContent(t, c, "a", "", "first")
	wantContent(t, c, "a", versions[1].Version, "second!")
	for _, err := range c.Versions(t.Context(), "none") {
		wantProblem(t, err, "not-found", object.CodeNotFound)
	}
}

func TestALinkIsReadByAnyoneUntilItIsRevoked(t *testing.T) {
	t.Parallel()
	c := whole(t)
	put(t, c, "a", "shared")
	open := func(link string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		transport := &http.Transport{DisableKeepAlives: true}
		res, err := (&http.Client{Transport: transport}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var body bytes.Buffer
		_, _ = body.ReadFrom(res.Body)
		return res.StatusCode, body.String()
	}
	for _, named := range []func(client.Link) string{
		func(l client.Link) string { return l.URL },
		func(l client.Link) string { return l.Token },
		func(l client.Link) string { return l.URL + "?inline=1" },
	} {
		link, err := c.CreateLink(t.Context(), "a", client.LinkOptions{ExpiresIn: time.Hour})
		if err != nil || link.ID == "" || link.Key != "a" || time.Until(link.Expires).Round(time.Minute) != time.Hour {
			t.Fatalf("%+v, %v", link, err)
		}
		if status, got := open(link.URL); status != http.StatusOK || got != "shared" {
			t.Errorf("%s: %d %q", link.URL, status, got)
		}
		if state, err := c.LinkState(t.Context(), named(link)); state != client.LinkActive || err != nil {
			t.Errorf("%s is %s, %v", named(link), state, err)
		}
		for range 2 { // once more is no error
			if err := c.RevokeLink(t.Context(), named(link)); err != nil {
				t.Fatal(err)
			}
		}
		if status, _ := open(link.URL); status != http.StatusGone {
			t.Errorf("the revoked link is answered %d", status)
		}
		if state, err := c.LinkState(t.Context(), named(link)); state != client.LinkEnded || err != nil {
			t.Errorf("the revoked link is %s, %v", state, err)
		}
	}
	_, err := c.CreateLink(t.Context(), "none", client.LinkOptions{})
	wantProblem(t, err, "not-found", object.CodeNotFound)
	_, err = c.CreateLink(t.Context(), "a", client.LinkOptions{ExpiresIn: time.Second / 2})
	if object.CodeOf(err) != object.CodeInvalid {
		t.Errorf("half a second: %v", err)
	}
	if state, err := c.LinkState(t.Context(), "nothing"); state != client.LinkNoFile || err != nil {
		t.Errorf("no link is %s, %v", state, err)
	}
	if _, err := c.LinkState(t.Context(), ""); object.CodeOf(err) != object.CodeInvalid {
		t.Errorf("no link: %v", err)
	}
	if err := c.RevokeLink(t.Context(), ""); object.CodeOf(err) != object.CodeInvalid {
		t.Errorf("no link: %v", err)
	}
}

func TestAnOlderServerIsNamedWhereItCannotServe(t *testing.T) {
	t.Parallel()
	c := older(t)
	put(t, c, "a", "content")
	wantContent(t, c, "a", "", "content")
	if d, err := c.Remove(t.Context(), "a"); err != nil || d != (client.Deletion{Key: "a"}) {
		t.Errorf("%+v, %v", d, err)
	}
	put(t, c, "a", "content")
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"Stat": func() error { _, err := c.Stat(ctx, "a", ""); return err },
		"Get":  func() error { _, err := c.Get(ctx, "a", "v", &bytes.Buffer{}, nil); return err },
		"Put": func() error {
			_, err := c.Put(ctx, "a", strings.NewReader(""), 0, client.PutOptions{IfNew: true}, nil)
			return err
		},
		"Copy":       func() error { _, err := c.Copy(ctx, "a", "b", client.CopyOptions{}); return err },
		"Move":       func() error { _, _, err := c.Move(ctx, "a", "b", client.CopyOptions{}); return err },
		"Restore":    func() error { _, err := c.Restore(ctx, "a", "v"); return err },
		"CreateLink": func() error { _, err := c.CreateLink(ctx, "a", client.LinkOptions{}); return err },
		"RevokeLink": func() error { return c.RevokeLink(ctx, "t") },
		"LinkState":  func() error { _, err := c.LinkState(ctx, "t"); return err },
		"Versions": func() error {
			for _, err := range c.Versions(ctx, "a") {
				return err
			}
			return nil
		},
	} {
		if err := call(); !errors.Is(err, client.ErrOlderServer) || !strings.Contains(err.Error(), "five routes") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAProblemTellsAllThatTheAPISaid(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusInternalServerError)
		_ = json.NewEncoder(w).Encode(map[string]any{"type": "/v1/problems/internal", "title": "The server failed.", "status": 500, "detail": "because\n\x1b[2J", "request_id": "abc"})
	}))
	defer api.Close()
	_, err := newClient(t, api.URL).Copy(t.Context(), "a", "b", client.CopyOptions{})
	var p *client.Problem
	if want := (client.Problem{Kind: "internal", Title: "The server failed.", Detail: "because [2J", Status: 500, RequestID: "abc"}); !errors.As(err, &p) || *p != want {
		t.Errorf("%+v, want %+v", p, want)
	}
	if want := "the storage API answered 500: because [2J (request abc in the server's log)"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
}

// attemptsAt counts how often a call is tried at a server that answers as h does.
func attemptsAt(t *testing.T, h http.HandlerFunc, call func(context.Context, *client.Client) error) (int, []time.Duration) {
	t.Helper()
	var n atomic.Int32
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { n.Add(1); h(w, r) }))
	defer api.Close()
	var waits []time.Duration
	now := time.Now()
	c := newClient(t, api.URL, client.WithClock(func() time.Time { return now }, func(_ context.Context, d time.Duration) error {
		waits, now = append(waits, d), now.Add(d)
		return nil
	}))
	if err := call(t.Context(), c); err == nil {
		t.Error("the call succeeded")
	}
	return int(n.Load()), waits
}

func TestOnlyWhatMayBeRepeatedIsRepeated(t *testing.T) {
	t.Parallel()
	refuse := func(status int, retryAfter string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			if retryAfter != "" {
				w.Header().Set("Retry-After", retryAfter)
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(`{"type":"/v1/problems/x","title":"No."}`))
		}
	}
	list := func(ctx context.Context, c *client.Client) error {
		for _, err := range c.Files(ctx, client.FilesOptions{Prefix: "x"}) {
			return err
		}
		return nil
	}
	remove := func(ctx context.Context, c *client.Client) error { _, err := c.Remove(ctx, "a"); return err }
	move := func(ctx context.Context, c *client.Client) error {
		_, _, err := c.Move(ctx, "a", "b", client.CopyOptions{})
		return err
	}
	for name, tt := range map[string]struct {
		h    http.HandlerFunc
		call func(context.Context, *client.Client) error
		want bool
	}{
		"a listing, unavailable":   {refuse(503, ""), list, true},
		"a listing, broken off":    {cut, list, true},
		"a listing, too often":     {refuse(429, ""), list, true},
		"a listing, refused":       {refuse(403, ""), list, false},
		"a deletion, broken off":   {cut, remove, true},
		"a move, broken off":       {cut, move, false},
		"a move, gateway gave up":  {refuse(504, ""), move, false},
		"a move, asked to be back": {refuse(503, ""), move, true},
	} {
		if got, _ := attemptsAt(t, tt.h, tt.call); got > 1 != tt.want {
			t.Errorf("%s: %d attempts", name, got)
		}
	}
	if n, waits := attemptsAt(t, refuse(429, "20"), move); n != 5 || slices.Min(waits) < 20*time.Second || slices.Max(waits) > 21*time.Second {
		t.Errorf("Retry-After: 20 was waited for %v", waits)
	}
}

func TestWhatIsNotTheAPIIsNotTakenForIt(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"<html>", `{"key":"other"}` + "\n", "", `{"key":"a"}{"key":"a"}`} {
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
		c := newClient(t, api.URL)
		for d, err := range c.RemoveMany(t.Context(), slices.Values([]object.Key{"a"})) {
			if err == nil || d.Key != "" || !strings.Contains(err.Error(), "not an answer of the storage API") {
				t.Errorf("%q: %+v, %v", answer, d, err)
			}
		}
		api.Close()
	}
}

func TestAFileGoesThereAndBackWithItsVersions(t *testing.T) {
	t.Parallel()
	c := whole(t)
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "outside")
	local := filepath.Join(dir, "a.txt")
	for _, content := range []string{"first", "second"} {
		if err := os.WriteFile(local, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := c.PutFile(t.Context(), local, "", client.PutOptions{}, nil); err != nil || got.Key != "a.txt" || got.Path != local {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	var older string
	for v, err := range c.Versions(t.Context(), "a.txt") {
		if err != nil {
			t.Fatal(err)
		}
		older = v.Version
	}
	if err := os.WriteFile(outside, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link.txt")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ version, base, saved, want string }{
		{"", "", "a.txt", "second"},
		{older, "", "a.txt", "first"},
		{"", "link.txt", "link.txt", "second"},
	} {
		if got, err := c.GetFile(t.Context(), "a.txt", tt.version, dir, tt.base, nil); err != nil || got.Path != filepath.Join(dir, tt.saved) {
			t.Errorf("%+v: %+v, %v", tt, got, err)
		}
		if got, err := os.ReadFile(filepath.Join(dir, tt.saved)); err != nil || string(got) != tt.want {
			t.Errorf("%+v: saved %q, %v", tt, got, err)
		}
	}
	if got, err := os.ReadFile(outside); err != nil || string(got) != "mine" {
		t.Errorf("a link was followed: %q, %v", got, err)
	}
	for _, base := range []string{"..", "../x", "/x", "a/b"} {
		if _, err := c.GetFile(t.Context(), "a.txt", "", dir, base, nil); err == nil {
			t.Errorf("saved as %q", base)
		}
	}
}

func TestManyFilesAreCopiedAndMovedAtOnceAndNoneIsLost(t *testing.T) {
	t.Parallel()
	c := whole(t)
	var pairs []client.Pair
	for i := range 20 {
		key := object.Key(fmt.Sprintf("a/%02d", i))
		put(t, c, key, string(key))
		pairs = append(pairs, client.Pair{From: key, To: "b/" + key})
	}
	put(t, c, "b/a/07", "taken")
	missing := client.Pair{From: "a/none", To: "b/a/none"}
	results := map[object.Key]client.Copied{}
	note := func(r client.Copied) { results[r.From] = r }
	c.MoveMany(t.Context(), slices.Values(append(pairs, missing)), client.CopyOptions{IfNew: true}, 4, note)
	for _, p := range append(pairs, missing) {
		switch r := results[p.From]; {
		case p.From == "a/07":
			wantProblem(t, r.Err, "precondition-failed", object.CodePrecondition)
		case p == missing:
			wantProblem(t, r.Err, "not-found", object.CodeNotFound)
		case r.Err != nil || r.Pair != p || r.Info.Key != p.To || r.Undo == "":
			t.Errorf("%+v", r)
		}
	}
	if got := listed(t, c, client.FilesOptions{Prefix: "a/"}); !slices.Equal(got, []string{"a/07"}) {
		t.Errorf("where they were is %q", got)
	}
	wantContent(t, c, "a/07", "", "a/07")
	wantContent(t, c, "b/a/07", "", "taken")
	wantContent(t, c, "b/a/19", "", "a/19")

	clear(results)
	c.CopyMany(t.Context(), slices.Values([]client.Pair{{From: "b/a/00", To: "c"}, missing}), client.CopyOptions{}, 2, note)
	if len(results) != 2 || results["b/a/00"].Err != nil || results["a/none"].Err == nil {
		t.Errorf("%+v", results)
	}
	wantContent(t, c, "c", "", "a/00")
	wantContent(t, c, "b/a/00", "", "a/00")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	clear(results)
	c.CopyMany(ctx, slices.Values(pairs), client.CopyOptions{}, 2, note)
	if len(results) != 0 {
		t.Errorf("cancelled: %+v", results)
	}
}
