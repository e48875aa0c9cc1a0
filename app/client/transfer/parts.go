package transfer

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
	"cloudstorage/app/object/upload"
)

// partsAhead is how many parts are read, and signed, before they are sent: what
// was read for its digest is still in the system's cache when it is sent.
const partsAhead = 8

// part is a part on its way.
type part struct {
	number        int
	first, length int64
	sum           [32]byte
	signed        object.Signed
}

// sendLarge uploads a file in parts.
func (t *Transfers) sendLarge(ctx context.Context, s *sending) (Outcome, error) {
	select {
	case t.large <- struct{}{}:
		defer func() { <-t.large }()
	case <-ctx.Done():
		return Outcome{}, fail(object.CodeInternal, "cancelled", context.Cause(ctx))
	}
	f, err := os.Open(s.Path)
	if err != nil {
		return Outcome{}, unreadable(s.Path, err)
	}
	defer f.Close()
	if s.info, err = f.Stat(); err != nil {
		return Outcome{}, unreadable(s.Path, err)
	}
	t.progress(s.Key, 0, s.info.Size())
	j, arrived, over, err := t.begin(ctx, s)
	if err != nil || over != nil {
		if over != nil {
			t.progress(s.Key, s.info.Size(), s.info.Size())
			return *over, err
		}
		return Outcome{}, err
	}
	u := &partsUpload{t: t, s: s, f: f, j: j, arrived: arrived}
	return u.run(ctx)
}

// begin goes on with an earlier try, or begins. It returns the parts that have
// arrived, or the outcome where the earlier try had been completed.
func (t *Transfers) begin(ctx context.Context, s *sending) (j *uploadJournal, arrived map[int]upload.Part, over *Outcome, err error) {
	j, stale := t.uploadJournal(s)
	if stale != "" {
		t.abort(ctx, stale)
	}
	if j.ID != "" {
		parts, err := t.client.Arrived(ctx, j.ID)
		switch {
		case err == nil:
			arrived = make(map[int]upload.Part, len(parts))
			for _, p := range parts {
				arrived[p.Number] = p
			}
			return j, arrived, nil, nil
		case !unknown(err):
			return nil, nil, nil, err
		}
		if info, err := t.completed(ctx, j); err == nil {
			j.forget()
			return nil, nil, &Outcome{ETag: info.ETag, Version: info.Version}, nil
		}
		j.ETag = ""
	}
	begun, err := t.client.Begin(ctx, client.UploadTerms{Key: s.Key, Size: s.info.Size(), Type: s.Type, PartSize: t.partSize(s.info.Size())})
	if err != nil {
		return nil, nil, nil, err
	}
	j.ID, j.Part = begun.ID, begun.PartSize
	err = j.save()
	return j, nil, nil, err
}

// unknown says whether an upload is not there any more, or never was: what a
// journal names may be anything.
func unknown(err error) bool {
	code := object.CodeOf(err)
	return code == object.CodeNotFound || code == object.CodeInvalid
}

// completed looks whether the file is there that an upload was to make.
func (t *Transfers) completed(ctx context.Context, j *uploadJournal) (object.Info, error) {
	if j.ETag == "" {
		return object.Info{}, fail(object.CodeNotFound, "not all of it had arrived", nil)
	}
	info, err := t.client.Stat(ctx, j.Key, "")
	if err == nil && info.ETag != j.ETag {
		err = fail(object.CodeNotFound, "somebody else has written it since", nil)
	}
	return info, err
}

// partsUpload is an upload in parts that is under way.
type partsUpload struct {
	t       *Transfers
	s       *sending
	f       *os.File
	j       *uploadJournal
	arrived map[int]upload.Part
	sent    atomic.Int64

	mu    sync.Mutex
	parts []upload.Part // by number, from 1
}

func (u *partsUpload) run(ctx context.Context) (Outcome, error) {
	plan, err := upload.NewPlan(u.s.info.Size(), u.j.Part)
	if err != nil {
		return Outcome{}, err
	}
	u.parts = make([]upload.Part, plan.Count)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	stages[*part]{
		ahead: partsAhead, preparers: 2, lanes: min(u.t.concurrency, plan.Count),
		prepare: func(p *part) bool {
			missing, err := u.read(ctx, p)
			if err != nil {
				stop(err)
			}
			return missing && err == nil
		},
		sign: func(batch []*part) []*part {
			if err := u.sign(ctx, batch); err != nil {
				stop(err)
				return nil
			}
			return batch
		},
		send: func(p *part) {
			if err := u.send(ctx, p); err != nil {
				stop(err)
			}
		},
	}.run(func(yield func(*part) bool) {
		for n := 1; n <= plan.Count; n++ {
			first, length := plan.Range(n)
			if ctx.Err() != nil || !yield(&part{number: n, first: first, length: length}) {
				return
			}
		}
	})
	o := Outcome{Moved: u.sent.Load()}
	if ctx.Err() != nil {
		return o, fatal(ctx)
	}
	if now, err := os.Stat(u.s.Path); err != nil || now.Size() != u.s.info.Size() || !now.ModTime().Equal(u.s.info.ModTime()) {
		u.j.forget()
		u.t.abort(ctx, u.j.ID)
		return o, unreadable(u.s.Path, client.ErrChanged)
	}
	info, err := u.t.complete(ctx, u.j, u.parts, u.s.IfNew)
	o.ETag, o.Version = info.ETag, info.Version
	return o, err
}

// fatal is the error that ended ctx.
func fatal(ctx context.Context) error {
	cause := context.Cause(ctx)
	if known := (*client.Error)(nil); errors.As(cause, &known) {
		return cause
	}
	return fail(object.CodeInternal, "cancelled", cause)
}

// read reads a part for its digest, and says whether it must be sent.
func (u *partsUpload) read(ctx context.Context, p *part) (missing bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	n, sum, err := u.t.sha256(io.NewSectionReader(u.f, p.first, p.length))
	if err == nil && n != p.length {
		err = client.ErrChanged
	}
	if err != nil {
		return false, unreadable(u.s.Path, err)
	}
	p.sum = sum
	there, found := u.arrived[p.number]
	if !found || there.Size != p.length {
		return true, nil
	}
	if same, err := u.same(p, there); err != nil || !same {
		return true, err
	}
	u.have(p, there.ETag)
	u.t.progress(u.s.Key, p.length, u.s.info.Size())
	return false, nil
}

// same compares a part with what has arrived under its number. A storage that
// tells no digests, as an emulator, tells the MD5 for an ETag.
func (u *partsUpload) same(p *part, there upload.Part) (bool, error) {
	if there.SHA256 != nil {
		return *there.SHA256 == p.sum, nil
	}
	h := md5.New()
	if _, err := io.Copy(h, io.NewSectionReader(u.f, p.first, p.length)); err != nil {
		return false, unreadable(u.s.Path, err)
	}
	return strings.Trim(there.ETag, `"`) == hex.EncodeToString(h.Sum(nil)), nil
}

func (u *partsUpload) have(p *part, etag string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.parts[p.number-1] = upload.Part{Number: p.number, ETag: etag, SHA256: &p.sum, Size: p.length}
}

func (u *partsUpload) sign(ctx context.Context, batch []*part) error {
	terms := make([]client.PartTerms, len(batch))
	for i, p := range batch {
		terms[i] = client.PartTerms{Number: p.number, Size: p.length, SHA256: p.sum}
	}
	signed, err := u.t.client.SignParts(ctx, u.j.ID, terms)
	if err != nil {
		return err
	}
	for i, p := range batch {
		p.signed = signed[i]
	}
	return nil
}

func (u *partsUpload) send(ctx context.Context, p *part) error {
	signed := true
	return u.t.retry(ctx, func(*attempts) error {
		if !signed || expired(p.signed) {
			if err := u.sign(ctx, []*part{p}); err != nil {
				return err
			}
		}
		count := u.t.counter(u.s.Key, u.s.info.Size())
		etag, err := u.t.client.Send(ctx, p.signed, u.s.Key, io.NewSectionReader(u.f, p.first, p.length), p.length, count.moved)
		u.sent.Add(count.sent)
		if err != nil {
			count.undo()
			if refused(err, http.StatusBadRequest) && !client.Temporary(err) {
				return unreadable(u.s.Path, client.ErrChanged) // since it was read for its digest
			}
			signed = !refused(err, http.StatusForbidden)
			return err
		}
		u.have(p, etag)
		return nil
	})
}

// complete makes the file. Where the answer to an earlier call was lost, there
// is no upload any more, or no room for a new file, but one with the ETag of these
// parts.
func (t *Transfers) complete(ctx context.Context, j *uploadJournal, parts []upload.Part, ifNew bool) (object.Info, error) {
	slices.SortFunc(parts, func(a, b upload.Part) int { return a.Number - b.Number })
	sums := make([][md5.Size]byte, len(parts))
	for i, p := range parts {
		if raw, err := hex.DecodeString(strings.Trim(p.ETag, `"`)); err == nil && len(raw) == md5.Size {
			sums[i] = [md5.Size]byte(raw)
		}
	}
	j.ETag = compositeETag(sums)
	if err := j.save(); err != nil {
		return object.Info{}, err
	}
	var info object.Info
	err := t.retry(ctx, func(*attempts) (err error) {
		info, err = t.client.Complete(ctx, j.ID, parts, upload.CompleteOptions{IfNew: ifNew})
		if code := object.CodeOf(err); code == object.CodeNotFound || code == object.CodePrecondition {
			if there, statErr := t.completed(ctx, j); statErr == nil {
				info, err = there, nil
			}
		}
		return err
	})
	switch {
	case err == nil:
		j.forget()
	case object.CodeOf(err) == object.CodePrecondition:
		j.forget()
		t.abort(ctx, j.ID)
	}
	return info, err
}
