package service

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"cloudstorage/app/auth"
	"cloudstorage/app/daemon"
	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/e2e/issuertest"
	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/s3store"
	"cloudstorage/app/web/webtest"
)

// Whatever a test started has ended: a server leaves no goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// put writes an object past the API.
func put(t testing.TB, env map[string]string, bucket, name, content string) {
	t.Helper()
	s, err := s3store.Open(t.Context(), s3store.Config{Bucket: env[bucket], Region: env["AWS_REGION"], Endpoint: env["AWS_ENDPOINT_URL"],
		AccessKeyID: env["AWS_ACCESS_KEY_ID"], SecretAccessKey: env["AWS_SECRET_ACCESS_KEY"]})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newStore(s).Put(t.Context(), object.Key(name), strings.NewReader(content), file.PutOptions{Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
}

// restricted are the settings of a server that knows these keys and serves all
// of the exercise's routes.
func restricted(t testing.TB, keys ...auth.Key) map[string]string {
	t.Helper()
	env := daemontest.Environ(t, gatewaytest.Start(t), map[string]string{"STORAGE_ACCESS": "restricted", "STORAGE_EXERCISE_ROUTES": "all"})
	know(t, env, keys...)
	return env
}

// know writes the keyring anew, as deploying the environment does.
func know(t testing.TB, env map[string]string, keys ...auth.Key) {
	t.Helper()
	ring, err := auth.NewKeyring(keys)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(ring)
	if err != nil {
		t.Fatal(err)
	}
	put(t, env, "STORAGE_STATE_BUCKET", "keyring.json", string(text))
}

func key(id, token, prefix string, verbs ...auth.Verb) auth.Key {
	return auth.Key{ID: id, SHA256: auth.Hash(token), Verbs: verbs, Prefixes: []string{prefix}}
}

func bearer(token string) string { return "Authorization: Bearer " + token }

// want fails the test unless a request has that answer.
func want(t testing.TB, address, method, target string, status int, header ...string) webtest.Answer {
	t.Helper()
	answer := webtest.Do(t, address, method, target, header...)
	if answer.Status != status {
		t.Errorf("%s %s: %s\nwant %d", method, target, answer.Raw, status)
	}
	return answer
}

func TestKeysSayWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	reader, lister := auth.NewToken(), auth.NewToken()
	env := restricted(t, key("reader", reader, "a/", auth.List, auth.Read), key("lister", lister, "", auth.List))
	put(t, env, "STORAGE_BUCKET", "a/b", "content")
	s := daemontest.Start(t, Program(), env)

	if answer := want(t, s.Address, "GET", "/v1/files?prefix=a/", 200, bearer(reader)); !strings.Contains(answer.Body, `"a/b"`) {
		t.Errorf("listed %s", answer.Body)
	}
	want(t, s.Address, "GET", "/v1/files", 403, bearer(reader))
	want(t, s.Address, "GET", "/v1/files", 200, bearer(lister))
	for _, wrong := range [][]string{nil, {bearer(auth.NewToken())}, {"Authorization: Basic YTpi"}, {bearer(reader), bearer(lister)}} {
		answer := want(t, s.Address, "GET", "/v1/files?prefix=a/", 401, wrong...)
		if !strings.HasPrefix(answer.Header.Get("WWW-Authenticate"), "Bearer ") || answer.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%q: %s", wrong, answer.Raw)
		}
	}
	for _, public := range []string{"/", "/healthz", "/readyz", "/v1/problems/unauthenticated", "/openapi.json", "/docs"} {
		want(t, s.Address, "GET", public, 200)
	}
	if log := s.Log.String(); strings.Contains(log, reader) || strings.Contains(log, lister) {
		t.Errorf("a key is in the log:\n%s", log)
	}
}

func TestWhatTheExercisesRoutesChangeIsInTheAudit(t *testing.T) {
	t.Parallel()
	token, other := auth.NewToken(), auth.NewToken()
	env := restricted(t, key("ci", token, "a/", auth.Verbs()...), key("other", other, "b/", auth.Verbs()...))
	put(t, env, "STORAGE_BUCKET", "a/b c", "content")
	s := daemontest.Start(t, Program(), env)
	for _, method := range []string{"HEAD", "GET"} {
		for _, target := range []string{"/download/a/b%20c", "/upload/a/b%20c", "/delete/a/b%20c"} {
			want(t, s.Address, method, target, 403, bearer(other))
		}
	}
	want(t, s.Address, "HEAD", "/upload/a/b%20c", 200, bearer(token))
	want(t, s.Address, "HEAD", "/delete/a/b%20c", 200, bearer(token))
	want(t, s.Address, "GET", "/download/a/b%20c", 200, bearer(token))
	uploaded := want(t, s.Address, "GET", "/upload/a/b%20c", 200, bearer(token)).Header
	deleted := want(t, s.Address, "GET", "/delete/a/b%20c", 200, bearer(token)).Header
	log := s.Log.String()
	for _, line := range []string{
		fmt.Sprintf(`"who":"ci","did":"file.sign-put","key":"a/b c","version":"","request_id":%q,"expires":%q}`, uploaded.Get("X-Request-Id"), uploaded.Get("X-Expires-At")),
		fmt.Sprintf(`"who":"ci","did":"file.delete","key":"a/b c","version":%q,"request_id":%q}`, deleted.Get("X-Version-Id"), deleted.Get("X-Request-Id")),
	} {
		if !strings.Contains(log, line) {
			t.Errorf("no %s in the log", line)
		}
	}
	if deleted.Get("X-Version-Id") == "" || strings.Count(log, `"msg":"audit"`) != 2 {
		t.Errorf("want two lines of audit: %s", log)
	}
}

func TestTheExercisesRoutesAskForTheSameKeys(t *testing.T) {
	t.Parallel()
	keys := map[auth.Verb]string{}
	var entries []auth.Key
	for _, v := range auth.Verbs() {
		keys[v] = auth.NewToken()
		prefix := "a/"
		if v == auth.List {
			prefix = ""
		}
		entries = append(entries, key(string(v), keys[v], prefix, v))
	}
	s := daemontest.Start(t, Program(), restricted(t, entries...))
	for target, needs := range map[string]auth.Verb{
		"/list_files": auth.List, "/download/a/b": auth.Read, "/upload/a/b": auth.Write, "/delete/a/b": auth.Delete,
	} {
		for _, method := range []string{"GET", "HEAD"} {
			if answer := want(t, s.Address, method, target, 401); answer.Header.Get("WWW-Authenticate") != `Bearer realm="storage"` {
				t.Errorf("%s %s: %s", method, target, answer.Raw)
			}
			for v, token := range keys {
				status := 403
				if v == needs {
					status = 200
				}
				want(t, s.Address, method, target, status, bearer(token))
			}
		}
		if elsewhere := strings.Replace(target, "/a/", "/c/", 1); elsewhere != target {
			want(t, s.Address, "GET", elsewhere, 403, bearer(keys[needs]))
		}
	}
	if answer := want(t, s.Address, "GET", "/delete/a/b", 401); answer.Body != `{"status":401,"message":"no key: send one as 'Authorization: Bearer <key>'"}`+"\n" {
		t.Errorf("not in the exercise's shape: %s", answer.Body)
	}
	want(t, s.Address, "GET", "/delete/..", 400, bearer(keys[auth.Delete]))
}

func TestARevokedKeyIsRefusedWithoutARestart(t *testing.T) {
	t.Parallel()
	first, second := auth.NewToken(), auth.NewToken()
	env := restricted(t, key("first", first, "", auth.List), key("second", second, "", auth.List))
	reread := make(chan time.Time)
	s := daemontest.Start(t, program(reread), env)
	want(t, s.Address, "GET", "/v1/files", 200, bearer(first))
	know(t, env, key("second", second, "", auth.List))
	reread <- time.Time{}
	reread <- time.Time{} // is taken when the first has been
	want(t, s.Address, "GET", "/v1/files", 401, bearer(first))
	want(t, s.Address, "GET", "/v1/files", 200, bearer(second))
}

func TestTokensOfTheIssuerAreAcceptedBesideKeys(t *testing.T) {
	t.Parallel()
	issuer := issuertest.Start(t)
	token := auth.NewToken()
	env := restricted(t, key("ci", token, "", auth.List))
	env["STORAGE_OIDC"] = fmt.Sprintf(`{"issuer":%q,"audience":"storage","rules":[{"claim":"groups","value":"team","verbs":["list"],"prefixes":["team/"]}]}`, issuer.URL)
	s := daemontest.Start(t, Program(), env)

	ann := issuer.Token(t, issuertest.Client{ID: "ann", Audience: []string{"storage"}, Seconds: 300, Claims: map[string]any{"groups": []string{"team"}}})
	want(t, s.Address, "GET", "/v1/files?prefix=team/", 200, bearer(ann))
	if answer := want(t, s.Address, "GET", "/v1/files", 403, bearer(ann)); !strings.Contains(answer.Body, "oidc:ann may not list") {
		t.Errorf("%s", answer.Body)
	}
	want(t, s.Address, "GET", "/list_files", 403, bearer(ann))
	stranger := issuer.Token(t, issuertest.Client{ID: "bob", Audience: []string{"something else"}, Seconds: 300})
	want(t, s.Address, "GET", "/v1/files?prefix=team/", 401, bearer(stranger))
	want(t, s.Address, "GET", "/v1/files", 200, bearer(token))
}

func TestOpenIsForWhoeverConnects(t *testing.T) {
	t.Parallel()
	env := daemontest.Environ(t, gatewaytest.Start(t), nil)
	put(t, env, "STORAGE_BUCKET", "a", "")
	s := daemontest.Start(t, Program(), env)
	want(t, s.Address, "GET", "/v1/files", 200)
	want(t, s.Address, "GET", "/v1/files", 200, "Authorization: Bearer whatever")
	want(t, s.Address, "GET", "/list_files", 200)
	want(t, s.Address, "GET", "/delete/a", 200)
}

func TestACursorOfOneServerIsGoodAtAnother(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t)
	env := daemontest.Environ(t, g, nil)
	for _, name := range []string{"a", "b"} {
		put(t, env, "STORAGE_BUCKET", name, "")
	}
	one, two := daemontest.Start(t, Program(), env), daemontest.Start(t, Program(), env)
	var page struct {
		Next string `json:"next_cursor"`
	}
	if err := json.Unmarshal([]byte(want(t, one.Address, "GET", "/v1/files?limit=1", 200).Body), &page); err != nil || page.Next == "" {
		t.Fatalf("%+v, %v", page, err)
	}
	if answer := want(t, two.Address, "GET", "/v1/files?limit=1&cursor="+page.Next, 200); !strings.Contains(answer.Body, `"b"`) {
		t.Errorf("the other server goes on with %s", answer.Body)
	}
	other := maps.Clone(env)
	other["STORAGE_STATE_BUCKET"] = g.NewBucket(t)
	want(t, daemontest.Start(t, Program(), other).Address, "GET", "/v1/files?limit=1&cursor="+page.Next, 400)
}

// fails returns the one line that a program which cannot start ends with.
func fails(t *testing.T, env map[string]string) string {
	t.Helper()
	var log bytes.Buffer
	code := daemon.Run(t.Context(), Program(), nil, func(name string) string { return env[name] }, &log, &log)
	var record struct{ Msg, Error string }
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &record); err != nil || code != daemon.Failed || record.Msg != "failed" {
		t.Fatalf("exit code %d:\n%s", code, &log)
	}
	return record.Error
}

func TestAStateThatCannotBeUsedEndsTheStartWithTheWayOut(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t)
	for name, tt := range map[string]struct {
		change func(env map[string]string)
		says   []string
	}{
		"no keyring": {func(map[string]string) {}, []string{"keyring.json: ", `write keyring.json there`, `{"keys":[]}`, "storagectl key new"}},
		"a keyring that makes no sense": {func(env map[string]string) {
			put(t, env, "STORAGE_STATE_BUCKET", "keyring.json", `{"keys":[{"id":"ci"}]}`)
		},
			[]string{"keyring.json: key 0: ", "64 hexadecimal digits"}},
		"a role without rights": {func(env map[string]string) {
			env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"] = g.GuestAccessKey, g.GuestSecretKey
		}, []string{"s3:GetObject sealing-key", "grant the server's role s3:ListBucket on the bucket", "s3:PutObject on sealing-key and revoked-links/*"}},
		"no such bucket": {func(env map[string]string) { env["STORAGE_STATE_BUCKET"] = "no-such-bucket" }, []string{"create the bucket in eu-west-1", "STORAGE_STATE_BUCKET"}},
		"a sealing key that is none": {func(env map[string]string) { put(t, env, "STORAGE_STATE_BUCKET", "sealing-key", "none!") },
			[]string{"sealing-key is not base64", "restore"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := daemontest.Environ(t, g, map[string]string{"STORAGE_ACCESS": "restricted"})
			tt.change(env)
			got := fails(t, env)
			for _, part := range append(tt.says, "state bucket "+env["STORAGE_STATE_BUCKET"]+": ") {
				if !strings.Contains(got, part) {
					t.Errorf("%q does not say %q", got, part)
				}
			}
		})
	}
}

func TestAnOutageEndsTheStart(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t)
	env := daemontest.Environ(t, g, nil)
	g.Stop()
	if got := fails(t, env); !strings.Contains(got, "state bucket "+env["STORAGE_STATE_BUCKET"]) || !strings.Contains(got, "does not answer") {
		t.Errorf("%q", got)
	}
}

func TestAnAuditIsWrittenWhateverTheLogsLevel(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	quiet := slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelError})
	slog.New(always{quiet}).Info("audit", "who", "ci")
	if !strings.Contains(log.String(), `"who":"ci"`) {
		t.Errorf("logged %q", &log)
	}
}
