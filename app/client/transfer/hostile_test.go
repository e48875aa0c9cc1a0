package transfer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"cloudstorage/app/client"
	"cloudstorage/app/client/transfer"
	"cloudstorage/app/object"
)

// Whoever may write beside a file must not choose what is taken for its ranges.
func TestWhatIsStoredUnderAHiddenNameIsNotTakenForAHalfFile(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.put("x", []byte("content"))
	dir := root(t)
	x := transfer.New(s.client, transfer.Options{})
	for _, name := range []string{".x.part", ".x.part.journal", "a/.X.PART", ".part"} {
		o := download(t, x, transfer.Remote{Key: "x", Size: 7, Dir: dir, Name: name})["x"]
		if object.CodeOf(o.Err) != object.CodeInvalid || !strings.Contains(o.Err.Error(), "another name") {
			t.Errorf("%q: %v", name, o.Err)
		}
	}
	hidden(t, dir)
	if o := download(t, x, transfer.Remote{Key: "x", Size: 7, Dir: dir, Name: "x.part"})["x"]; o.Err != nil {
		t.Error(o.Err)
	}
}

func TestALinkInTheHiddenFilesPlaceIsNotFollowed(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.put("x", []byte("content"))
	dir := root(t)
	write(t, filepath.Join(dir.Name(), "mine"), []byte("mine"))
	if err := os.Symlink("mine", filepath.Join(dir.Name(), ".x.part")); err != nil {
		t.Fatal(err)
	}
	o := download(t, transfer.New(s.client, transfer.Options{}), transfer.Remote{Key: "x", Size: 7, Dir: dir, Name: "x"})["x"]
	if got, err := dir.ReadFile("mine"); o.Err == nil || err != nil || string(got) != "mine" {
		t.Errorf("%v; the link's target holds %q, %v", o.Err, got, err)
	}
}

func TestAJournalThatLiesDoesNoHarm(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := content(1, 12*mib)
	x := transfer.New(s.client, transfer.Options{PartSize: 5 * mib})
	if o := upload(t, x, transfer.File{Key: "x", Path: write(t, filepath.Join(t.TempDir(), "x"), b)})["x"]; o.Err != nil {
		t.Fatal(o.Err)
	}
	info, err := s.client.Stat(t.Context(), "x", "")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		change func(map[string]any)
		lines  string
	}{
		"ranges of a byte":     {func(h map[string]any) { h["range"] = 1 }, ""},
		"negative ranges":      {func(h map[string]any) { h["range"] = -1 }, ""},
		"lines that are none":  {func(map[string]any) {}, "0 d41d8cd98f00b204e9800998ecf8427e\nx y\n-1 00\n99 00\n\n1\n1 "},
		"another ETag":         {func(h map[string]any) { h["etag"] = `"x"` }, ""},
		"no ETag":              {func(h map[string]any) { h["etag"] = "" }, ""},
		"a size that is none":  {func(h map[string]any) { h["size"] = -5 }, ""},
		"what is no object":    {nil, "[]\n"},
		"what is not complete": {nil, `{"api":`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := root(t)
			text := ""
			if tt.change != nil {
				head := map[string]any{"api": s.client.Address(), "key": "x", "size": len(b), "etag": info.ETag, "md5": true, "range": 5 * mib}
				tt.change(head)
				line, err := json.Marshal(head)
				if err != nil {
					t.Fatal(err)
				}
				text = string(line) + "\n"
			}
			write(t, filepath.Join(dir.Name(), ".x.part.journal"), []byte(text+tt.lines))
			write(t, filepath.Join(dir.Name(), ".x.part"), make([]byte, len(b)))
			o := download(t, x, transfer.Remote{Key: "x", Size: int64(len(b)), Dir: dir, Name: "x"})["x"]
			if o.Err != nil || !o.Verified {
				t.Fatalf("%+v", o)
			}
			got, err := dir.ReadFile("x")
			if err != nil {
				t.Fatal(err)
			}
			same(t, "x", got, b)
			hidden(t, dir)
		})
	}
}

func TestAnUploadsJournalThatLiesDoesNoHarm(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := content(1, 17*mib)
	for name, change := range map[string]func(map[string]any){
		"no part size":         func(j map[string]any) { j["part_size"] = 0 },
		"odd parts":            func(j map[string]any) { j["part_size"] = 5*mib + 1 },
		"huge parts":           func(j map[string]any) { j["part_size"] = 1 << 60 },
		"an id that is none":   func(j map[string]any) { j["id"] = "x y/../z" },
		"an id that was":       func(j map[string]any) { j["id"] = "AAAA" },
		"an ETag of some file": func(j map[string]any) { j["etag"] = `"x"` },
	} {
		t.Run(name, func(t *testing.T) {
			state, key := t.TempDir(), object.Key(name)
			path := write(t, filepath.Join(t.TempDir(), "x"), b)
			interrupt(t, s, state, path, key)
			journals, err := filepath.Glob(filepath.Join(state, "*.upload"))
			if err != nil || len(journals) != 1 {
				t.Fatal(journals, err)
			}
			text, err := os.ReadFile(journals[0])
			if err != nil {
				t.Fatal(err)
			}
			var j map[string]any
			if err := json.Unmarshal(text, &j); err != nil {
				t.Fatal(err)
			}
			change(j)
			if text, err = json.Marshal(j); err != nil {
				t.Fatal(err)
			}
			write(t, journals[0], text)
			o := upload(t, transfer.New(s.client, transfer.Options{PartSize: 5 * mib, State: state}), transfer.File{Key: key, Path: path})[key]
			if o.Err != nil {
				t.Fatal(o.Err)
			}
			same(t, name, s.stored(key), b)
		})
	}
}

func TestHiddenNamesAreTextAsNamesAre(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := content(1, 12*mib)
	s.put("x", b)
	for _, name := range []string{strings.Repeat("é", 127), "a" + strings.Repeat("é", 127)} {
		dir := root(t)
		ctx, stop := context.WithCancel(t.Context())
		x := transfer.New(s.client, transfer.Options{PartSize: 5 * mib, Concurrency: 1, Progress: stopAfter(6*mib, stop)})
		x.Download(ctx, slices.Values([]transfer.Remote{{Key: "x", Size: int64(len(b)), Dir: dir, Name: name}}), func(transfer.Outcome) {})
		left, err := os.ReadDir(dir.Name())
		if err != nil || len(left) != 2 || !utf8.ValidString(left[0].Name()) {
			t.Errorf("%q, %v", left, err)
		}
	}
}

// skewed is an API whose clock is off: all that it tells of time.
func skewed(by time.Duration, server http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		res, err := server.RoundTrip(r)
		if err != nil || !strings.HasPrefix(r.URL.Path, "/v1/") {
			return res, err
		}
		if date, err := http.ParseTime(res.Header.Get("Date")); err == nil {
			res.Header.Set("Date", date.Add(by).Format(http.TimeFormat))
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			return nil, err
		}
		const field = `"expires_at":"`
		var out strings.Builder
		rest := string(body)
		for {
			before, after, found := strings.Cut(rest, field)
			out.WriteString(before)
			if !found {
				break
			}
			at, tail, _ := strings.Cut(after, `"`)
			end, err := time.Parse(time.RFC3339, at)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&out, `%s%s"`, field, end.Add(by).Format(time.RFC3339))
			rest = tail
		}
		res.Body = io.NopCloser(strings.NewReader(out.String()))
		res.ContentLength = int64(out.Len())
		return res, nil
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// That their clock is ahead is that this one is behind.
func TestAWrongClockChangesNothing(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, by := range []time.Duration{-24 * time.Hour, -time.Hour, time.Hour, 24 * time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			t.Parallel()
			transport := &http.Transport{MaxIdleConnsPerHost: 64}
			t.Cleanup(transport.CloseIdleConnections)
			var calls atomic.Int64
			count := roundTripper(func(r *http.Request) (*http.Response, error) {
				if strings.HasPrefix(r.URL.Path, "/v1/") {
					calls.Add(1)
				}
				return transport.RoundTrip(r)
			})
			c := newClient(t, s.address, client.WithTransport(skewed(by, count)))
			roundTrip(t, transfer.New(c, transfer.Options{PartSize: 5 * mib, State: t.TempDir()}))
			// Those that sign once, and begin, and complete.
			if n := calls.Load(); n > 20 {
				t.Errorf("%d calls of the API", n)
			}
		})
	}
}

// Each of many signatures that ended in the middle of a large file is renewed.
func TestSignaturesThatEndInTheMiddleAreRenewed(t *testing.T) {
	t.Parallel()
	s, st := throughStorm(t)
	b := content(1, 40*mib)
	s.put("x", b)
	var mu sync.Mutex
	refused := map[string]bool{}
	st.set(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if id := r.Header.Get("Range"); id != "bytes=0-0" && !refused[id] {
			refused[id] = true
			w.WriteHeader(http.StatusForbidden)
		}
	})
	dir := root(t)
	o := download(t, transfer.New(s.client, transfer.Options{PartSize: 5 * mib}), transfer.Remote{Key: "x", Size: int64(len(b)), Dir: dir, Name: "x"})["x"]
	if o.Err != nil || len(refused) < 4 {
		t.Errorf("%v after %d refusals", o.Err, len(refused))
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestAFullDiskIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.put("x", content(1, 100_000))
	_, err := transfer.New(s.client, transfer.Options{}).DownloadTo(t.Context(), transfer.Remote{Key: "x", Size: client.UnknownSize}, fullDisk{})
	var e *client.Error
	if !errors.Is(err, syscall.ENOSPC) || client.Temporary(err) || !errors.As(err, &e) || e.Peer != "" {
		t.Errorf("%#v", err)
	}
}

// What was uploaded in parts here is checked by more than MD5 when it comes back.
func TestALargeFileIsCheckedBySHA256(t *testing.T) {
	t.Parallel()
	s := start(t)
	x := transfer.New(s.client, transfer.Options{PartSize: 5 * mib})
	b := content(1, 17*mib)
	if o := upload(t, x, transfer.File{Key: "x", Path: write(t, filepath.Join(t.TempDir(), "x"), b)})["x"]; o.Err != nil {
		t.Fatal(o.Err)
	}
	info, err := s.client.Stat(t.Context(), "x", "")
	if err != nil || !strings.HasSuffix(info.SHA256, "-4") {
		t.Fatalf("%+v, %v", info, err)
	}
	dir := root(t)
	ctx, stop := context.WithCancel(t.Context())
	interrupted := transfer.New(s.client, transfer.Options{PartSize: 5 * mib, Concurrency: 1, Progress: stopAfter(6*mib, stop)})
	remote := transfer.Remote{Key: "x", Size: int64(len(b)), Dir: dir, Name: "x"}
	interrupted.Download(ctx, slices.Values([]transfer.Remote{remote}), func(transfer.Outcome) {})
	journal, err := dir.ReadFile(".x.part.journal")
	if err != nil || !strings.Contains(string(journal), `"sha256":"`+info.SHA256+`"`) {
		t.Errorf("the journal is %q, %v", journal, err)
	}
	if o := download(t, x, remote)["x"]; o.Err != nil || !o.Verified || o.Moved == o.Size {
		t.Errorf("%+v", o)
	}
}
