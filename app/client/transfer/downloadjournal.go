package transfer

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

// downloadJournal says which ranges of a large file have arrived. Its file has a
// line of JSON about the source, then a line for each range: its number and the
// digest of its bytes, so that what the disk has lost since is noticed.
type downloadJournal struct {
	name string // of the file

	API      string     `json:"api"`
	Key      object.Key `json:"key"`
	Asked    string     `json:"asked,omitempty"` // the version that was asked for; "" is the newest
	Size     int64      `json:"size"`
	ETag     string     `json:"etag"`
	MD5      bool       `json:"md5"`
	SHA256   string     `json:"sha256,omitempty"` // of the digests of the ranges, where the storage tells; else they are MD5s
	Version  string     `json:"version,omitempty"`
	Modified time.Time  `json:"modified"`
	Range    int64      `json:"range"` // bytes of each but the last

	mu   sync.Mutex
	sums [][]byte
	file *os.File
}

// newJournal begins one for what is about to be fetched.
func (t *Transfers) newJournal(ctx context.Context, f *fetching, part *os.File, name string, content *client.Content) (*downloadJournal, error) {
	j := &downloadJournal{name: name, API: t.client.Address(), Key: f.Key, Asked: f.Version, Size: content.Size, ETag: content.ETag, MD5: content.MD5,
		Version: content.Version, Modified: content.Modified, Range: t.partSize(content.Size)}
	// Ranges that are the parts make the ETag comparable without reading again.
	if parts := partsOf(j.ETag); parts > 0 {
		if likely := likelyPart(j.Size, parts); likely > 0 && likely <= mostPart {
			j.Range = likely
			if info, err := t.client.Stat(ctx, f.Key, f.Version); err == nil && info.ETag == j.ETag && partsOf(info.SHA256) == parts {
				j.SHA256 = info.SHA256 // which is faster than MD5, and more is known by it
			}
		}
	}
	j.sums = make([][]byte, j.count())
	if err := part.Truncate(j.Size); err != nil {
		return nil, unwritable(f.Name, err)
	}
	text, err := json.Marshal(j)
	if err != nil {
		return nil, unwritable(f.Name, err)
	}
	if j.file, err = f.Dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666); err != nil {
		return nil, unwritable(f.Name, err)
	}
	if _, err := j.file.Write(append(text, '\n')); err != nil {
		j.close()
		return nil, unwritable(f.Name, err)
	}
	return j, nil
}

// openJournal returns the journal that an earlier try left for the same file,
// nil where there is none. Each range that it names is read again.
func (t *Transfers) openJournal(f *fetching, part *os.File, name string) *downloadJournal {
	file, err := f.Dir.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil
	}
	j := &downloadJournal{name: name, file: file}
	if t.load(f, j, part) != nil {
		j.close()
		_ = f.Dir.Remove(name)
		return nil
	}
	return j
}

func (t *Transfers) load(f *fetching, j *downloadJournal, part *os.File) error {
	lines := bufio.NewReader(j.file)
	head, err := lines.ReadBytes('\n')
	if err != nil {
		return err
	}
	if err := json.Unmarshal(head, j); err != nil {
		return err
	}
	info, err := part.Stat()
	if err != nil {
		return err
	}
	if j.API != t.client.Address() || j.Key != f.Key || j.Asked != f.Version || j.Size != info.Size() || j.Range < mib || j.ETag == "" {
		return fmt.Errorf("it is of another file")
	}
	j.sums = make([][]byte, j.count())
	whole := int64(len(head))
	for {
		line, err := lines.ReadString('\n')
		if err != nil { // the end, or a line that was cut
			break
		}
		whole += int64(len(line))
		number, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.Atoi(number)
		sum, err2 := hex.DecodeString(text)
		if err != nil || err2 != nil || n < 0 || n >= len(j.sums) || j.sums[n] != nil {
			continue // a disk was full
		}
		first, length := j.span(n)
		if got, err := t.digest(f, j.hash(), io.NewSectionReader(part, first, length)); err == nil && bytes.Equal(got, sum) {
			j.sums[n] = got
		}
	}
	if err := j.file.Truncate(whole); err != nil {
		return err
	}
	_, err = j.file.Seek(whole, io.SeekStart)
	return err
}

// note writes that a range has arrived.
func (j *downloadJournal) note(n int, sum []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sums[n] = sum
	_, err := fmt.Fprintf(j.file, "\n%d %x\n", n, sum) // whatever was cut stays on its own line
	return err
}

// hash returns what ranges are compared by.
func (j *downloadJournal) hash() hash.Hash {
	if j.SHA256 != "" {
		return sha256.New()
	}
	return md5.New()
}

func (j *downloadJournal) count() int64 { return (j.Size + j.Range - 1) / j.Range }

// span returns the first byte of a range, which is numbered from 0, and how many
// it has.
func (j *downloadJournal) span(n int) (first, length int64) {
	first = int64(n) * j.Range
	return first, min(j.Range, j.Size-first)
}

// have is how many bytes have arrived.
func (j *downloadJournal) have() (bytes int64) {
	for n, sum := range j.sums {
		if sum != nil {
			_, length := j.span(n)
			bytes += length
		}
	}
	return bytes
}

func (j *downloadJournal) close() { _ = j.file.Close() } // what was not written is fetched again
