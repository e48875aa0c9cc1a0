package transfer_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"cloudstorage/app/client"
	"cloudstorage/app/client/transfer"
	"cloudstorage/app/object"
)

func TestStreamsGoUpAndComeBack(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, size := range []int{0, 1, 5*mib - 1, 5 * mib, 5*mib + 1, 31*mib + 7} {
		var at atomic.Int64
		x := transfer.New(s.client, transfer.Options{PartSize: 5 * mib, Concurrency: 3, Progress: func(_ object.Key, n, _ int64) { at.Add(n) }})
		b := content(uint64(size), size)
		k := object.Key(fmt.Sprint(size))
		o, err := x.UploadFrom(t.Context(), transfer.File{Key: k}, iotest.HalfReader(bytes.NewReader(b)))
		if err != nil || !o.Verified || o.Size != int64(size) || o.Moved != o.Size || at.Swap(0) != o.Size {
			t.Errorf("%d bytes up: %+v, %v", size, o, err)
			continue
		}
		var got bytes.Buffer
		o, err = x.DownloadTo(t.Context(), transfer.Remote{Key: k, Size: client.UnknownSize}, &got)
		if err != nil || o.Size != int64(size) || o.Moved != o.Size || at.Load() != o.Size || o.Verified != (size < 5*mib) {
			t.Errorf("%d bytes down: %+v, %v", size, o, err)
		}
		same(t, string(k), got.Bytes(), b)
	}
}

func TestAStreamThatBreaksIsNotStored(t *testing.T) {
	t.Parallel()
	s := start(t)
	x := transfer.New(s.client, transfer.Options{PartSize: 5 * mib})
	broken := io.MultiReader(bytes.NewReader(content(1, 12*mib)), iotest.ErrReader(errors.New("the pipe broke")))
	if _, err := x.UploadFrom(t.Context(), transfer.File{Key: "x"}, broken); err == nil || object.CodeOf(err) != object.CodeInternal {
		t.Errorf("%v", err)
	}
	if _, err := s.client.Stat(t.Context(), "x", ""); object.CodeOf(err) != object.CodeNotFound {
		t.Errorf("something was stored: %v", err)
	}
}

func TestAStreamGoesOnOverAnotherConnection(t *testing.T) {
	t.Parallel()
	s, p := throughToxic(t)
	b := content(1, 17*mib)
	s.put("x", b)
	p.Add(t, cutAfter(3*mib, "downstream"))
	var got bytes.Buffer
	o, err := transfer.New(s.client, transfer.Options{}).DownloadTo(t.Context(), transfer.Remote{Key: "x", Size: client.UnknownSize}, &got)
	if err != nil || !o.Verified || o.Moved != int64(len(b)) {
		t.Errorf("%+v, %v", o, err)
	}
	same(t, "x", got.Bytes(), b)
}

func TestAStreamNeverMixesTwoFiles(t *testing.T) {
	t.Parallel()
	s, st := throughStorm(t)
	s.put("x", content(1, 100_000))
	var n atomic.Int64
	st.set(func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) == 1 {
			w.Header().Set("Content-Length", "100000")
			w.Header().Set("ETag", `"another"`)
			w.WriteHeader(http.StatusOK)
			_, _ = w.Write(make([]byte, 5000))
		}
	})
	var got bytes.Buffer
	if _, err := transfer.New(s.client, transfer.Options{}).DownloadTo(t.Context(), transfer.Remote{Key: "x"}, &got); object.CodeOf(err) != object.CodePrecondition || got.Len() != 5000 {
		t.Errorf("%d bytes, %v", got.Len(), err)
	}
}
