package baked_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/baked"
	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/object"
	"cloudstorage/app/object/objecttest"
	"cloudstorage/app/s3lean"
	"cloudstorage/app/state"
)

// ask returns the status of a GET with a token, "" for none.
func ask(t *testing.T, url, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

func TestARestrictedServerKnowsTheKeysOfTheStateBucketAndNobodyElse(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t)
	env := daemontest.Environ(t, g, map[string]string{"STORAGE_ACCESS": "restricted"})
	bucket, err := s3lean.Open(t.Context(), s3lean.Config{
		Bucket: env["STORAGE_STATE_BUCKET"], Region: g.Region, Endpoint: g.Endpoint, AccessKeyID: g.AccessKey, SecretAccessKey: g.SecretKey,
	})
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		objecttest.Put(t, object.Store(bucket), http.DefaultClient, state.KeyringName, text)
	}
	ring := func(keys ...auth.Key) string {
		r, err := auth.NewKeyring(keys)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	all, reader := auth.NewToken(), auth.NewToken()
	root := auth.Key{ID: "root", SHA256: auth.Hash(all), Verbs: auth.Verbs(), Prefixes: []string{""}}
	write(ring(root, auth.Key{ID: "reader", SHA256: auth.Hash(reader), Verbs: []auth.Verb{auth.Read}, Prefixes: []string{"in/"}}))

	tick := make(chan time.Time)
	s := daemontest.Start(t, daemontest.BakedTick(tick), env)
	url := "http://" + s.Address
	for _, tt := range []struct {
		target, token string
		want          int
	}{
		{"/", "", 200}, {"/healthz", "", 200}, {"/readyz", "", 200},
		{"/list_files", "", 401}, {"/v1/files", "", 401}, {"/v1/files", auth.NewToken(), 401},
		{"/list_files", all, 200}, {"/v1/files", all, 200}, {"/list_files", reader, 403}, {"/v1/files", reader, 403},
		{"/download/in/a", reader, 200}, {"/download/a", reader, 403}, {"/download/in/../a", reader, 400},
		// Only reading, unless asked: a GET that changes something is one prefetch from an accident.
		{"/upload/a", all, 404}, {"/delete/a", all, 404},
		{"/v1/files?access_token=" + all, "", 401},
	} {
		if got := ask(t, url+tt.target, tt.token); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.target, got, tt.want)
		}
	}

	reread := func() { tick <- time.Time{}; tick <- time.Time{} } // the first has been worked off when the second is taken
	write("{")
	reread()
	if got := ask(t, url+"/v1/files", all); got != 200 {
		t.Errorf("a broken keyring locks everybody out: %d", got)
	}
	if !strings.Contains(s.Log.String(), "the keyring cannot be used") {
		t.Error("a broken keyring is not in the log")
	}
	write(ring())
	reread()
	if got := ask(t, url+"/v1/files", all); got != 401 {
		t.Errorf("a revoked key works: %d", got)
	}
	if text := s.Log.String(); strings.Contains(text, all) || strings.Contains(text, "Signature") {
		t.Errorf("the log holds a secret:\n%s", text)
	}
}

func TestNothingButTheWordOpensTheServer(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]map[string]string{
		"nothing":                  {"STORAGE_ACCESS": ""},
		"a slip":                   {"STORAGE_ACCESS": "Open"},
		"no state bucket":          {"STORAGE_ACCESS": "restricted", "STORAGE_STATE_BUCKET": ""},
		"the files' bucket":        {"STORAGE_ACCESS": "restricted", "STORAGE_BUCKET": "b-1", "STORAGE_STATE_BUCKET": "b-1"},
		"no bucket":                {"STORAGE_BUCKET": ""},
		"no duration":              {"STORAGE_URL_TTL": "10"},
		"longer than the bucket's": {"STORAGE_URL_TTL": "2h", "STORAGE_MAX_URL_TTL": "1h"},
		"no time":                  {"STORAGE_URL_TTL": "0s"},
		"less than a second":       {"STORAGE_URL_TTL": "999ms"},
		"less than no time":        {"STORAGE_URL_TTL": "-1m"},
		"no routes":                {"STORAGE_EXERCISE_ROUTES": "None"},
		"no routes that there are": {"STORAGE_EXERCISE_ROUTES": "list"},
	} {
		env := map[string]string{"STORAGE_BUCKET": "b-1", "STORAGE_STATE_BUCKET": "b-2", "STORAGE_ACCESS": "open", "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "STORAGE_ADDRESS": "127.0.0.1:0"}
		for key, value := range change {
			env[key] = value
		}
		var log bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // were it to serve
		err := baked.Serve(ctx, func(key string) string { return env[key] }, slog.New(slog.NewJSONHandler(&log, nil)), nil)
		cancel()
		if err == nil || !strings.Contains(err.Error(), "STORAGE_ACCESS") || strings.Contains(log.String(), "listening") {
			t.Errorf("%s: %v\n%s", name, err, &log)
		}
	}
}

func TestTheExercisesRoutesAreThoseOfTheWord(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t)
	for word, want := range map[string][2]int{"": {200, 200}, "all": {200, 200}, "read": {200, 404}, "none": {404, 404}} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			s := daemontest.Start(t, daemontest.BakedTick(nil), daemontest.Environ(t, g, map[string]string{"STORAGE_EXERCISE_ROUTES": word}))
			for i, target := range []string{"/list_files", "/upload/a"} {
				if got := ask(t, "http://"+s.Address+target, ""); got != want[i] {
					t.Errorf("%s: %d, want %d", target, got, want[i])
				}
			}
		})
	}
}
