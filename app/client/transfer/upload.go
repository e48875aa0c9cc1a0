package transfer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
	"cloudstorage/app/object/mediatype"
)

// batchAhead is how many small files are signed before they are sent.
const batchAhead = 500

// File is a file here that is to be uploaded.
type File struct {
	Key   object.Key
	Path  string
	Type  string // media type; "" is the one that the key's ending suggests
	IfNew bool   // object.CodePrecondition where there is such a file already
}

// sending is a file on its way.
type sending struct {
	File
	info  fs.FileInfo
	sum   [sha256.Size]byte
	large bool

	signature client.Signature
}

// Upload uploads files and tells done of each what became of it, one at a time,
// in the order in which they end. When ctx ends, no further file is begun.
//
// Small files are signed many at a time. A large one is sent in parts; what has
// arrived of it is kept for the next try, here (Options.State) and in the
// storage, and is not sent again unless the file has changed.
func (t *Transfers) Upload(ctx context.Context, files iter.Seq[File], done func(Outcome)) {
	var one sync.Mutex
	end := func(o Outcome) {
		one.Lock()
		defer one.Unlock()
		done(o)
	}
	stages[*sending]{
		ahead: batchAhead, preparers: min(4, t.concurrency), lanes: t.concurrency,
		prepare: func(s *sending) bool {
			if err := t.prepare(ctx, s); err != nil {
				end(Outcome{Key: s.Key, Path: s.Path, Err: err})
				return false
			}
			return true
		},
		sign: func(batch []*sending) []*sending { t.signWrites(ctx, batch); return batch },
		send: func(s *sending) {
			var o Outcome
			var err error
			if s.large {
				o, err = t.sendLarge(ctx, s)
			} else {
				o, err = t.sendSmall(ctx, s)
			}
			o.Key, o.Path, o.Size, o.Err = s.Key, s.Path, s.info.Size(), err
			o.Verified = err == nil
			end(o)
		},
	}.run(func(yield func(*sending) bool) {
		for f := range files {
			if ctx.Err() != nil || !yield(&sending{File: f}) {
				return
			}
		}
	})
}

// prepare looks at a file and, unless it is large, reads it for its digest.
func (t *Transfers) prepare(ctx context.Context, s *sending) error {
	if err := ctx.Err(); err != nil {
		return fail(object.CodeInternal, "cancelled", context.Cause(ctx))
	}
	// Looked at before it is opened: opening a pipe waits for its writer.
	info, err := os.Stat(s.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail(object.CodeNotFound, fmt.Sprintf("there is no file %q here to upload", s.Path), err)
	case err != nil:
		return unreadable(s.Path, err)
	case !info.Mode().IsRegular():
		return fail(object.CodeInvalid, fmt.Sprintf("%q is no regular file", s.Path), nil)
	}
	s.info = info
	if s.Type == "" {
		s.Type = mediatype.OrUnknown(s.Key)
	}
	if s.large = info.Size() > t.partSize(info.Size()); s.large {
		return nil
	}
	f, err := os.Open(s.Path)
	if err != nil {
		return unreadable(s.Path, err)
	}
	defer f.Close()
	n, sum, err := t.sha256(f)
	if err == nil && n != info.Size() {
		err = client.ErrChanged
	}
	if err != nil {
		return unreadable(s.Path, err)
	}
	s.sum = sum
	return nil
}

// sha256 reads r to its end.
func (t *Transfers) sha256(r io.Reader) (n int64, sum [sha256.Size]byte, err error) {
	buffer := t.buffers.Get().(*[]byte)
	defer t.buffers.Put(buffer)
	h := sha256.New()
	n, err = io.CopyBuffer(h, struct{ io.Reader }{r}, *buffer)
	h.Sum(sum[:0])
	return n, sum, err
}

// signWrites signs all that are sent by one request.
func (t *Transfers) signWrites(ctx context.Context, batch []*sending) {
	var terms []client.WriteTerms
	var small []*sending
	for _, s := range batch {
		if !s.large {
			small = append(small, s)
			terms = append(terms, client.WriteTerms{Key: s.Key, Type: s.Type, Size: s.info.Size(), SHA256: s.sum, IfNew: s.IfNew})
		}
	}
	if len(small) == 0 {
		return
	}
	signatures, err := t.client.SignWrites(ctx, terms)
	for i, s := range small {
		if err != nil {
			s.signature = client.Signature{Err: err}
		} else {
			s.signature = signatures[i]
		}
	}
}

func (t *Transfers) sendSmall(ctx context.Context, s *sending) (Outcome, error) {
	var o Outcome
	size := s.info.Size()
	t.progress(s.Key, 0, size)
	signed := true
	err := t.retry(ctx, func(a *attempts) error {
		if !signed || expired(s.signature.Signed) {
			if err := t.prepare(ctx, s); err != nil {
				return err
			}
			if s.large || s.info.Size() != size {
				return unreadable(s.Path, client.ErrChanged)
			}
			t.signWrites(ctx, []*sending{s})
		}
		signed = false
		if s.signature.Err != nil {
			return s.signature.Err
		}
		f, err := os.Open(s.Path)
		if err != nil {
			return unreadable(s.Path, err)
		}
		defer f.Close()
		count := t.counter(s.Key, size)
		o.ETag, err = t.client.Send(ctx, s.signature.Signed, s.Key, f, size, count.moved)
		o.Moved += count.sent
		if err != nil {
			count.undo()
			// Content with another digest: the file has changed since it was read.
			a.again = refused(err, http.StatusBadRequest) && !client.Temporary(err)
			signed = !a.again && !refused(err, http.StatusForbidden)
		}
		return err
	})
	return o, err
}

// counter turns the progress of one request into that of its file.
type counter struct {
	report func(int64)
	sent   int64 // bytes, of all tries
	now    int64
}

func (t *Transfers) counter(key object.Key, total int64) *counter {
	return &counter{report: func(n int64) { t.progress(key, n, total) }}
}

func (c *counter) moved(done, _ int64) {
	if n := done - c.now; n != 0 {
		c.now = done
		c.sent += n
		c.report(n)
	}
}

// undo takes back what a failed request had moved.
func (c *counter) undo() {
	if c.now > 0 {
		c.report(-c.now)
	}
}

func unreadable(path string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fail(object.CodeInternal, fmt.Sprintf("cannot upload %q: %s", path, err), err)
}

// absolute is how a journal names a file.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// abort drops an upload, even where ctx has ended, but nobody waits for it long.
// What is left of it, the bucket's lifecycle ends.
func (t *Transfers) abort(ctx context.Context, id string) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer stop()
	_ = t.client.Abort(ctx, id)
}
