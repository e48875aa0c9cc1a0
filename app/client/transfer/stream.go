package transfer

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
	"cloudstorage/app/object/mediatype"
	"cloudstorage/app/object/upload"
)

// streamMemory bounds what an upload of unknown size keeps, in bytes: a part
// must be kept until the storage has it.
const streamMemory = 64 * mib

// UploadFrom uploads what r holds, to its end, under f.Key; f.Path is not read.
// It is sent in parts of Options.PartSize, 8 MiB if that is 0, of which there can
// be 10,000, and at most 64 MiB of it are in memory (two parts, where one has
// more than half of that). What r gives is gone, so an interrupted upload cannot
// go on: what had arrived is dropped.
func (t *Transfers) UploadFrom(ctx context.Context, f File, r io.Reader) (Outcome, error) {
	f.Type = cmp.Or(f.Type, mediatype.OrUnknown(f.Key))
	size := t.partSize(0)
	first := make([]byte, size)
	n, err := io.ReadFull(r, first)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return t.sendBytes(ctx, f, first[:n])
	case err != nil:
		return Outcome{Key: f.Key}, unreadable(string(f.Key), err)
	}
	begun, err := t.client.Begin(ctx, client.UploadTerms{Key: f.Key, Size: client.UnknownSize, Type: f.Type})
	if err != nil {
		return Outcome{Key: f.Key}, err
	}
	u := &streamUpload{t: t, f: f, id: begun.ID}
	o, err := u.run(ctx, r, first)
	o.Key, o.Verified = f.Key, err == nil
	if err != nil {
		t.abort(ctx, u.id)
	}
	return o, err
}

// sendBytes uploads what one request sends.
func (t *Transfers) sendBytes(ctx context.Context, f File, b []byte) (Outcome, error) {
	size := int64(len(b))
	o := Outcome{Key: f.Key, Size: size}
	t.progress(f.Key, 0, size)
	terms := []client.WriteTerms{{Key: f.Key, Type: f.Type, Size: size, SHA256: sha256.Sum256(b), IfNew: f.IfNew}}
	err := t.retry(ctx, func(*attempts) error {
		signatures, err := t.client.SignWrites(ctx, terms)
		if err == nil {
			err = signatures[0].Err
		}
		if err != nil {
			return err
		}
		count := t.counter(f.Key, size)
		o.ETag, err = t.client.Send(ctx, signatures[0].Signed, f.Key, bytes.NewReader(b), size, count.moved)
		o.Moved += count.sent
		if err != nil {
			count.undo()
		}
		return err
	})
	o.Verified = err == nil
	return o, err
}

// streamUpload is an upload of unknown size.
type streamUpload struct {
	t    *Transfers
	f    File
	id   string
	sent atomic.Int64

	mu    sync.Mutex
	parts []upload.Part
}

func (u *streamUpload) run(ctx context.Context, r io.Reader, first []byte) (Outcome, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	u.t.progress(u.f.Key, 0, client.UnknownSize)
	lanes := max(2, min(u.t.concurrency, streamMemory/len(first)))
	free := make(chan []byte, lanes) // the buffers; the first is in use
	for range lanes - 1 {
		free <- nil // made when it is needed
	}
	var sending sync.WaitGroup
	var size int64
	buffer, n := first, len(first)
	for number := 1; ; number++ {
		size += int64(n)
		b := buffer
		part := b[:n]
		sending.Go(func() {
			if err := u.send(ctx, number, part); err != nil {
				stop(err)
			}
			free <- b
		})
		if n < len(first) {
			break
		}
		select {
		case buffer = <-free:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		if buffer == nil {
			buffer = make([]byte, len(first))
		}
		var err error
		n, err = io.ReadFull(r, buffer)
		if errors.Is(err, io.EOF) { // the part before was the last
			break
		}
		if err == nil && number == upload.MaxParts {
			err = fmt.Errorf("it has more than %d parts of %d bytes: ask for larger ones", upload.MaxParts, len(first))
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			stop(unreadable(string(u.f.Key), err))
			break
		}
	}
	sending.Wait()
	o := Outcome{Size: size, Moved: u.sent.Load()}
	if ctx.Err() != nil {
		return o, fatal(ctx)
	}
	j := &uploadJournal{Key: u.f.Key, ID: u.id}
	info, err := u.t.complete(ctx, j, u.parts, u.f.IfNew)
	o.ETag, o.Version = info.ETag, info.Version
	return o, err
}

func (u *streamUpload) send(ctx context.Context, number int, b []byte) error {
	sum := sha256.Sum256(b)
	size := int64(len(b))
	return u.t.retry(ctx, func(*attempts) error {
		signed, err := u.t.client.SignParts(ctx, u.id, []client.PartTerms{{Number: number, Size: size, SHA256: sum}})
		if err != nil {
			return err
		}
		count := u.t.counter(u.f.Key, client.UnknownSize)
		etag, err := u.t.client.Send(ctx, signed[0], u.f.Key, bytes.NewReader(b), size, count.moved)
		u.sent.Add(count.sent)
		if err != nil {
			count.undo()
			return err
		}
		u.mu.Lock()
		defer u.mu.Unlock()
		u.parts = append(u.parts, upload.Part{Number: number, ETag: etag, SHA256: &sum, Size: size})
		return nil
	})
}

// DownloadTo writes a file to w, in the order of its bytes, over one connection
// after the other where one breaks; what was written is not fetched again. If
// the file changes in the storage meanwhile, that is object.CodePrecondition:
// what was written is of the file as it was. r.Dir and r.Name are not used.
func (t *Transfers) DownloadTo(ctx context.Context, r Remote, w io.Writer) (Outcome, error) {
	f := &fetching{Remote: r}
	t.signReads(ctx, []*fetching{f})
	o := Outcome{Key: r.Key}
	sum := md5.New()
	var checked bool
	t.progress(r.Key, 0, r.Size)
	var own error // of w
	err := t.retry(ctx, func(a *attempts) error {
		content, err := t.open(ctx, f, client.Want{First: o.Moved, Length: o.Size - o.Moved, IfMatch: o.ETag})
		if err != nil {
			return err
		}
		defer content.Close()
		if o.ETag != "" && content.ETag != o.ETag {
			return fail(object.CodePrecondition, fmt.Sprintf("'%s' changed in the storage while it was being downloaded", r.Key), nil)
		}
		o.Size, o.ETag, o.Version, o.Modified, checked = content.Size, content.ETag, content.Version, content.Modified, content.MD5
		own, err = t.pipe(w, content, func(b []byte) {
			sum.Write(b)
			o.Moved += int64(len(b))
			t.progress(r.Key, int64(len(b)), o.Size)
			a.gotOn()
		})
		return err
	})
	if own != nil {
		return o, fail(object.CodeInternal, fmt.Sprintf("cannot write '%s': %s", r.Key, own), own)
	}
	if err != nil {
		return o, err
	}
	if got := etagOf(sum.Sum(nil)); checked && plainMD5(o.ETag) {
		if o.Verified = got == o.ETag; !o.Verified {
			return o, corrupt(f)
		}
	}
	return o, nil
}

// pipe copies content to w; own is w's failure, err that of the content.
func (t *Transfers) pipe(w io.Writer, content *client.Content, wrote func([]byte)) (own, err error) {
	buffer := t.buffers.Get().(*[]byte)
	defer t.buffers.Put(buffer)
	left := content.Length
	for {
		n, err := content.Read(*buffer)
		if n > 0 {
			content.Rest()
			if _, err := w.Write((*buffer)[:n]); err != nil {
				return err, nil
			}
			left -= int64(n)
			wrote((*buffer)[:n])
		}
		switch {
		case errors.Is(err, io.EOF) && left == 0:
			return nil, nil
		case errors.Is(err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		}
	}
}
