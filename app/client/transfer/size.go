package transfer

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cloudstorage/app/object/upload"
)

const mib = 1 << 20

// The parts of large files: small enough that little is sent again, large enough
// that few requests are needed.
const (
	leastPart = 8 * mib
	mostPart  = 64 * mib
)

// partSize is the least that a part of a file of size bytes should have.
func (t *Transfers) partSize(size int64) int64 {
	if t.o.PartSize > 0 {
		return max(t.o.PartSize, upload.MinPart)
	}
	return partSize(size)
}

func partSize(size int64) int64 {
	return min(max(leastPart, (size/256+mib-1)/mib*mib), mostPart)
}

// partsOf reads how many parts an object was uploaded in off its ETag; 0 where it
// was uploaded as a whole, or the ETag is not of that form.
func partsOf(etag string) int {
	_, count, found := strings.Cut(strings.Trim(etag, `"`), "-")
	n, err := strconv.Atoi(count)
	if !found || err != nil || n < 1 {
		return 0
	}
	return n
}

// likelyPart guesses how large the parts are that an object of size bytes was
// uploaded in: as large as this package makes them, as other tools do, or else
// the least number of whole MiB that gives as many parts. 0 is no guess.
func likelyPart(size int64, parts int) int64 {
	cuts := func(part int64) bool { return part > 0 && (size+part-1)/part == int64(parts) }
	if plan, err := upload.NewPlan(size, partSize(size)); err == nil && plan.Count == parts {
		return plan.Part
	}
	for _, usual := range []int64{8, 5, 16, 50, 32, 64, 100, 128} {
		if cuts(usual * mib) {
			return usual * mib
		}
	}
	if least := (size/int64(parts) + mib - 1) / mib * mib; cuts(least) {
		return least
	}
	return 0
}

// compositeETag is the ETag of an object that was uploaded in parts with these
// MD5s.
func compositeETag(sums [][md5.Size]byte) string {
	all := md5.New()
	for _, sum := range sums {
		all.Write(sum[:])
	}
	return fmt.Sprintf(`"%x-%d"`, all.Sum(nil), len(sums))
}

// compositeSHA256 is how S3 tells the SHA-256 of an object that was uploaded in
// parts with these.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
func compositeSHA256(sums [][]byte) string {
	all := sha256.Sum256(slices.Concat(sums...))
	return fmt.Sprintf("%s-%d", base64.StdEncoding.EncodeToString(all[:]), len(sums))
}

// etagOf is the ETag of an object that was uploaded as a whole.
func etagOf(sum []byte) string { return `"` + hex.EncodeToString(sum) + `"` }

// plainMD5 says whether an ETag can be an MD5.
func plainMD5(etag string) bool {
	sum, err := hex.DecodeString(strings.Trim(etag, `"`))
	return err == nil && len(sum) == md5.Size
}
