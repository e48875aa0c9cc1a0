package transfer

import (
	"context"
	"crypto/md5"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

// fetchRanges fetches the ranges of a large file that the journal misses.
func (t *Transfers) fetchRanges(ctx context.Context, f *fetching, file *os.File, j *downloadJournal) (Outcome, error) {
	o := Outcome{Size: j.Size, ETag: j.ETag, Version: j.Version, Modified: j.Modified}
	select {
	case t.large <- struct{}{}:
		defer func() { <-t.large }()
	case <-ctx.Done():
		return o, fail(object.CodeInternal, "cancelled", context.Cause(ctx))
	}
	t.progress(f.Key, j.have(), j.Size)
	missing := make(chan int, len(j.sums))
	for n, sum := range j.sums {
		if sum == nil {
			missing <- n
		}
	}
	close(missing)
	if len(missing) == 0 { // all has arrived, but perhaps of a file that is another one now
		if err := t.unchanged(ctx, f, j); err != nil {
			return o, err
		}
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var moved atomic.Int64
	var workers sync.WaitGroup
	for range min(t.concurrency, len(missing)) {
		workers.Go(func() {
			own := &fetching{f.Remote, f.signature} // which is renewed here
			for n := range missing {
				if ctx.Err() != nil {
					return
				}
				if err := t.fetchRange(ctx, own, file, j, n, &moved); err != nil {
					stop(err)
					return
				}
			}
		})
	}
	workers.Wait()
	o.Moved = moved.Load()
	if ctx.Err() != nil {
		err := fatal(ctx)
		if object.CodeOf(err) == object.CodePrecondition {
			t.progress(f.Key, -j.have(), j.Size) // none of it counts any more
		}
		return o, err
	}
	verified, err := t.verify(f, file, j)
	o.Verified = verified
	if err != nil {
		_ = f.Dir.Remove(j.name) // nothing of it can be trusted
		return o, err
	}
	if err := file.Sync(); err != nil {
		return o, unwritable(f.Name, err)
	}
	return o, nil
}

// unchanged asks whether the file in the storage still is the one that was
// fetched.
func (t *Transfers) unchanged(ctx context.Context, f *fetching, j *downloadJournal) error {
	return t.retry(ctx, func(*attempts) error {
		content, err := t.open(ctx, f, client.Want{Length: 1, IfMatch: j.ETag})
		if err != nil {
			return err
		}
		return content.Close()
	})
}

// fetchRange fetches range n. What came before a connection broke is kept, and as
// long as more comes, it is tried on.
func (t *Transfers) fetchRange(ctx context.Context, f *fetching, file *os.File, j *downloadJournal, n int, moved *atomic.Int64) error {
	first, length := j.span(n)
	sum, got := j.hash(), int64(0)
	defer func() { moved.Add(got) }()
	err := t.retry(ctx, func(a *attempts) error {
		content, err := t.open(ctx, f, client.Want{First: first + got, Length: length - got, IfMatch: j.ETag})
		if err != nil {
			return err
		}
		defer content.Close()
		if content.ETag != j.ETag || content.Size != j.Size || content.Length != length-got {
			return fail(object.CodePrecondition, fmt.Sprintf("'%s' changed in the storage while it was being downloaded", f.Key), nil)
		}
		arrived, err := t.copyAt(f, file, first+got, content, j.Size, sum)
		if got += arrived; arrived > 0 {
			a.gotOn()
		}
		return err
	})
	if err != nil {
		t.progress(f.Key, -got, j.Size)
		return err
	}
	writeBack(file, first, length)
	if err := j.note(n, sum.Sum(nil)); err != nil {
		return unwritable(f.Name, err)
	}
	return nil
}

// verify compares the whole with the ETag. An ETag of parts whose size is not
// known cannot be compared, and neither can one that differs only because the
// size was guessed wrong.
func (t *Transfers) verify(f *fetching, file *os.File, j *downloadJournal) (verified bool, err error) {
	if j.SHA256 != "" {
		return compositeSHA256(j.sums) == j.SHA256, nil
	}
	if !j.MD5 {
		return false, nil
	}
	parts := partsOf(j.ETag)
	if parts == len(j.sums) {
		sums := make([][md5.Size]byte, parts)
		for n, sum := range j.sums {
			sums[n] = [md5.Size]byte(sum)
		}
		return compositeETag(sums) == j.ETag, nil
	}
	if parts > 0 {
		return t.isComposite(f, file, j.Size, j.ETag)
	}
	if !plainMD5(j.ETag) {
		return false, nil
	}
	sum, err := t.digest(f, md5.New(), io.NewSectionReader(file, 0, j.Size))
	if err == nil && etagOf(sum) != j.ETag {
		err = corrupt(f)
	}
	return err == nil, err
}

// isComposite reads the file again and says whether its ETag is that of parts of
// the likely size.
func (t *Transfers) isComposite(f *fetching, file *os.File, size int64, etag string) (bool, error) {
	part := likelyPart(size, partsOf(etag))
	if part == 0 {
		return false, nil
	}
	var sums [][md5.Size]byte
	for first := int64(0); first < size; first += part {
		sum, err := t.digest(f, md5.New(), io.NewSectionReader(file, first, min(part, size-first)))
		if err != nil {
			return false, err
		}
		sums = append(sums, [md5.Size]byte(sum))
	}
	return compositeETag(sums) == etag, nil
}

// digest reads r to its end.
func (t *Transfers) digest(f *fetching, h hash.Hash, r io.Reader) ([]byte, error) {
	buffer := t.buffers.Get().(*[]byte)
	defer t.buffers.Put(buffer)
	if _, err := io.CopyBuffer(h, struct{ io.Reader }{r}, *buffer); err != nil {
		return nil, unwritable(f.Name, err)
	}
	return h.Sum(nil), nil
}
