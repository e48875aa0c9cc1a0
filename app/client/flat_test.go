package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"
)

// sparse is a file of zeros.
type sparse struct{ at, size int64 }

func (s *sparse) Read(b []byte) (int, error) {
	if s.at == s.size {
		return 0, io.EOF
	}
	n := min(int64(len(b)), s.size-s.at)
	clear(b[:n])
	s.at += n
	return int(n), nil
}

func (s *sparse) Seek(offset int64, _ int) (int64, error) {
	s.at += offset // whence is the start or the current place, and both are 0 here
	return s.at, nil
}

// TestMemoryAndGoroutinesStayFlat is not parallel: it counts what the whole
// process allocates and runs.
func TestMemoryAndGoroutinesStayFlat(t *testing.T) {
	const size, allowed = 256 << 20, 8 << 20
	before := runtime.NumGoroutine()
	f := newFake(t)
	f.storage = func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			if n, err := io.Copy(io.Discard, r.Body); n != size || err != nil {
				t.Errorf("received %d bytes, %v", n, err)
			}
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(size))
		_, _ = io.Copy(w, &sparse{size: size})
	}
	c := f.client(t)
	var start, end runtime.MemStats
	runtime.ReadMemStats(&start)
	if _, err := c.Upload(t.Context(), "large", &sparse{size: size}, size, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Download(t.Context(), "large", io.Discard, nil); err != nil || got.Size != size {
		t.Fatalf("%+v, %v", got, err)
	}
	runtime.ReadMemStats(&end)
	// All that was ever allocated, so no peak can hide from it.
	if used := end.TotalAlloc - start.TotalAlloc; used > allowed {
		t.Errorf("%d MiB moved twice, %d KiB allocated, at most %d wanted", size>>20, used>>10, allowed>>10)
	}

	f.setStorage(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := c.Upload(ctx, "large", &sparse{size: size}, size, func(done, _ int64) {
		if done > size/8 {
			cancel()
		}
	}); err == nil {
		t.Error("the cancelled upload did not fail")
	}
	c.Close()
	f.CloseClientConnections()
	f.Close()
	deadline := time.After(10 * time.Second)
	for runtime.NumGoroutine() > before {
		select {
		case <-deadline:
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		default:
			runtime.Gosched()
		}
	}
}
