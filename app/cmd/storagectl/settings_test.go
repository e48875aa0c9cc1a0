package main

import (
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// home is a home folder with a file of profiles, and keys beside it.
func home(t *testing.T, config string, keys map[string]string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	folder := filepath.Join(dir, ".config", "storagectl")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	keys["config.yaml"] = config
	for name, content := range keys {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return map[string]string{"HOME": dir}
}

// with returns env and more.
func with(env map[string]string, more ...string) map[string]string {
	all := map[string]string{}
	for name, value := range env {
		all[name] = value
	}
	for i := 0; i < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	return all
}

// tells is an API that answers with its name and the key that it got.
func tells(t *testing.T, name string) string {
	t.Helper()
	f := newFake(t)
	f.refuse = func(w http.ResponseWriter, r *http.Request) {
		key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if key == "" {
			key = "no key"
		}
		answer(w, 200, name+" got "+key, nil)
	}
	return f.URL
}

func TestAFlagGoesOverTheEnvironmentAndThatOverTheFile(t *testing.T) {
	t.Parallel()
	work, play, other := tells(t, "work"), tells(t, "play"), tells(t, "other")
	env := home(t, "profile: work\nprofiles:\n  work:\n    url: "+work+"\n    key_file: work.key\n  play:\n    url: "+play+"\n",
		map[string]string{"work.key": " work-key\n"})
	for _, tt := range []struct {
		env  map[string]string
		args []string
		want string
	}{
		{env, nil, "work got work-key"},
		{with(env, envKey, "mine"), nil, "work got mine"},
		{with(env, envProfile, "play"), nil, "play got no key"},
		{with(env, envProfile, "play", envKey, "mine"), nil, "play got mine"},
		{with(env, envProfile, "play"), []string{"--profile", "work"}, "work got work-key"},
		{with(env, envURL, other, envKey, "mine"), []string{"--profile", "work"}, "work got work-key"},
		// The key of a profile goes nowhere else.
		{with(env, envURL, other), nil, "other got no key"},
		{with(env, envURL, other, envKey, "mine"), nil, "other got mine"},
		{env, []string{"--ip", other}, "other got no key"},
		{with(env, envURL, work), []string{"--ip", other}, "other got no key"},
		{with(env, "XDG_CONFIG_HOME", t.TempDir(), envURL, other), nil, "other got no key"},
	} {
		where{env: tt.env, key: tt.env[envKey]}.run(t, append([]string{"ping"}, tt.args...)...).want(t, tt.want+"\n")
	}
}

func TestAMistakeInTheSettingsIsNamed(t *testing.T) {
	t.Parallel()
	good := "profiles:\n  work: {url: http://127.0.0.1, key_file: k}\n"
	for says, tt := range map[string]struct {
		config string
		args   []string
		env    []string
	}{
		`no profile "none": there are work`:  {good, []string{"--profile", "none"}, nil},
		`no profile "other"`:                 {good, nil, []string{envProfile, "other"}},
		"has no url":                         {"profiles: {work: {key_file: k}}", []string{"--profile", "work"}, nil},
		`unknown field "uri"`:                {"profiles:\n  work:\n    uri: x\n", nil, nil},
		"both say where":                     {good, []string{"--profile", "work", "--ip", "x"}, nil},
		"STORAGE_URL: \"http://\" is no":     {good, nil, []string{envURL, "http://"}},
		"config.yaml: \"ftp://x\" is no add": {"profile: a\nprofiles: {a: {url: 'ftp://x'}}", nil, nil},
		"read the key":                       {"profile: a\nprofiles: {a: {url: 'x', key_file: none}}", nil, nil},
		"empty":                              {"profile: a\nprofiles: {a: {url: 'x', key_file: empty}}", nil, nil},
		"two: the key holds characters":      {"profile: a\nprofiles: {a: {url: 'x', key_file: two}}", nil, nil},
	} {
		env := with(home(t, tt.config, map[string]string{"k": "key", "empty": " \n", "two": "secret secret"}), tt.env...)
		got := where{env: env}.run(t, append([]string{"ping"}, tt.args...)...)
		got.wantFailure(t, exitUsage, says)
		if strings.Contains(got.stderr, "secret secret") {
			t.Errorf("the key is shown: %s", got.stderr)
		}
	}
	where{}.run(t, "ping", "--profile", "work").wantFailure(t, exitUsage, "read the profiles")
}

func TestAKeyThatOthersMayReadIsNotUsed(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	env := home(t, "profile: a\nprofiles: {a: {url: 'x', key_file: k}}", map[string]string{"k": "key"})
	key := filepath.Join(env["HOME"], ".config", "storagectl", "k")
	for _, mode := range []os.FileMode{0o644, 0o640, 0o604, 0o620} {
		if err := os.Chmod(key, mode); err != nil {
			t.Fatal(err)
		}
		where{env: env}.run(t, "ping").wantFailure(t, exitUsage, "chmod 600 "+key)
	}
}

func TestARefusedKeyIsNamedByWhereItIsFrom(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.refuse = func(w http.ResponseWriter, _ *http.Request) { answer(w, 401, "no", nil) }
	env := home(t, "profile: a\nprofiles: {a: {url: '"+f.URL+"', key_file: k}}", map[string]string{"k": "key"})
	where{env: env}.run(t, "ping").wantFailure(t, exitFailed, "put another into "+filepath.Join(env["HOME"], ".config", "storagectl", "k"))
}
