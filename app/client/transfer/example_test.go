package transfer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cloudstorage/app/client"
	"cloudstorage/app/client/transfer"
)

// exampleServer is an API and its storage with one file, as far as the examples
// need them.
func exampleServer() *httptest.Server {
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/v1/batch/"):
			method := map[string]string{"/v1/batch/uploads": http.MethodPut, "/v1/batch/downloads": http.MethodGet}[r.URL.Path]
			var asked struct{ Items []struct{ Key string } }
			_ = json.NewDecoder(r.Body).Decode(&asked)
			for _, item := range asked.Items {
				_ = json.NewEncoder(w).Encode(map[string]any{"key": item.Key, "method": method, "url": s.URL + "/bucket/" + item.Key + "?signed"})
			}
		case r.Method == http.MethodPut:
			_, _ = io.Copy(io.Discard, r.Body)
		default:
			w.Header().Set("ETag", `"5d41402abc4b2a76b9719d911017c592"`)
			w.Header().Set("Content-Length", "5")
			fmt.Fprint(w, "hello")
		}
	}))
	return s
}

func ExampleTransfers_Upload() {
	server := exampleServer()
	defer server.Close()
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Panic(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "report.txt")
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		log.Panic(err)
	}

	c, err := client.New(server.URL)
	if err != nil {
		log.Panic(err)
	}
	defer c.Close()
	t := transfer.New(c, transfer.Options{State: filepath.Join(folder, "state")})
	t.Upload(context.Background(), slices.Values([]transfer.File{{Key: "2026/report.txt", Path: path}}), func(o transfer.Outcome) {
		fmt.Println(o.Key, o.Size, "bytes, verified:", o.Verified, o.Err)
	})
	// Output: 2026/report.txt 5 bytes, verified: true <nil>
}

func ExampleTransfers_Download() {
	server := exampleServer()
	defer server.Close()
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Panic(err)
	}
	defer os.RemoveAll(folder)
	dir, err := os.OpenRoot(folder) // nothing is written outside it
	if err != nil {
		log.Panic(err)
	}
	defer dir.Close()

	c, err := client.New(server.URL)
	if err != nil {
		log.Panic(err)
	}
	defer c.Close()
	files := []transfer.Remote{{Key: "2026/report.txt", Size: client.UnknownSize, Dir: dir, Name: "2026/report.txt"}}
	transfer.New(c, transfer.Options{}).Download(context.Background(), slices.Values(files), func(o transfer.Outcome) {
		fmt.Println(o.Key, o.Size, "bytes, verified:", o.Verified, o.Err)
	})
	// Output: 2026/report.txt 5 bytes, verified: true <nil>
}

func ExampleTransfers_DownloadTo() {
	server := exampleServer()
	defer server.Close()
	c, err := client.New(server.URL)
	if err != nil {
		log.Panic(err)
	}
	defer c.Close()
	o, err := transfer.New(c, transfer.Options{}).DownloadTo(context.Background(), transfer.Remote{Key: "2026/report.txt", Size: client.UnknownSize}, os.Stdout)
	fmt.Println(",", o.Size, "bytes,", err)
	// Output: hello, 5 bytes, <nil>
}
