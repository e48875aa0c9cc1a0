package transfer

import (
	"context"
	"crypto/md5"
	"io"
)

// Same reads size bytes of r and says whether they are the content that has an
// ETag in the storage. It does not know where the ETag is that of parts whose
// size cannot be guessed. Where the storage encrypts with a key of KMS, no content
// has its ETag.
func Same(ctx context.Context, r io.ReaderAt, size int64, etag string) (same, known bool, err error) {
	part, parts := max(size, 1), partsOf(etag)
	switch {
	case parts > 1:
		if part = likelyPart(size, parts); part == 0 {
			return false, false, nil
		}
	case parts == 0 && !plainMD5(etag):
		return false, false, nil
	}
	buffer := make([]byte, copyBuffer)
	var sums [][md5.Size]byte
	for first := int64(0); first < size || first == 0; first += part {
		h := md5.New()
		section := io.NewSectionReader(r, first, min(part, size-first))
		if _, err := io.CopyBuffer(h, cancelled{ctx, section}, buffer); err != nil {
			return false, false, err
		}
		sums = append(sums, [md5.Size]byte(h.Sum(nil)))
	}
	switch parts {
	case 0:
		return etagOf(sums[0][:]) == etag, true, nil
	case 1:
		return compositeETag(sums) == etag, true, nil
	}
	same = compositeETag(sums) == etag
	return same, same, nil // the size may have been guessed wrong
}

// cancelled reads until ctx ends.
type cancelled struct {
	ctx context.Context
	r   io.Reader
}

func (c cancelled) Read(p []byte) (int, error) {
	if err := context.Cause(c.ctx); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
