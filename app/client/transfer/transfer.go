package transfer

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

// DefaultConcurrency is how many requests are in flight at once.
const DefaultConcurrency = 16

const (
	restarts     = 3               // of a file that changes while it is moved, and of a request whose signature is refused
	together     = 2               // large files at once, of which each has several requests in flight
	expiresIn    = 5 * time.Second // a signature that ends sooner is renewed first
	abortTimeout = 5 * time.Second
	leastRate    = 64 << 10  // bytes a second of one request, where all together are limited
	copyBuffer   = 256 << 10 // above what a connection buffers, so that bytes are copied once
)

// Options change how files are moved. The zero value is good for most.
type Options struct {
	// Concurrency is how many requests are in flight at once, where the storage
	// does not ask for less; 0 is DefaultConcurrency.
	Concurrency int

	// PartSize is the least that a part of a large file has, in bytes; 0 suits
	// the file's size. A file that is no larger is moved by one request.
	PartSize int64

	// State is a folder of the caller's own, which is made when it is needed. It
	// keeps what is needed to go on with an interrupted upload. "" keeps nothing:
	// an upload then begins anew.
	State string

	// Progress is told that so many more bytes of a file of total bytes are there;
	// fewer, where some must be moved again. It is called with 0 bytes first, and
	// by several goroutines at once. It may be nil.
	Progress func(key object.Key, bytes, total int64)
}

// Outcome is what became of a file.
type Outcome struct {
	Key      object.Key
	Path     string // the file here
	Size     int64  // bytes
	Moved    int64  // bytes that went over the network: fewer than Size where an earlier try had moved some
	ETag     string
	Version  string    // "" where the storage keeps none, or did not tell
	Modified time.Time // when the storage got it; zero for an upload

	// Verified says that the content is known to be the same on both sides. An
	// upload's always is: the storage checks its SHA-256. A download's is where
	// the ETag is made of MD5s of parts whose size could be told.
	Verified bool
	Err      error
}

// Transfers moves files. It is safe for concurrent use; what all calls have in
// flight together is bounded.
type Transfers struct {
	client      *client.Client
	o           Options
	gate        *gate
	large       chan struct{}
	buffers     sync.Pool
	concurrency int
}

// New returns transfers over c.
func New(c *client.Client, o Options) *Transfers {
	n := max(1, cmp.Or(o.Concurrency, DefaultConcurrency))
	if limit := c.LimitRate(); limit > 0 { // no connection so slow that the storage gives it up
		n = int(min(int64(n), max(1, limit/leastRate)))
	}
	t := &Transfers{client: c, o: o, gate: newGate(n), large: make(chan struct{}, together), concurrency: n}
	t.buffers.New = func() any { b := make([]byte, copyBuffer); return &b }
	return t
}

func (t *Transfers) progress(key object.Key, bytes, total int64) {
	if t.o.Progress != nil {
		t.o.Progress(key, bytes, total)
	}
}

// attempts is how one request is repeated.
type attempts struct {
	patience *client.Patience
	renewals int  // how often a new signature, or the content once more, may help
	again    bool // that it may, this time
}

// gotOn begins anew, since some of what is moved has arrived.
func (a *attempts) gotOn() {
	a.patience.Reset()
	a.renewals = restarts
}

// retry calls try until it succeeds, fails for good or has failed for too long.
// Each try is one request, for which there must be room.
func (t *Transfers) retry(ctx context.Context, try func(*attempts) error) error {
	a := &attempts{patience: t.client.Patience(), renewals: restarts}
	for {
		if err := t.gate.enter(ctx); err != nil {
			return err
		}
		a.again = false
		err := try(a)
		t.gate.leave(throttled(err))
		if err == nil || ctx.Err() != nil {
			return err
		}
		if a.again = a.again || refused(err, http.StatusForbidden) || errors.Is(err, errCorrupt); a.again {
			if a.renewals == 0 {
				return err
			}
			a.renewals--
		}
		if err := a.patience.Wait(ctx, err, a.again); err != nil {
			return err
		}
	}
}

// refused says whether the storage refused a request with such a status.
func refused(err error, status int) bool {
	var e *client.Error
	return errors.As(err, &e) && e.Peer == client.Storage && e.Status == status
}

// throttled says whether the other side has too much to do.
func throttled(err error) bool {
	var e *client.Error
	return errors.As(err, &e) && (e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable)
}

// expired says whether a signature is too old to be used, by this machine's clock,
// which may be another than the API's: the client has translated the time.
func expired(s object.Signed) bool {
	return !s.Expires.IsZero() && time.Until(s.Expires) < expiresIn
}

// fail makes an error of this machine.
func fail(code object.Code, message string, err error) error {
	return &client.Error{Code: code, Message: message, Err: err}
}
