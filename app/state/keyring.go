package state

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"cloudstorage/app/auth"
)

// RereadEvery is how long a change of the keyring takes to be known at most, but
// for the time that the bucket takes to answer.
const RereadEvery = 30 * time.Second

// Keyring is the keyring in the bucket, as it was when it last could be read and
// made sense.
type Keyring struct {
	objects Reader
	log     *slog.Logger
	current atomic.Pointer[auth.Keyring]

	// Of Reread alone:
	etag    string // of current
	trouble string // what was logged last; "" is none
}

// OpenKeyring reads the keyring. Without a good one it fails: a server that
// knows nobody would refuse everybody.
func OpenKeyring(ctx context.Context, o Reader, log *slog.Logger) (*Keyring, error) {
	k := &Keyring{objects: o, log: log}
	r, etag, err := k.read(ctx)
	if err != nil {
		return nil, err
	}
	k.current.Store(&r)
	k.etag = etag
	return k, nil
}

// Current returns the keyring. The caller must not change it.
func (k *Keyring) Current() auth.Keyring { return *k.current.Load() }

// Run rereads the keyring at each tick, which comes RereadEvery but in tests,
// until ctx is done. It must run once.
func (k *Keyring) Run(ctx context.Context, tick <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
			k.Reread(ctx)
		}
	}
}

// Reread replaces the keyring by a changed one that makes sense, and keeps it
// otherwise: a slip in an editor or an outage must not lock everybody out. Each
// change is logged once, not every time. It must not run beside itself.
func (k *Keyring) Reread(ctx context.Context) {
	r, etag, err := k.read(ctx)
	switch {
	case ctx.Err() != nil: // the server stops
	case err == nil:
		k.current.Store(&r)
		k.etag, k.trouble = etag, ""
		k.log.Info("the keyring has changed", "keys", len(r.Keys()), "etag", etag)
	case errors.Is(err, ErrUnchanged) && k.trouble == "":
	case errors.Is(err, ErrUnchanged):
		k.trouble = ""
		k.log.Info("the keyring is well again", "keys", len(k.Current().Keys()), "etag", k.etag)
	default:
		// What makes no sense is another trouble with each ETag. What cannot be
		// read, and so has none, is one trouble, though its text may vary.
		trouble := "etag " + etag
		if trouble != k.trouble {
			k.trouble = trouble
			k.log.Error("the keyring cannot be used: the one before stays in force", "error", err.Error(), "etag", etag)
		}
	}
}

// read returns the keyring in the bucket and its ETag, which is empty where it
// cannot be read.
func (k *Keyring) read(ctx context.Context) (auth.Keyring, string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	body, etag, err := k.objects.Read(ctx, KeyringName, k.etag)
	if err != nil {
		return auth.Keyring{}, "", fmt.Errorf("%s: %w", KeyringName, err)
	}
	r, err := auth.ParseKeyring(body)
	if err != nil {
		return auth.Keyring{}, etag, fmt.Errorf("%s: %w", KeyringName, err)
	}
	return r, etag, nil
}
