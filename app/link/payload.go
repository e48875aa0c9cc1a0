package link

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"time"

	"cloudstorage/app/object"
)

// format is a payload's first byte, so that a later form can be told from this
// one: the id, when it ends (Unix seconds), who made it and the version, both
// with their lengths, and the key.
const format = 1

const (
	maxVersionBytes = 1024 // https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
	maxByBytes      = 300  // "oidc:" and a subject of 255
	maxPayloadBytes = 1 + idBytes + 3*binary.MaxVarintLen64 + maxByBytes + maxVersionBytes + object.MaxKeyBytes
)

// maxTokenBytes bounds what is decoded: a payload and what the seal adds.
var maxTokenBytes = base64.RawURLEncoding.EncodedLen(maxPayloadBytes + 64)

func encode(l Link) []byte {
	p := append([]byte{format}, l.ID[:]...)
	p = binary.AppendUvarint(p, uint64(l.Expires.Unix()))
	for _, s := range []string{l.By, l.Version} {
		p = binary.AppendUvarint(p, uint64(len(s)))
		p = append(p, s...)
	}
	return append(p, l.Key...)
}

// decode returns the link whose encoding p is, to the byte, or ErrBroken.
func decode(p []byte) (Link, error) {
	rest := p
	take := func(n uint64) []byte {
		if n > uint64(len(rest)) {
			rest = nil
			return nil
		}
		taken := rest[:n]
		rest = rest[n:]
		return taken
	}
	number := func() uint64 {
		n, size := binary.Uvarint(rest)
		take(uint64(max(size, 0)))
		return n
	}
	var l Link
	take(1)
	copy(l.ID[:], take(idBytes))
	l.Expires = time.Unix(int64(number()), 0).UTC()
	l.By = string(take(number()))
	l.Version = string(take(number()))
	key, err := object.ParseKey(string(rest))
	if err != nil || len(l.By) > maxByBytes || len(l.Version) > maxVersionBytes {
		return Link{}, ErrBroken
	}
	l.Key = key
	// Whatever went wrong above does not come out the same.
	if !bytes.Equal(encode(l), p) {
		return Link{}, ErrBroken
	}
	return l, nil
}
