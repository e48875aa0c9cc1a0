package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cloudstorage/app/client"
	"cloudstorage/app/client/transfer"
	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/e2e/toxictest"
	"cloudstorage/app/object"
)

// cutAfter ends every connection after so many bytes of requests or answers.
func cutAfter(n int, stream string) toxictest.Toxic {
	return toxictest.Toxic{Type: "limit_data", Stream: stream, Attributes: map[string]int{"bytes": n}}
}

// throughToxic is a system whose signed URLs lead through a network that fails.
func throughToxic(t *testing.T) (*system, toxictest.Proxy) {
	t.Helper()
	g := gatewaytest.Start(t)
	p := toxictest.Start(t, g.Endpoint)
	g.Endpoint = p.URL
	return startOn(t, g, nil), p
}

// roundTrip moves files up and down, large and small, and compares.
func roundTrip(t *testing.T, x *transfer.Transfers) {
	t.Helper()
	local, dir := t.TempDir(), root(t)
	var files []transfer.File
	var remotes []transfer.Remote
	for i, size := range []int{12*mib + 7, 3000, 70_000, 0} {
		k := object.Key(fmt.Sprint(i))
		files = append(files, transfer.File{Key: k, Path: write(t, filepath.Join(local, string(k)), content(uint64(i), size))})
		remotes = append(remotes, transfer.Remote{Key: k, Size: client.UnknownSize, Dir: dir, Name: string(k)})
	}
	for k, o := range upload(t, x, files...) {
		if o.Err != nil {
			t.Errorf("upload %s: %v", k, o.Err)
		}
	}
	for k, o := range download(t, x, remotes...) {
		if o.Err != nil || !o.Verified {
			t.Errorf("download %s: %v, verified %v", k, o.Err, o.Verified)
			continue
		}
		want, err := os.ReadFile(filepath.Join(local, string(k)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := dir.ReadFile(string(k))
		if err != nil {
			t.Fatal(err)
		}
		same(t, string(k), got, want)
	}
	hidden(t, dir)
}

func TestAFailingNetworkIsGotOver(t *testing.T) {
	t.Parallel()
	for name, toxic := range map[string]toxictest.Toxic{
		"answers cut after 4 MiB":  cutAfter(4*mib, "downstream"),
		"requests cut after 6 MiB": cutAfter(6*mib, "upstream"),
		"latency":                  {Type: "latency", Stream: "downstream", Attributes: map[string]int{"latency": 30, "jitter": 20}},
		"slices":                   {Type: "slicer", Stream: "downstream", Attributes: map[string]int{"average_size": 30_000, "size_variation": 20_000, "delay": 10}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := throughToxic(t)
			p.Add(t, toxic)
			roundTrip(t, transfer.New(s.client, transfer.Options{PartSize: 5 * mib, State: t.TempDir()}))
		})
	}
}

// storm is a proxy between the clients and the storage that answers in its place
// now and then.
type storm struct {
	*httptest.Server
	answer atomic.Pointer[http.HandlerFunc] // says whether it did by what it wrote
}

func newStorm(t *testing.T, g gatewaytest.Gateway) *storm {
	t.Helper()
	u, err := url.Parse(g.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(u)
		r.Out.Host = r.In.Host // which is signed
	}}
	s := &storm{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := s.answer.Load(); h != nil && r.URL.Query().Has("X-Amz-Signature") { // of the client, not of the API
			answered := &noticing{ResponseWriter: w}
			if (*h)(answered, r); answered.did {
				return
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { s.Close(); transport.CloseIdleConnections() })
	return s
}

type noticing struct {
	http.ResponseWriter
	did bool
}

func (n *noticing) WriteHeader(status int) { n.did = true; n.ResponseWriter.WriteHeader(status) }

func (s *storm) set(h http.HandlerFunc) { s.answer.Store(&h) }

func throughStorm(t *testing.T, opts ...client.Option) (*system, *storm) {
	t.Helper()
	g := gatewaytest.Start(t)
	st := newStorm(t, g)
	g.Endpoint = st.URL
	s := startOn(t, g, nil)
	s.client = newClient(t, s.address, opts...)
	return s, st
}

func TestAStorageThatAsksForPatienceGetsIt(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusInternalServerError} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			s, st := throughStorm(t)
			var mu sync.Mutex
			seen := map[string]int{}
			st.set(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				if id := r.Method + r.URL.Path + r.URL.Query().Get("partNumber") + r.Header.Get("Range"); seen[id] < 3 {
					seen[id]++
					w.WriteHeader(status)
				}
			})
			roundTrip(t, transfer.New(s.client, transfer.Options{PartSize: 5 * mib}))
		})
	}
}

func TestAConnectionOverWhichNothingMovesIsReplaced(t *testing.T) {
	t.Parallel()
	s, st := throughStorm(t, client.WithStallTimeout(time.Second))
	over := make(chan struct{})
	t.Cleanup(sync.OnceFunc(func() { close(over) }))
	var mu sync.Mutex
	seen := map[string]bool{}
	st.set(func(w http.ResponseWriter, r *http.Request) {
		id := r.Method + r.URL.Path + r.URL.Query().Get("partNumber") + r.Header.Get("Range")
		mu.Lock()
		first := !seen[id]
		seen[id] = true
		mu.Unlock()
		if first {
			<-over
			w.WriteHeader(http.StatusTeapot)
		}
	})
	roundTrip(t, transfer.New(s.client, transfer.Options{PartSize: 5 * mib}))
}

func TestASignatureThatEndedIsRenewed(t *testing.T) {
	t.Parallel()
	s, st := throughStorm(t)
	var mu sync.Mutex
	refused := map[string]bool{}
	st.set(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if id := r.Method + r.URL.Path + r.URL.Query().Get("partNumber"); !refused[id] {
			refused[id] = true
			w.WriteHeader(http.StatusForbidden)
		}
	})
	roundTrip(t, transfer.New(s.client, transfer.Options{PartSize: 5 * mib}))
	if len(refused) < 4 {
		t.Errorf("refused only %v", refused)
	}
}

func TestWhatTheStorageRefusesForGoodFails(t *testing.T) {
	t.Parallel()
	s, st := throughStorm(t)
	s.put("x", []byte("content"))
	st.set(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	x := transfer.New(s.client, transfer.Options{PartSize: 5 * mib})
	o := upload(t, x, transfer.File{Key: "y", Path: write(t, filepath.Join(t.TempDir(), "y"), content(1, 11*mib))})["y"]
	if object.CodeOf(o.Err) != object.CodeDenied {
		t.Errorf("upload: %v", o.Err)
	}
	dir := root(t)
	if o := download(t, x, transfer.Remote{Key: "x", Size: 7, Dir: dir, Name: "x"})["x"]; object.CodeOf(o.Err) != object.CodeDenied {
		t.Errorf("download: %v", o.Err)
	}
	hidden(t, dir)
}

// A lost answer to complete looks like an upload that never was.
func TestAnUploadWhoseLastAnswerIsLostIsDone(t *testing.T) {
	t.Parallel()
	s := start(t)
	lost := &losing{RoundTripper: &http.Transport{}}
	t.Cleanup(lost.RoundTripper.(*http.Transport).CloseIdleConnections)
	x := transfer.New(newClient(t, s.address, client.WithTransport(lost)), transfer.Options{PartSize: 5 * mib, State: t.TempDir()})
	b := content(1, 11*mib)
	o := upload(t, x, transfer.File{Key: "x", Path: write(t, filepath.Join(t.TempDir(), "x"), b)})["x"]
	if o.Err != nil || o.ETag == "" || !lost.did.Load() {
		t.Errorf("%+v, lost %v", o, lost.did.Load())
	}
	same(t, "x", s.stored("x"), b)
}

// losing loses the first answer to complete.
type losing struct {
	http.RoundTripper
	did atomic.Bool
}

func (l *losing) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := l.RoundTripper.RoundTrip(r)
	if err == nil && filepath.Base(r.URL.Path) == "complete" && l.did.CompareAndSwap(false, true) {
		res.Body.Close()
		return nil, errors.New("connection reset by peer")
	}
	return res, err
}

func TestASourceThatChangesIsNeverMixed(t *testing.T) {
	t.Parallel()
	s := start(t)
	first, second := content(1, 17*mib), content(2, 17*mib)
	local := t.TempDir()
	path := write(t, filepath.Join(local, "x"), first)
	state := t.TempDir()

	t.Run("upload", func(t *testing.T) {
		interrupt(t, s, state, path, "up")
		write(t, path, second)
		x := transfer.New(s.client, transfer.Options{PartSize: 5 * mib, State: state})
		o := upload(t, x, transfer.File{Key: "up", Path: path})["up"]
		if o.Err != nil || o.Moved != int64(len(second)) {
			t.Errorf("moved %d bytes, %v", o.Moved, o.Err)
		}
		same(t, "up", s.stored("up"), second)
	})
	t.Run("download that was interrupted", func(t *testing.T) {
		s.put("down", first)
		dir := root(t)
		ctx, stop := context.WithCancel(t.Context())
		x := transfer.New(s.client, transfer.Options{PartSize: 5 * mib, Concurrency: 1, Progress: stopAfter(6*mib, stop)})
		remote := transfer.Remote{Key: "down", Size: int64(len(first)), Dir: dir, Name: "down"}
		x.Download(ctx, slices.Values([]transfer.Remote{remote}), func(o transfer.Outcome) {
			if o.Err == nil {
				t.Error("it was not interrupted")
			}
		})
		if _, err := dir.Stat(".down.part.journal"); err != nil {
			t.Fatal(err)
		}
		s.put("down", second)
		o := download(t, transfer.New(s.client, transfer.Options{PartSize: 5 * mib}), remote)["down"]
		if o.Err != nil || !o.Verified || o.Moved != int64(len(second)) {
			t.Errorf("%+v", o)
		}
		got, err := dir.ReadFile("down")
		if err != nil {
			t.Fatal(err)
		}
		same(t, "down", got, second)
		hidden(t, dir)
	})
	t.Run("download that is under way", func(t *testing.T) {
		s.put("now", first)
		dir := root(t)
		var once sync.Once
		var at, most atomic.Int64
		x := transfer.New(s.client, transfer.Options{PartSize: 5 * mib, Concurrency: 1, Progress: func(_ object.Key, n, _ int64) {
			if now := at.Add(n); now > most.Load() {
				most.Store(now)
			}
			if at.Load() > 6*mib {
				once.Do(func() { s.put("now", second) })
			}
		}})
		o := download(t, x, transfer.Remote{Key: "now", Size: int64(len(first)), Dir: dir, Name: "now"})["now"]
		got, err := dir.ReadFile("now")
		if o.Err != nil || err != nil || !o.Verified {
			t.Fatalf("%+v, %v", o, err)
		}
		same(t, "now", got, second)
		if at.Load() != int64(len(second)) || most.Load() > int64(len(second)) {
			t.Errorf("progress ends at %d, was at %d", at.Load(), most.Load())
		}
	})
	t.Run("upload that is under way", func(t *testing.T) {
		write(t, path, first)
		var once sync.Once
		x := transfer.New(s.client, transfer.Options{PartSize: 5 * mib, Concurrency: 1, State: state, Progress: func(_ object.Key, n, _ int64) {
			if n > 0 {
				once.Do(func() { write(t, path, second) })
			}
		}})
		o := upload(t, x, transfer.File{Key: "changing", Path: path})["changing"]
		if !errors.Is(o.Err, client.ErrChanged) {
			t.Errorf("%v", o.Err)
		}
		if _, err := s.client.Stat(t.Context(), "changing", ""); object.CodeOf(err) != object.CodeNotFound {
			t.Errorf("something was stored: %v", err)
		}
	})
}

// stopAfter ends something when so many bytes are there.
func stopAfter(bytes int64, stop func()) func(object.Key, int64, int64) {
	var at atomic.Int64
	return func(_ object.Key, n, _ int64) {
		if at.Add(n) >= bytes {
			stop()
		}
	}
}

// interrupt begins an upload and cancels it.
func interrupt(t *testing.T, s *system, state, path string, key object.Key) (moved int64) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	x := transfer.New(s.client, transfer.Options{PartSize: 5 * mib, Concurrency: 1, State: state, Progress: stopAfter(6*mib, stop)})
	x.Upload(ctx, slices.Values([]transfer.File{{Key: key, Path: path}}), func(o transfer.Outcome) {
		if !errors.Is(o.Err, context.Canceled) {
			t.Errorf("it was not cancelled: %v", o.Err)
		}
		moved = o.Moved
	})
	return moved
}

// silent is an API whose storage tells no digests of parts.
func silent(server http.RoundTripper) http.RoundTripper {
	digest := regexp.MustCompile(`,?"sha256":"[^"]*"`)
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		res, err := server.RoundTrip(r)
		if err != nil || r.Method != http.MethodGet || !strings.HasPrefix(r.URL.Path, "/v1/uploads/") {
			return res, err
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			return nil, err
		}
		if !digest.Match(body) {
			return nil, errors.New("the API told no digest to take away")
		}
		body = digest.ReplaceAll(body, nil)
		res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return res, nil
	})
}

func TestWhatHasArrivedIsKnownByItsETagWhereThereIsNoDigest(t *testing.T) {
	t.Parallel()
	s := start(t)
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	c := newClient(t, s.address, client.WithTransport(silent(transport)))
	for _, changed := range []bool{false, true} {
		key := object.Key(fmt.Sprint("changed-", changed))
		state, b := t.TempDir(), content(1, 22*mib)
		path := write(t, filepath.Join(t.TempDir(), "x"), b)
		interrupt(t, s, state, path, key)
		if changed {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			b[0]++ // of the first part, with the time that it had
			write(t, path, b)
			if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
				t.Fatal(err)
			}
		}
		o := upload(t, transfer.New(c, transfer.Options{PartSize: 5 * mib, State: state}), transfer.File{Key: key, Path: path})[key]
		had := int64(len(b)) - o.Moved
		if o.Err != nil || had%(5*mib) != 0 || !changed && had < 5*mib || changed && had > 5*mib {
			t.Errorf("changed %t: moved %d bytes, so %d were kept; %v", changed, o.Moved, had, o.Err)
		}
		same(t, string(key), s.stored(key), b)
	}
}

func TestWhatHasArrivedIsNotSentAgain(t *testing.T) {
	t.Parallel()
	s := start(t)
	state := t.TempDir()
	b := content(1, 22*mib)
	path := write(t, filepath.Join(t.TempDir(), "x"), b)
	interrupt(t, s, state, path, "x")
	o := upload(t, transfer.New(s.client, transfer.Options{PartSize: 5 * mib, State: state}), transfer.File{Key: "x", Path: path})["x"]
	if had := int64(len(b)) - o.Moved; o.Err != nil || had < 5*mib || had%(5*mib) != 0 {
		t.Errorf("moved %d bytes, so %d had arrived, which are no whole parts; %v", o.Moved, had, o.Err)
	}
	same(t, "x", s.stored("x"), b)

	dir := root(t)
	ctx, stop := context.WithCancel(t.Context())
	remote := transfer.Remote{Key: "x", Size: int64(len(b)), Dir: dir, Name: "x"}
	x := transfer.New(s.client, transfer.Options{PartSize: 5 * mib, Concurrency: 1, Progress: stopAfter(6*mib, stop)})
	x.Download(ctx, slices.Values([]transfer.Remote{remote}), func(o transfer.Outcome) {
		if !errors.Is(o.Err, context.Canceled) {
			t.Errorf("it was not cancelled: %v", o.Err)
		}
	})
	o = download(t, transfer.New(s.client, transfer.Options{PartSize: 5 * mib}), remote)["x"]
	if had := int64(len(b)) - o.Moved; o.Err != nil || !o.Verified || had < 5*mib || had%(5*mib) != 0 {
		t.Errorf("moved %d bytes, so %d had arrived, which are no whole ranges: %+v", o.Moved, had, o)
	}
	got, err := dir.ReadFile("x")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "x", got, b)
}
