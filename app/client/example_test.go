package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

// exampleAPI stands for a running API and its bucket, which is empty.
func exampleAPI() *httptest.Server {
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/":
			reply(w, 200, "Successfully connected to module02 upload/download API", nil)
		case r.URL.Path == "/list_files":
			reply(w, 200, "listed", []string{"2026/report.pdf", "notes.txt"})
		case strings.HasPrefix(r.URL.Path, "/upload/"):
			reply(w, 200, "Successfully uploaded file 'notes.txt' on s3 bucket 'module02-1'", server.URL+"/bucket?signed")
		case strings.HasPrefix(r.URL.Path, "/download/"):
			reply(w, 200, "signed", server.URL+"/bucket?signed")
		case r.Method == http.MethodGet:
			s3Refuses(w, 404, "NoSuchKey", "The specified key does not exist.")
		}
	}))
	return server
}

func Example() {
	api := exampleAPI()
	defer api.Close()

	c, err := client.New(api.URL) // or "10.0.0.7", "api.example.com:5000", "https://api.example.com"
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	ctx := context.Background()

	message, err := c.Ping(ctx)
	fmt.Println(message, err)

	files, err := c.List(ctx)
	for _, f := range files {
		fmt.Println(f.Key)
	}
	fmt.Println(len(files), "files", err)
	// Output:
	// Successfully connected to module02 upload/download API <nil>
	// 2026/report.pdf
	// notes.txt
	// 2 files <nil>
}

func ExampleClient_Upload() {
	api := exampleAPI()
	defer api.Close()
	c, _ := client.New(api.URL)
	defer c.Close()

	content := strings.NewReader("remember the milk") // or an *os.File
	result, err := c.Upload(context.Background(), "notes.txt", content, content.Size(), func(done, total int64) {
		if done == total {
			fmt.Printf("%d of %d bytes\n", done, total)
		}
	})
	fmt.Println(result.Message, err)
	// Output:
	// 17 of 17 bytes
	// Successfully uploaded file 'notes.txt' on s3 bucket 'module02-1' <nil>
}

func ExampleError() {
	api := exampleAPI()
	defer api.Close()
	c, _ := client.New(api.URL)
	defer c.Close()

	var content strings.Builder
	_, err := c.Download(context.Background(), "missing.txt", &content, nil)
	fmt.Println(err)
	fmt.Println(object.CodeOf(err) == object.CodeNotFound)

	var failed *client.Error
	if errors.As(err, &failed) {
		fmt.Println(failed.Peer, failed.Status)
	}
	// Output:
	// there is no such file 'missing.txt' in the bucket
	// true
	// storage 404
}
