package transfer_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"testing"

	"cloudstorage/app/client/transfer"
)

// etag is what S3 calls content that was uploaded in parts; in one request where
// part is 0.
func etag(b []byte, part int) string {
	if part == 0 {
		return fmt.Sprintf(`"%x"`, md5.Sum(b))
	}
	var sums []byte
	n := 0
	for first := 0; first < len(b) || n == 0; first += part {
		sum := md5.Sum(b[first:min(first+part, len(b))])
		sums = append(sums, sum[:]...)
		n++
	}
	return fmt.Sprintf(`"%x-%d"`, md5.Sum(sums), n)
}

func TestContentIsComparedWithAnETag(t *testing.T) {
	t.Parallel()
	large, small := content(1, 20*mib), content(2, 1000)
	for name, tt := range map[string]struct {
		content     []byte
		etag        string
		same, known bool
	}{
		"one request":                  {small, etag(small, 0), true, true},
		"one request, other content":   {small, etag(large, 0), false, true},
		"nothing":                      {nil, etag(nil, 0), true, true},
		"one part":                     {small, etag(small, 5*mib), true, true},
		"one part, other content":      {small, etag(large[:1000], 5*mib), false, true},
		"nothing, in one part":         {nil, etag(nil, 5*mib), true, true},
		"parts of 8 MiB":               {large, etag(large, 8*mib), true, true},
		"parts of 5 MiB":               {large, etag(large, 5*mib), true, true},
		"parts of an unusual size":     {large, etag(large, 7*mib), false, false},
		"parts, other content":         {large, etag(content(3, 20*mib), 8*mib), false, false},
		"more parts than there can be": {small, `"d41d8cd98f00b204e9800998ecf8427e-2000"`, false, false},
		"no MD5":                       {small, `"x"`, false, false},
		"nothing is told":              {small, "", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			same, known, err := transfer.Same(t.Context(), bytes.NewReader(tt.content), int64(len(tt.content)), tt.etag)
			if same != tt.same || known != tt.known || err != nil {
				t.Errorf("same: %t, known: %t, %v; want %t, %t", same, known, err, tt.same, tt.known)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := transfer.Same(ctx, bytes.NewReader(small), 1000, etag(small, 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
