package state_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cloudstorage/app/object"
	"cloudstorage/app/seal"
	"cloudstorage/app/state"
)

func TestServersThatRaceForTheSealingKeyAgree(t *testing.T) {
	t.Parallel()
	const servers = 8
	b := newBucket()
	// None writes before all have found nothing.
	var all sync.WaitGroup
	all.Add(servers)
	b.beforeCreate = func() { all.Done(); all.Wait() }

	sealers := make([]*seal.Sealer, servers)
	var ended sync.WaitGroup
	for i := range sealers {
		ended.Go(func() {
			var err error
			if sealers[i], err = state.OpenSealer(t.Context(), b); err != nil {
				t.Error(err)
			}
		})
	}
	ended.Wait()
	if t.Failed() {
		return
	}
	token := sealers[0].Seal("link", []byte("a"))
	for i, s := range sealers {
		if _, err := s.Open("link", token); err != nil {
			t.Errorf("server %d: %v", i, err)
		}
	}
	late, err := state.OpenSealer(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := late.Open("link", token); err != nil {
		t.Errorf("a server that starts later: %v", err)
	}
	if len(b.objects) != 1 {
		t.Errorf("wrote %d objects", len(b.objects))
	}
}

func TestASealingKeyThatCannotBeUsedIsNeitherReplacedNorShown(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"not base64": "s3cret!", "another size": "czNjcmV0"} {
		b := newBucket()
		b.put("sealing-key", content)
		_, err := state.OpenSealer(t.Context(), b)
		if err == nil || strings.Contains(err.Error(), content) || !strings.Contains(err.Error(), "restore") || string(b.objects["sealing-key"]) != content {
			t.Errorf("%s: %v, %q", name, err, b.objects["sealing-key"])
		}
	}
	b := newBucket()
	b.fail(errAway)
	if _, err := state.OpenSealer(t.Context(), b); object.CodeOf(err) != object.CodeUnavailable || !errors.Is(err, errAway) {
		t.Errorf("no answer: %v", err)
	}
}

// A bucket that says both "not there" and "exists" is not asked for ever.
func TestOpeningTheSealerEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBucket()
		creations := 0
		b.beforeCreate = func() { creations++ }
		start := time.Now()
		if _, err := state.OpenSealer(t.Context(), forgetful{b}); err == nil || creations != 5 || time.Since(start) > time.Second {
			t.Errorf("%v, after %d creations and %s", err, creations, time.Since(start))
		}
	})
}
