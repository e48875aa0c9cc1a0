package state_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/state"
)

func keyring(ids ...string) string {
	var keys []string
	for _, id := range ids {
		keys = append(keys, fmt.Sprintf(`{"id":%q,"sha256":%q,"verbs":["read"],"prefixes":[""]}`, id, auth.Hash(id)))
	}
	return `{"keys":[` + strings.Join(keys, ",") + `]}`
}

func ids(k *state.Keyring) string {
	var all []string
	for _, key := range k.Current().Keys() {
		all = append(all, key.ID)
	}
	return strings.Join(all, " ")
}

func TestAServerDoesNotStartWithoutAGoodKeyring(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		content string
		err     error
		code    object.Code
	}{
		"no keyring":      {code: object.CodeNotFound},
		"no answer":       {content: keyring("a"), err: errAway, code: object.CodeUnavailable},
		"a broken one":    {content: `{"keys":[{"id":"a"}]}`, code: object.CodeInternal},
		"one cut in half": {content: keyring("a")[:20], code: object.CodeInternal},
	} {
		b := newBucket()
		b.put(state.KeyringName, tt.content)
		b.fail(tt.err)
		k, err := state.OpenKeyring(t.Context(), b, (&logbook{}).logger())
		if k != nil || object.CodeOf(err) != tt.code || !strings.Contains(err.Error(), "keyring.json") {
			t.Errorf("%s: %v (%s)", name, err, object.CodeOf(err))
		}
	}
}

// Each step is the keyring's fate for a while, and what the server makes of it.
func TestTheKeyringIsRereadAndTheLastGoodOneStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, log := newBucket(), &logbook{}
		b.put(state.KeyringName, keyring("a"))
		k, err := state.OpenKeyring(t.Context(), b, log.logger())
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); k.Run(ctx, time.Tick(state.RereadEvery)) }()
		synctest.Wait()

		for _, step := range []struct {
			name   string
			do     func()
			ids    string
			logged string // one line with it; "" is no line
		}{
			{"nothing happens", func() {}, "a", ""},
			{"a key comes", func() { b.put(state.KeyringName, keyring("a", "b")) }, "a b", "changed"},
			{"a key is revoked", func() { b.put(state.KeyringName, keyring("b")) }, "b", "changed"},
			{"a mistake", func() { b.put(state.KeyringName, `{"keys":[{"id":"b"}]}`) }, "b", "64 hexadecimal"},
			{"another mistake", func() { b.put(state.KeyringName, `{"key":[]}`) }, "b", `unknown field`},
			{"the mistake is taken back", func() { b.put(state.KeyringName, keyring("b")) }, "b", "well again"},
			{"an outage", func() { b.fail(errAway) }, "b", "no answer"},
			{"a keyring nobody can read yet", func() { b.put(state.KeyringName, keyring("c")) }, "b", ""},
			{"another outage follows at once", func() { b.fail(fmt.Errorf("another: %w", errAway)) }, "b", ""},
			{"it is over", func() { b.fail(nil) }, "c", "changed"},
			{"the keyring is gone", func() { b.put(state.KeyringName, "") }, "c", "no such file"},
			{"and back", func() { b.put(state.KeyringName, keyring("c")) }, "c", "well again"},
			{"all are revoked", func() { b.put(state.KeyringName, keyring()) }, "", "changed"},
		} {
			step.do()
			time.Sleep(3 * state.RereadEvery) // of a synthetic clock
			synctest.Wait()
			if got := ids(k); got != step.ids {
				t.Errorf("%s: %q, want %q", step.name, got, step.ids)
			}
			got := log.take(t)
			if step.logged == "" && got != "" || strings.Count(got, "\n") > 1 || !strings.Contains(got, step.logged) {
				t.Errorf("%s: logged %q, want one line with %q", step.name, got, step.logged)
			}
		}
		stop()
		<-ended
	})
}

func TestAChangeIsKnownWithin30Seconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBucket()
		b.put(state.KeyringName, keyring("a"))
		k, err := state.OpenKeyring(t.Context(), b, (&logbook{}).logger())
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go k.Run(ctx, time.Tick(state.RereadEvery))
		b.put(state.KeyringName, keyring("b"))
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if ids(k) != "b" || b.countReads() != 2 {
			t.Errorf("after 30 s: %q, by %d reads", ids(k), b.countReads())
		}
	})
}
