package transfer

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

// Remote is a file of the storage that is to be downloaded.
type Remote struct {
	Key     object.Key
	Version string // "" is the newest
	Size    int64  // bytes, as a listing tells; client.UnknownSize where nobody told

	// Dir is where it goes, and Name what it is called there, with slashes:
	// folders are made, and no name and no link leads out of Dir.
	Dir  *os.Root
	Name string
}

// fetching is a file on its way.
type fetching struct {
	Remote
	signature client.Signature
}

var errCorrupt = errors.New("its content is not what the storage says it is")

// Download downloads files and tells done of each what became of it, one at a
// time, in the order in which they end. When ctx ends, no further file is begun.
//
// A file of that name is replaced as a whole, when all of the new one is there
// and checked; until then it grows in a hidden one beside it (.name.part). A
// large file is read in several ranges at once, and what has arrived is not
// fetched again by the next try, unless the file has changed in the storage.
func (t *Transfers) Download(ctx context.Context, files iter.Seq[Remote], done func(Outcome)) {
	var one sync.Mutex
	stages[*fetching]{
		ahead: batchAhead, preparers: 1, lanes: t.concurrency,
		prepare: func(*fetching) bool { return true },
		sign:    func(batch []*fetching) []*fetching { t.signReads(ctx, batch); return batch },
		send: func(f *fetching) {
			o, err := t.fetch(ctx, f)
			o.Key, o.Path, o.Err = f.Key, filepath.Join(f.Dir.Name(), filepath.FromSlash(f.Name)), err
			one.Lock()
			defer one.Unlock()
			done(o)
		},
	}.run(func(yield func(*fetching) bool) {
		for r := range files {
			if ctx.Err() != nil || !yield(&fetching{Remote: r}) {
				return
			}
		}
	})
}

func (t *Transfers) signReads(ctx context.Context, batch []*fetching) {
	terms := make([]client.ReadTerms, len(batch))
	for i, f := range batch {
		terms[i] = client.ReadTerms{Key: f.Key, Version: f.Version}
	}
	signatures, err := t.client.SignReads(ctx, terms)
	for i, f := range batch {
		if err != nil {
			f.signature = client.Signature{Err: err}
		} else {
			f.signature = signatures[i]
		}
	}
}

// open asks for bytes of the file, with a new signature where the old one has
// ended.
func (t *Transfers) open(ctx context.Context, f *fetching, w client.Want) (*client.Content, error) {
	if f.signature.Err == nil && expired(f.signature.Signed) || client.Temporary(f.signature.Err) {
		t.signReads(ctx, []*fetching{f})
	}
	if f.signature.Err != nil {
		return nil, f.signature.Err
	}
	content, err := t.client.Open(ctx, f.signature.Signed, f.Key, w)
	if refused(err, http.StatusForbidden) {
		f.signature.Expires = time.Unix(0, 0) // S3's clock says that it has ended
	}
	return content, err
}

// names returns what the file and its hidden ones are called.
func (f *fetching) names() (part, journal string) {
	dir, base := path.Split(f.Name)
	const longest = 255 - len("..part.journal") // what all common file systems take
	if len(base) > longest {
		sum := md5.Sum([]byte(base))
		base = fmt.Sprintf("%s.%x", strings.ToValidUTF8(base[:longest-1-2*len(sum)], ""), sum)
	}
	part = dir + "." + base + ".part"
	return part, part + ".journal"
}

// isHidden says whether a file of that name would be another one's hidden file:
// what somebody stored under such a name is not taken for what has arrived.
func isHidden(name string) bool {
	base := strings.ToLower(path.Base(name))
	return strings.HasPrefix(base, ".") && (strings.HasSuffix(base, ".part") || strings.HasSuffix(base, ".part.journal"))
}

// fetch downloads one file.
func (t *Transfers) fetch(ctx context.Context, f *fetching) (Outcome, error) {
	part, journal := f.names()
	switch {
	case !fs.ValidPath(f.Name) || f.Name == ".":
		return Outcome{}, fail(object.CodeInvalid, fmt.Sprintf("cannot save %q as %q: that is no file name on this system", f.Key, f.Name), nil)
	case isHidden(f.Name):
		return Outcome{}, fail(object.CodeInvalid, fmt.Sprintf("cannot save %q: a file named %q is another one's half: give it another name", f.Key, path.Base(f.Name)), nil)
	}
	if info, err := f.Dir.Lstat(f.Name); err == nil && !info.Mode().IsRegular() && info.Mode()&fs.ModeSymlink == 0 {
		return Outcome{}, fail(object.CodeInvalid, fmt.Sprintf("cannot save %q: something of that name is there which is no file", f.Name), nil)
	}
	file, err := f.create(part)
	if err != nil {
		return Outcome{}, unwritable(f.Name, err)
	}
	defer file.Close()
	if err := f.own(file, part); err != nil {
		return Outcome{}, fail(object.CodeConflict, fmt.Sprintf("cannot save %q: another download of it is under way, or %q is no file", f.Name, part), err)
	}
	var o Outcome
	for n := 1; ; n++ {
		moved := o.Moved
		o, err = t.fetchInto(ctx, f, file, journal)
		o.Moved += moved
		if object.CodeOf(err) != object.CodePrecondition || n == restarts {
			break
		}
		// It has changed in the storage. Nothing of the two is mixed.
		_ = f.Dir.Remove(journal)
	}
	if err != nil {
		if _, statErr := f.Dir.Lstat(journal); statErr != nil {
			_ = f.Dir.Remove(part) // it is of no use to the next try
		}
		return o, err
	}
	if err := f.publish(file, part); err != nil {
		return o, unwritable(f.Name, err)
	}
	if f.Dir.Remove(journal) == nil { // there was one, so the file is worth waiting for
		err = f.syncDir()
	}
	return o, err
}

// create opens a hidden file, and makes its folder where it is missing.
func (f *fetching) create(name string) (*os.File, error) {
	file, err := f.Dir.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
	if errors.Is(err, fs.ErrNotExist) {
		if err := f.Dir.MkdirAll(path.Dir(name), 0o777); err != nil {
			return nil, err
		}
		file, err = f.Dir.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
	}
	return file, err
}

// own locks the hidden file, if it still is one: it was opened before, and may
// have got its real name since.
func (f *fetching) own(file *os.File, part string) error {
	if err := lock(file); err != nil {
		return err
	}
	return f.same(file, part)
}

// same fails where the hidden file is not what its name leads to.
func (f *fetching) same(file *os.File, part string) error {
	mine, err := file.Stat()
	if err != nil {
		return err
	}
	named, err := f.Dir.Lstat(part)
	if err == nil && !os.SameFile(mine, named) {
		err = fs.ErrExist
	}
	return err
}

// publish gives the hidden file its name, while nobody else can write it.
func (f *fetching) publish(file *os.File, part string) error {
	if !renamesOpen {
		if err := file.Close(); err != nil {
			return err
		}
		return f.Dir.Rename(part, f.Name)
	}
	if err := f.same(file, part); err != nil { // somebody else has moved it
		return err
	}
	if err := f.Dir.Rename(part, f.Name); err != nil {
		return err
	}
	return file.Close()
}

// syncDir makes the name last, as the content does.
func (f *fetching) syncDir() error {
	dir, err := f.Dir.Open(path.Dir(f.Name))
	if err != nil {
		return unwritable(f.Name, err)
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrInvalid) && !errors.Is(err, fs.ErrPermission) {
		return unwritable(f.Name, err)
	}
	return nil
}

// fetchInto fills the hidden file.
func (t *Transfers) fetchInto(ctx context.Context, f *fetching, file *os.File, journal string) (Outcome, error) {
	if j := t.openJournal(f, file, journal); j != nil {
		defer j.close()
		return t.fetchRanges(ctx, f, file, j)
	}
	if err := shorten(file, 0); err != nil {
		return Outcome{}, unwritable(f.Name, err)
	}
	t.progress(f.Key, 0, f.Size)
	var o Outcome
	var large *client.Content
	err := t.retry(ctx, func(*attempts) error {
		first := client.Want{Length: partSize(0)}
		switch {
		case f.Size > first.Length:
			first.Length = 1 // only to see what it is
		case f.Size >= 0:
			first.Length = 0
		}
		content, err := t.open(ctx, f, first)
		if object.CodeOf(err) == object.CodeUnsatisfiable { // an empty file has no range
			content, err = t.open(ctx, f, client.Want{})
		}
		if err != nil {
			return err
		}
		defer content.Close()
		if content.Length < content.Size {
			large = content
			return nil
		}
		o, err = t.fetchWhole(f, file, content, o.Moved)
		return err
	})
	if err != nil || large == nil {
		return o, err
	}
	j, err := t.newJournal(ctx, f, file, journal, large)
	if err != nil {
		return o, err
	}
	defer j.close()
	return t.fetchRanges(ctx, f, file, j)
}

// fetchWhole reads a file that one request reads.
func (t *Transfers) fetchWhole(f *fetching, file *os.File, content *client.Content, moved int64) (Outcome, error) {
	sum := md5.New()
	n, err := t.copyAt(f, file, 0, content, content.Size, sum)
	o := Outcome{Size: content.Size, Moved: moved + n, ETag: content.ETag, Version: content.Version, Modified: content.Modified}
	if err != nil {
		t.progress(f.Key, -n, content.Size)
		return o, err
	}
	if err := shorten(file, content.Size); err != nil { // an earlier try may have had more
		return o, unwritable(f.Name, err)
	}
	o.Verified, err = check(f, content, sum)
	if content.MD5 && partsOf(content.ETag) > 1 {
		o.Verified, err = t.isComposite(f, file, content.Size, content.ETag)
	}
	if err != nil {
		t.progress(f.Key, -n, content.Size)
	}
	return o, err
}

// shorten cuts a file off behind size bytes, and does nothing to one that has no
// more: ext4 writes to the disk, when it is closed, whatever was ever cut to
// nothing, even from nothing. Writing many small files takes twice as long then.
// Source: auto_da_alloc in https://docs.kernel.org/admin-guide/ext4.html
func shorten(file *os.File, size int64) error {
	info, err := file.Stat()
	if err != nil || info.Size() <= size {
		return err
	}
	return file.Truncate(size)
}

// check compares the MD5 of what has arrived with the ETag, where that is one.
func check(f *fetching, content *client.Content, sum hash.Hash) (verified bool, err error) {
	got := sum.Sum(nil)
	switch {
	case !content.MD5:
		return false, nil
	case content.ETag == etagOf(got), content.ETag == compositeETag([][md5.Size]byte{[md5.Size]byte(got)}):
		return true, nil
	case plainMD5(content.ETag):
		return false, corrupt(f)
	}
	return false, nil
}

// copyAt writes content into the file and returns how many bytes.
func (t *Transfers) copyAt(f *fetching, file *os.File, first int64, content *client.Content, total int64, sum hash.Hash) (int64, error) {
	buffer := t.buffers.Get().(*[]byte)
	defer t.buffers.Put(buffer)
	n := int64(0)
	for {
		k, err := content.Read(*buffer)
		if k > 0 {
			content.Rest()
			sum.Write((*buffer)[:k])
			if _, err := file.WriteAt((*buffer)[:k], first+n); err != nil {
				return n, unwritable(f.Name, err)
			}
			n += int64(k)
			t.progress(f.Key, int64(k), total)
		}
		switch {
		case errors.Is(err, io.EOF) && n == content.Length:
			return n, nil
		case errors.Is(err, io.EOF):
			return n, io.ErrUnexpectedEOF
		case err != nil:
			return n, err
		}
	}
}

func corrupt(f *fetching) error {
	return fail(object.CodeInternal, fmt.Sprintf("the download of '%s' failed: %s", f.Key, errCorrupt), errCorrupt)
}

func unwritable(name string, err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		err = p.Err
	case errors.As(err, &l):
		err = l.Err
	}
	return fail(object.CodeInternal, fmt.Sprintf("cannot save %q: %s", name, err), err)
}
