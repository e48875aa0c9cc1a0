package state_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"sync"
	"testing"

	"cloudstorage/app/object"
	"cloudstorage/app/state"
)

// fakeBucket is an in-memory bucket. Its hooks run before a call, outside of its
// lock.
type fakeBucket struct {
	mu           sync.Mutex
	objects      map[string][]byte
	reads        int
	err          error // of every call, where it is set
	beforeCreate func()
}

func newBucket() *fakeBucket { return &fakeBucket{objects: map[string][]byte{}} }

func (b *fakeBucket) Read(_ context.Context, name, etag string) ([]byte, string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reads++
	if b.err != nil {
		return nil, "", b.err
	}
	body, ok := b.objects[name]
	if !ok {
		return nil, "", &object.Error{Code: object.CodeNotFound, Op: "s3:GetObject", Key: object.Key(name), Message: "there is no such file"}
	}
	sum := sha256.Sum256(body)
	newETag := hex.EncodeToString(sum[:4])
	if newETag == etag {
		return nil, etag, state.ErrUnchanged
	}
	return body, newETag, nil
}

func (b *fakeBucket) Create(_ context.Context, name string, body []byte) error {
	if b.beforeCreate != nil {
		b.beforeCreate()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	if _, ok := b.objects[name]; ok {
		return state.ErrExists
	}
	b.objects[name] = body
	return nil
}

// put is somebody else's write; no content deletes.
func (b *fakeBucket) put(name, content string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.objects[name] = []byte(content)
	if content == "" {
		delete(b.objects, name)
	}
}

// fail makes every call fail until it is told nil.
func (b *fakeBucket) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

func (b *fakeBucket) countReads() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reads
}

var errAway = &object.Error{Code: object.CodeUnavailable, Op: "s3:GetObject", Message: "no answer"}

// logbook collects log lines.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// take returns what was logged since the last time.
func (l *logbook) take(t *testing.T) string {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return l.text.String()
}
