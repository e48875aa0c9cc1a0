package client_test

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cloudstorage/app/object"
)

// wantFiles checks that dir holds these files and nothing else, hidden or not.
func wantFiles(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if expected, ok := want[e.Name()]; !ok || err != nil || string(content) != expected {
			t.Errorf("%s holds %q (%v), want %q", e.Name(), content, err, expected)
		}
	}
	if len(entries) != len(want) {
		t.Errorf("%d files, want %d", len(entries), len(want))
	}
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestFilesAreStoredUnderTheirBaseName(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := f.client(t)
	name := write(t, filepath.Join(t.TempDir(), "a b.txt"), "content")
	got, err := c.UploadFile(t.Context(), name, "", nil)
	if err != nil || got.Key != "a b.txt" || got.Size != 7 || got.Path != name {
		t.Errorf("UploadFile = %+v, %v", got, err)
	}
	if _, err := c.UploadFile(t.Context(), name, "other/name", nil); err != nil {
		t.Error(err)
	}
	for _, key := range []string{"a b.txt", "other/name"} {
		if content, _ := f.stored(key); content != "content" {
			t.Errorf("%s holds %q", key, content)
		}
	}
}

func TestWhatIsNoFileIsNotUploaded(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	dir := t.TempDir()
	for name, says := range map[string]string{
		dir:                                "is a directory",
		filepath.Join(dir, "missing"):      "there is no file",
		filepath.Join(dir, "missing", "x"): "there is no file",
		os.DevNull:                         "not a regular file",
		"":                                 "there is no file",
	} {
		if _, err := f.client(t).UploadFile(t.Context(), name, "", nil); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want %q", name, err, says)
		}
	}
	_, err := f.client(t).UploadFile(t.Context(), filepath.Join(dir, "missing"), "", nil)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", err)
	}
	if len(f.requests()) != 0 {
		t.Errorf("the API was asked: %q", f.requests())
	}
}

func TestDownloadsAreSavedUnderTheLastSegment(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	want := map[string]string{}
	dir := t.TempDir()
	long := strings.Repeat("n", 255)
	for key, base := range map[string]string{
		"report.pdf": "report.pdf", "a/b/c": "c", "/abs": "abs", "x/a b+%ü&'\".txt": "a b+%ü&'\".txt", "star*": "star*", "...": "...", "empty": "empty", "deep/" + long: long,
	} {
		content := "content of " + key
		if key == "empty" {
			content = ""
		}
		f.objects[key] = []byte(content)
		got, err := f.client(t).DownloadFile(t.Context(), object.Key(key), dir, nil)
		if err != nil || got.Path != filepath.Join(dir, base) || got.Size != int64(len(content)) {
			t.Errorf("DownloadFile(%q) = %+v, %v", key, got, err)
		}
		want[base] = content
	}
	wantFiles(t, dir, want)
}

func TestADownloadReplacesAFileAsAWhole(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.objects["x"] = []byte("new")
	dir := t.TempDir()
	outside := write(t, filepath.Join(t.TempDir(), "outside"), "untouched")
	write(t, filepath.Join(dir, "x"), "something longer")
	if err := os.Symlink(outside, filepath.Join(dir, "y")); err == nil {
		f.objects["y"] = []byte("new")
		if _, err := f.client(t).DownloadFile(t.Context(), "y", dir, nil); err != nil {
			t.Error(err)
		}
		if content, _ := os.ReadFile(outside); string(content) != "untouched" {
			t.Errorf("a link was followed: %q", content)
		}
		_ = os.Remove(filepath.Join(dir, "y"))
	}
	if _, err := f.client(t).DownloadFile(t.Context(), "x", dir, nil); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, dir, map[string]string{"x": "new"})
}

func TestAFailedDownloadLeavesWhatWasThere(t *testing.T) {
	t.Parallel()
	half := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte("half"))
		_ = http.NewResponseController(w).Flush()
	}
	for name, h := range map[string]http.HandlerFunc{
		"truncated": half,
		"missing":   func(w http.ResponseWriter, _ *http.Request) { s3Refuses(w, 404, "NoSuchKey", "no") },
		"denied":    func(w http.ResponseWriter, _ *http.Request) { s3Refuses(w, 403, "AccessDenied", "no") },
		"broken":    cut,
	} {
		f := newFake(t)
		f.storage = h
		dir := t.TempDir()
		write(t, filepath.Join(dir, "x"), "old")
		if _, err := f.client(t).DownloadFile(t.Context(), "x", dir, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
		wantFiles(t, dir, map[string]string{"x": "old"})
	}

	f := newFake(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.storage = func(w http.ResponseWriter, r *http.Request) { half(w, r); <-r.Context().Done() }
	dir := t.TempDir()
	_, err := f.client(t).DownloadFile(ctx, "x", dir, func(done, _ int64) {
		if done > 0 {
			wantHalf, _ := filepath.Glob(filepath.Join(dir, ".x.*.part"))
			if len(wantHalf) != 1 {
				t.Errorf("the temporary files are %q", wantHalf)
			}
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	wantFiles(t, dir, nil)
}

func TestNamesThatCannotBeSavedAreRefused(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, key := range []object.Key{"a/", "/", "a//", "folder", "up/folder", object.Key(strings.Repeat("n", 256))} {
		f.objects[string(key)] = []byte("x")
		if _, err := f.client(t).DownloadFile(t.Context(), key, dir, nil); err == nil || !strings.Contains(err.Error(), "cannot save") {
			t.Errorf("%.20q: %v", key, err)
		}
	}
	if _, err := f.client(t).DownloadFile(t.Context(), "x", filepath.Join(dir, "missing"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing folder: %v", err)
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}
