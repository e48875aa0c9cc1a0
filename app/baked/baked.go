// Package baked puts the server together that fits into user-data.
package baked

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/s3lean"
	"cloudstorage/app/settings"
	"cloudstorage/app/settings/apisettings"
	"cloudstorage/app/state"
	"cloudstorage/app/web/baked"
)

// Serve serves as the settings say until ctx is done. It rereads the keys at each
// tick.
func Serve(ctx context.Context, getenv func(string) string, log *slog.Logger, reread <-chan time.Time) error {
	var unread error
	duration := func(name string, def time.Duration) time.Duration {
		if getenv(name) == "" {
			return def
		}
		d, err := time.ParseDuration(getenv(name))
		unread = errors.Join(unread, err)
		return d
	}
	s := &baked.Server{
		Bucket: getenv(settings.EnvBucket), Routes: apisettings.Routes(getenv(apisettings.EnvExerciseRoutes)), Log: log,
		TTL: duration(settings.EnvURLTTL, settings.DefaultURLTTL), MaxTTL: duration(settings.EnvMaxURLTTL, settings.MaxURLTTL),
		Drain: duration(settings.EnvDrainTimeout, settings.DefaultDrainTimeout),
	}
	access, private := apisettings.Access(getenv(apisettings.EnvAccess)), getenv(apisettings.EnvStateBucket)
	// Nothing but the word itself opens the server.
	restricted := access != apisettings.Open
	if s.Routes == "" {
		s.Routes = apisettings.AllRoutes
		if restricted {
			s.Routes = apisettings.ReadRoutes
		}
	}
	if unread != nil || s.Bucket == "" || s.Routes != apisettings.ReadRoutes && s.Routes != apisettings.NoRoutes && s.Routes != apisettings.AllRoutes || s.TTL < time.Second || s.TTL > s.MaxTTL || restricted && (access != apisettings.Restricted || private == "" || private == s.Bucket) {
		return errors.Join(unread, fmt.Errorf("set %s, %s (open, or restricted with %s, another bucket), durations and routes", settings.EnvBucket, apisettings.EnvAccess, apisettings.EnvStateBucket))
	}

	open := func(bucket string) (*s3lean.Store, error) {
		return s3lean.Open(ctx, s3lean.Config{Bucket: bucket, Region: getenv(settings.EnvRegion), Endpoint: getenv(settings.EnvEndpoint),
			AccessKeyID: getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: getenv("AWS_SESSION_TOKEN")})
	}
	store, err := open(s.Bucket)
	if err != nil {
		return err
	}
	s.Store = store
	if restricted {
		bucket, err := open(private)
		if err != nil {
			return err
		}
		k := &keyring{bucket: bucket}
		if err := k.reread(ctx); err != nil {
			return fmt.Errorf("state bucket %s: %w", private, err)
		}
		s.Keys = func() auth.Keyring { return *k.current.Load() }
		// The keys are reread until the last request in flight is answered.
		running, stop := context.WithCancel(context.WithoutCancel(ctx))
		var task sync.WaitGroup
		defer task.Wait()
		defer stop()
		task.Go(func() {
			for running.Err() == nil {
				select {
				case <-running.Done():
				case <-reread:
					// What cannot be read, or makes no sense, leaves the keys before in force.
					if err := k.reread(running); err != nil && running.Err() == nil {
						log.Error("the keyring cannot be used", "error", err.Error())
					}
				}
			}
		})
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cmp.Or(getenv(settings.EnvAddress), settings.DefaultAddress))
	if err != nil {
		return err
	}
	log.Info("listening", "address", l.Addr().String(), "bucket", s.Bucket, "access", access)
	return s.Serve(ctx, l)
}

// keyring is who may call, as the state bucket says.
type keyring struct {
	bucket  *s3lean.Store
	etag    string
	current atomic.Pointer[auth.Keyring]
}

// reread replaces the keys by changed ones that make sense.
func (k *keyring) reread(ctx context.Context) error {
	body, etag, err := k.bucket.Read(ctx, state.KeyringName, k.etag)
	if object.CodeOf(err) == object.CodeNotModified {
		return nil
	}
	if err != nil {
		return err
	}
	ring, err := auth.ParseKeyring(body)
	if err == nil {
		k.etag = etag
		k.current.Store(&ring)
	}
	return err
}
